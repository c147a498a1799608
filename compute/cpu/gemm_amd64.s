//go:build !purego

#include "textflag.h"

// STEP multiplies and adds the step of k that is a bytes on in the left panel
// and b in the right one: three loads and four broadcasts for twelve
// multiply-adds.
#define STEP(a, b) \
	VMOVUPS (b)(DI), Y12; \
	VMOVUPS (b+32)(DI), Y13; \
	VMOVUPS (b+64)(DI), Y14; \
	ROW(a, Y0, Y1, Y2); \
	ROW(a+4, Y3, Y4, Y5); \
	ROW(a+8, Y6, Y7, Y8); \
	ROW(a+12, Y9, Y10, Y11)

#define ROW(a, x, y, z) \
	VBROADCASTSS (a)(SI), Y15; \
	VFMADD231PS Y12, Y15, x; \
	VFMADD231PS Y13, Y15, y; \
	VFMADD231PS Y14, Y15, z

// func mul4x24avx2(k int, a, b, c []float32, ldc int, add bool)
//
// Y0-Y11 hold the tile, three registers a row. Four steps of k are taken at a
// time: the loop's own instructions would else cost a twentieth. A row of the
// tile of c, 96 bytes, lies in two lines of the cache or more: the first and
// the last are fetched ahead, and so is the left panel: the processor's own
// fetching ends at every page.
TEXT ·mul4x24avx2(SB), NOSPLIT, $0-89
	MOVQ k+0(FP), CX
	MOVQ a_base+8(FP), SI
	MOVQ b_base+32(FP), DI
	MOVQ c_base+56(FP), DX
	MOVQ ldc+80(FP), R8
	SHLQ $2, R8
	LEAQ (DX)(R8*1), R9
	LEAQ (R9)(R8*1), R10
	LEAQ (R10)(R8*1), R11
	PREFETCHT0 (DX)
	PREFETCHT0 92(DX)
	PREFETCHT0 (R9)
	PREFETCHT0 92(R9)
	PREFETCHT0 (R10)
	PREFETCHT0 92(R10)
	PREFETCHT0 (R11)
	PREFETCHT0 92(R11)
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7
	VXORPS Y8, Y8, Y8
	VXORPS Y9, Y9, Y9
	VXORPS Y10, Y10, Y10
	VXORPS Y11, Y11, Y11
	SUBQ $4, CX
	JLT  rest

four:
	PREFETCHT0 2048(SI)
	STEP(0, 0)
	STEP(16, 96)
	STEP(32, 192)
	STEP(48, 288)
	ADDQ $64, SI
	ADDQ $384, DI
	SUBQ $4, CX
	JGE  four

rest:
	ADDQ $4, CX
	JZ   done

one:
	STEP(0, 0)
	ADDQ $16, SI
	ADDQ $96, DI
	DECQ CX
	JNZ  one

done:
	MOVBLZX add+88(FP), AX
	TESTB AX, AX
	JZ   store
	VADDPS (DX), Y0, Y0
	VADDPS 32(DX), Y1, Y1
	VADDPS 64(DX), Y2, Y2
	VADDPS (R9), Y3, Y3
	VADDPS 32(R9), Y4, Y4
	VADDPS 64(R9), Y5, Y5
	VADDPS (R10), Y6, Y6
	VADDPS 32(R10), Y7, Y7
	VADDPS 64(R10), Y8, Y8
	VADDPS (R11), Y9, Y9
	VADDPS 32(R11), Y10, Y10
	VADDPS 64(R11), Y11, Y11

store:
	VMOVUPS Y0, (DX)
	VMOVUPS Y1, 32(DX)
	VMOVUPS Y2, 64(DX)
	VMOVUPS Y3, (R9)
	VMOVUPS Y4, 32(R9)
	VMOVUPS Y5, 64(R9)
	VMOVUPS Y6, (R10)
	VMOVUPS Y7, 32(R10)
	VMOVUPS Y8, 64(R10)
	VMOVUPS Y9, (R11)
	VMOVUPS Y10, 32(R11)
	VMOVUPS Y11, 64(R11)
	VZEROUPPER
	RET

// func runs4x24avx2(runs []run, a, b []float32, lda, ldb int, c []float32, ldc int, add bool)
//
// R12 and R13 are the runs and how many they are, BX and CX the distances of the
// steps of a and b in bytes.
TEXT ·runs4x24avx2(SB), NOSPLIT, $0-121
	MOVQ runs_base+0(FP), R12
	MOVQ runs_len+8(FP), R13
	MOVQ lda+72(FP), BX
	MOVQ ldb+80(FP), CX
	MOVQ c_base+88(FP), DX
	MOVQ ldc+112(FP), R8
	SHLQ $2, BX
	SHLQ $2, CX
	SHLQ $2, R8
	LEAQ (DX)(R8*1), R9
	LEAQ (R9)(R8*1), R10
	LEAQ (R10)(R8*1), R11
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7
	VXORPS Y8, Y8, Y8
	VXORPS Y9, Y9, Y9
	VXORPS Y10, Y10, Y10
	VXORPS Y11, Y11, Y11
	TESTQ R13, R13
	JZ   rdone

rrun:
	MOVQ a_base+24(FP), SI
	MOVQ (R12), AX
	LEAQ (SI)(AX*4), SI
	MOVQ b_base+48(FP), DI
	MOVQ 8(R12), AX
	LEAQ (DI)(AX*4), DI
	MOVQ 16(R12), AX
	ADDQ $24, R12

rstep:
	STEP(0, 0)
	ADDQ BX, SI
	ADDQ CX, DI
	DECQ AX
	JNZ  rstep
	DECQ R13
	JNZ  rrun

rdone:
	MOVBLZX add+120(FP), AX
	TESTB AX, AX
	JZ   rstore
	VADDPS (DX), Y0, Y0
	VADDPS 32(DX), Y1, Y1
	VADDPS 64(DX), Y2, Y2
	VADDPS (R9), Y3, Y3
	VADDPS 32(R9), Y4, Y4
	VADDPS 64(R9), Y5, Y5
	VADDPS (R10), Y6, Y6
	VADDPS 32(R10), Y7, Y7
	VADDPS 64(R10), Y8, Y8
	VADDPS (R11), Y9, Y9
	VADDPS 32(R11), Y10, Y10
	VADDPS 64(R11), Y11, Y11

rstore:
	VMOVUPS Y0, (DX)
	VMOVUPS Y1, 32(DX)
	VMOVUPS Y2, 64(DX)
	VMOVUPS Y3, (R9)
	VMOVUPS Y4, 32(R9)
	VMOVUPS Y5, 64(R9)
	VMOVUPS Y6, (R10)
	VMOVUPS Y7, 32(R10)
	VMOVUPS Y8, 64(R10)
	VMOVUPS Y9, (R11)
	VMOVUPS Y10, 32(R11)
	VMOVUPS Y11, 64(R11)
	VZEROUPPER
	RET
