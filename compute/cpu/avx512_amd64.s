//go:build !purego

#include "textflag.h"
#include "bfloat16_amd64.h"

// TILE is the prologue of a kernel of 8 x 48: the addresses, c on its way into
// the cache, and Z0-Z23 zero. SI, DI and DX are a, b and c, R8 is the distance
// of c's rows in bytes, CX is k.
#define TILE \
	MOVQ k+0(FP), CX; \
	MOVQ a_base+8(FP), SI; \
	MOVQ b_base+32(FP), DI; \
	MOVQ c_base+56(FP), DX; \
	MOVQ ldc+80(FP), R8; \
	SHLQ $2, R8; \
	MOVQ DX, R9; \
	FETCH; FETCH; FETCH; FETCH; FETCH; FETCH; FETCH; FETCH; \
	CLEAR(Z0, Z1, Z2); \
	CLEAR(Z3, Z4, Z5); \
	CLEAR(Z6, Z7, Z8); \
	CLEAR(Z9, Z10, Z11); \
	CLEAR(Z12, Z13, Z14); \
	CLEAR(Z15, Z16, Z17); \
	CLEAR(Z18, Z19, Z20); \
	CLEAR(Z21, Z22, Z23)

#define FETCH \
	PREFETCHT0 (R9); \
	PREFETCHT0 64(R9); \
	PREFETCHT0 128(R9); \
	PREFETCHT0 188(R9); \
	ADDQ R8, R9

#define CLEAR(x, y, z) \
	VPXORD x, x, x; \
	VPXORD y, y, y; \
	VPXORD z, z, z

// ADDROW and STOREROW add the next row of c to three registers, and store them
// there.
#define ADDROW(x, y, z) \
	VADDPS (R9), x, x; \
	VADDPS 64(R9), y, y; \
	VADDPS 128(R9), z, z; \
	ADDQ R8, R9

#define STOREROW(x, y, z) \
	VMOVUPS x, (DX); \
	VMOVUPS y, 64(DX); \
	VMOVUPS z, 128(DX); \
	ADDQ R8, DX

#define ADDTILE \
	MOVQ DX, R9; \
	ADDROW(Z0, Z1, Z2); \
	ADDROW(Z3, Z4, Z5); \
	ADDROW(Z6, Z7, Z8); \
	ADDROW(Z9, Z10, Z11); \
	ADDROW(Z12, Z13, Z14); \
	ADDROW(Z15, Z16, Z17); \
	ADDROW(Z18, Z19, Z20); \
	ADDROW(Z21, Z22, Z23)

#define STORETILE \
	STOREROW(Z0, Z1, Z2); \
	STOREROW(Z3, Z4, Z5); \
	STOREROW(Z6, Z7, Z8); \
	STOREROW(Z9, Z10, Z11); \
	STOREROW(Z12, Z13, Z14); \
	STOREROW(Z15, Z16, Z17); \
	STOREROW(Z18, Z19, Z20); \
	STOREROW(Z21, Z22, Z23)

// RUNS is the prologue of a kernel of 8 x 48 for runs, of which R9 and R10 are where
// they are and how many: R11 and BX are a and b, R12 and R13 the distances of their
// steps in bytes, DX and R8 as in TILE, and Z0-Z23 zero.
#define RUNS \
	MOVQ runs_base+0(FP), R9; \
	MOVQ runs_len+8(FP), R10; \
	MOVQ a_base+24(FP), R11; \
	MOVQ b_base+48(FP), BX; \
	MOVQ lda+72(FP), R12; \
	MOVQ ldb+80(FP), R13; \
	MOVQ c_base+88(FP), DX; \
	MOVQ ldc+112(FP), R8; \
	SHLQ $2, R12; \
	SHLQ $2, R13; \
	SHLQ $2, R8; \
	CLEAR(Z0, Z1, Z2); \
	CLEAR(Z3, Z4, Z5); \
	CLEAR(Z6, Z7, Z8); \
	CLEAR(Z9, Z10, Z11); \
	CLEAR(Z12, Z13, Z14); \
	CLEAR(Z15, Z16, Z17); \
	CLEAR(Z18, Z19, Z20); \
	CLEAR(Z21, Z22, Z23)

// NEXTRUN sets SI and DI to where a run begins, and CX to its steps.
#define NEXTRUN \
	MOVQ (R9), AX; \
	LEAQ (R11)(AX*4), SI; \
	MOVQ 8(R9), AX; \
	LEAQ (BX)(AX*4), DI; \
	MOVQ 16(R9), CX; \
	ADDQ $24, R9

// LOADS takes a step's 48 numbers of b, and fetches those of four steps on, and
// the numbers of a that are 96 steps on: a is read through once for each block
// of the destination, from the third-level cache, and the processor's own
// fetching ends at every page. Without it a wide layer's product took a quarter
// longer.
#define LOADS \
	PREFETCHT0 3072(SI); \
	VMOVUPS (DI), Z24; \
	VMOVUPS 64(DI), Z25; \
	VMOVUPS 128(DI), Z26; \
	PREFETCHT0 768(DI); \
	PREFETCHT0 832(DI); \
	PREFETCHT0 896(DI)

// ROW adds the product of number i of a and those of b to a row of the tile.
#define ROW(i, t, x, y, z) \
	VBROADCASTSS (4*i)(SI), t; \
	VFMADD231PS Z24, t, x; \
	VFMADD231PS Z25, t, y; \
	VFMADD231PS Z26, t, z

// STEP is a step of a panel of numbers, and PAIRSTEP one of a panel of pairs.
#define STEP \
	LOADS; \
	ROW(0, Z27, Z0, Z1, Z2); \
	ROW(1, Z28, Z3, Z4, Z5); \
	ROW(2, Z29, Z6, Z7, Z8); \
	ROW(3, Z30, Z9, Z10, Z11); \
	ROW(4, Z27, Z12, Z13, Z14); \
	ROW(5, Z28, Z15, Z16, Z17); \
	ROW(6, Z29, Z18, Z19, Z20); \
	ROW(7, Z30, Z21, Z22, Z23); \
	ADDQ $32, SI; \
	ADDQ $192, DI

#define PAIRSTEP \
	LOADS; \
	VBROADCASTSS (SI), Z27; \
	VDPBF16PS_0_27_24; \
	VDPBF16PS_1_27_25; \
	VDPBF16PS_2_27_26; \
	VBROADCASTSS 4(SI), Z28; \
	VDPBF16PS_3_28_24; \
	VDPBF16PS_4_28_25; \
	VDPBF16PS_5_28_26; \
	VBROADCASTSS 8(SI), Z29; \
	VDPBF16PS_6_29_24; \
	VDPBF16PS_7_29_25; \
	VDPBF16PS_8_29_26; \
	VBROADCASTSS 12(SI), Z30; \
	VDPBF16PS_9_30_24; \
	VDPBF16PS_10_30_25; \
	VDPBF16PS_11_30_26; \
	VBROADCASTSS 16(SI), Z27; \
	VDPBF16PS_12_27_24; \
	VDPBF16PS_13_27_25; \
	VDPBF16PS_14_27_26; \
	VBROADCASTSS 20(SI), Z28; \
	VDPBF16PS_15_28_24; \
	VDPBF16PS_16_28_25; \
	VDPBF16PS_17_28_26; \
	VBROADCASTSS 24(SI), Z29; \
	VDPBF16PS_18_29_24; \
	VDPBF16PS_19_29_25; \
	VDPBF16PS_20_29_26; \
	VBROADCASTSS 28(SI), Z30; \
	VDPBF16PS_21_30_24; \
	VDPBF16PS_22_30_25; \
	VDPBF16PS_23_30_26; \
	ADDQ $32, SI; \
	ADDQ $192, DI

// func mul8x48avx512(k int, a, b, c []float32, ldc int, add bool)
//
// Z0-Z23 hold the tile, three registers a row. Loads per step: three of b,
// eight broadcasts of a, for 24 multiply-adds.
TEXT ·mul8x48avx512(SB), NOSPLIT, $0-89
	TILE
	TESTQ CX, CX
	JZ   done

loop:
	STEP
	DECQ CX
	JNZ  loop

done:
	MOVBLZX add+88(FP), AX
	TESTB AX, AX
	JZ   store
	ADDTILE

store:
	STORETILE
	VZEROUPPER
	RET

// func mul8x48avx512bf16(k int, a, b, c []float32, ldc int, add bool)
//
// The same for panels of pairs: a step multiplies and adds twice.
TEXT ·mul8x48avx512bf16(SB), NOSPLIT, $0-89
	TILE
	TESTQ CX, CX
	JZ   pdone

ploop:
	PAIRSTEP
	DECQ CX
	JNZ  ploop

pdone:
	MOVBLZX add+88(FP), AX
	TESTB AX, AX
	JZ   pstore
	ADDTILE

pstore:
	STORETILE
	VZEROUPPER
	RET

// CHAINROW adds a chain's row to the next row of c, where the chains before it are,
// and begins another.
#define CHAINROW(x, y, z) \
	VADDPS (R9), x, x; \
	VMOVUPS x, (R9); \
	VADDPS 64(R9), y, y; \
	VMOVUPS y, 64(R9); \
	VADDPS 128(R9), z, z; \
	VMOVUPS z, 128(R9); \
	ADDQ R8, R9; \
	CLEAR(x, y, z)

// func chains8x48avx512(k int, a, b, c []float32, ldc int)
//
// Z0-Z23 are the sums of a chain: see kernel.chains.
TEXT ·chains8x48avx512(SB), NOSPLIT, $0-88
	TILE
	MOVQ DX, R10
	STORETILE
	MOVQ $16, R12

chain:
	MOVQ CX, AX

step:
	STEP
	DECQ AX
	JNZ  step
	MOVQ R10, R9
	CHAINROW(Z0, Z1, Z2)
	CHAINROW(Z3, Z4, Z5)
	CHAINROW(Z6, Z7, Z8)
	CHAINROW(Z9, Z10, Z11)
	CHAINROW(Z12, Z13, Z14)
	CHAINROW(Z15, Z16, Z17)
	CHAINROW(Z18, Z19, Z20)
	CHAINROW(Z21, Z22, Z23)
	DECQ R12
	JNZ  chain
	VZEROUPPER
	RET

// func chains8x48avx512bf16(k int, a, b, c []float32, ldc int)
//
// The same for panels of pairs.
TEXT ·chains8x48avx512bf16(SB), NOSPLIT, $0-88
	TILE
	MOVQ DX, R10
	STORETILE
	MOVQ $16, R12

pchain:
	MOVQ CX, AX

pstep:
	PAIRSTEP
	DECQ AX
	JNZ  pstep
	MOVQ R10, R9
	CHAINROW(Z0, Z1, Z2)
	CHAINROW(Z3, Z4, Z5)
	CHAINROW(Z6, Z7, Z8)
	CHAINROW(Z9, Z10, Z11)
	CHAINROW(Z12, Z13, Z14)
	CHAINROW(Z15, Z16, Z17)
	CHAINROW(Z18, Z19, Z20)
	CHAINROW(Z21, Z22, Z23)
	DECQ R12
	JNZ  pchain
	VZEROUPPER
	RET

// func runs8x48avx512(runs []run, a, b []float32, lda, ldb int, c []float32, ldc int, add bool)
//
// The tile and its loads are those of mul8x48avx512.
TEXT ·runs8x48avx512(SB), NOSPLIT, $0-121
	RUNS
	TESTQ R10, R10
	JZ   rdone

rrun:
	NEXTRUN

rstep:
	VMOVUPS (DI), Z24
	VMOVUPS 64(DI), Z25
	VMOVUPS 128(DI), Z26
	ROW(0, Z27, Z0, Z1, Z2)
	ROW(1, Z28, Z3, Z4, Z5)
	ROW(2, Z29, Z6, Z7, Z8)
	ROW(3, Z30, Z9, Z10, Z11)
	ROW(4, Z27, Z12, Z13, Z14)
	ROW(5, Z28, Z15, Z16, Z17)
	ROW(6, Z29, Z18, Z19, Z20)
	ROW(7, Z30, Z21, Z22, Z23)
	ADDQ R12, SI
	ADDQ R13, DI
	DECQ CX
	JNZ  rstep
	DECQ R10
	JNZ  rrun

rdone:
	MOVBLZX add+120(FP), AX
	TESTB AX, AX
	JZ   rstore
	ADDTILE

rstore:
	STORETILE
	VZEROUPPER
	RET

// func runs8x48avx512bf16(runs []run, a, b []float32, lda, ldb int, c []float32, ldc int, add bool)
//
// The same for words of pairs.
TEXT ·runs8x48avx512bf16(SB), NOSPLIT, $0-121
	RUNS
	TESTQ R10, R10
	JZ   qdone

qrun:
	NEXTRUN

qstep:
	VMOVUPS (DI), Z24
	VMOVUPS 64(DI), Z25
	VMOVUPS 128(DI), Z26
	VBROADCASTSS (SI), Z27
	VDPBF16PS_0_27_24
	VDPBF16PS_1_27_25
	VDPBF16PS_2_27_26
	VBROADCASTSS 4(SI), Z28
	VDPBF16PS_3_28_24
	VDPBF16PS_4_28_25
	VDPBF16PS_5_28_26
	VBROADCASTSS 8(SI), Z29
	VDPBF16PS_6_29_24
	VDPBF16PS_7_29_25
	VDPBF16PS_8_29_26
	VBROADCASTSS 12(SI), Z30
	VDPBF16PS_9_30_24
	VDPBF16PS_10_30_25
	VDPBF16PS_11_30_26
	VBROADCASTSS 16(SI), Z27
	VDPBF16PS_12_27_24
	VDPBF16PS_13_27_25
	VDPBF16PS_14_27_26
	VBROADCASTSS 20(SI), Z28
	VDPBF16PS_15_28_24
	VDPBF16PS_16_28_25
	VDPBF16PS_17_28_26
	VBROADCASTSS 24(SI), Z29
	VDPBF16PS_18_29_24
	VDPBF16PS_19_29_25
	VDPBF16PS_20_29_26
	VBROADCASTSS 28(SI), Z30
	VDPBF16PS_21_30_24
	VDPBF16PS_22_30_25
	VDPBF16PS_23_30_26
	ADDQ R12, SI
	ADDQ R13, DI
	DECQ CX
	JNZ  qstep
	DECQ R10
	JNZ  qrun

qdone:
	MOVBLZX add+120(FP), AX
	TESTB AX, AX
	JZ   qstore
	ADDTILE

qstore:
	STORETILE
	VZEROUPPER
	RET

// EXCHANGE4 turns four rows of sixteen, in place: each 128-bit lane of the j-th
// register then is column 4·lane + j of the four.
#define EXCHANGE4(x, y, z, w, t0, t1, t2, t3) \
	VUNPCKLPS y, x, t0; \
	VUNPCKHPS y, x, t1; \
	VUNPCKLPS w, z, t2; \
	VUNPCKHPS w, z, t3; \
	VUNPCKLPD t2, t0, x; \
	VUNPCKHPD t2, t0, y; \
	VUNPCKLPD t3, t1, z; \
	VUNPCKHPD t3, t1, w

// LANES4 turns what EXCHANGE4 left of four groups of rows into whole columns, four
// apart, and stores them, the first at (R12).
#define LANES4(x, y, z, w) \
	VSHUFF32X4 $0x88, y, x, Z16; \
	VSHUFF32X4 $0xdd, y, x, Z17; \
	VSHUFF32X4 $0x88, w, z, Z18; \
	VSHUFF32X4 $0xdd, w, z, Z19; \
	VSHUFF32X4 $0x88, Z18, Z16, Z20; \
	VSHUFF32X4 $0x88, Z19, Z17, Z21; \
	VSHUFF32X4 $0xdd, Z18, Z16, Z22; \
	VSHUFF32X4 $0xdd, Z19, Z17, Z23; \
	MOVQ R12, R13; \
	VMOVUPS Z20, (R13); \
	ADDQ R10, R13; \
	VMOVUPS Z21, (R13); \
	ADDQ R10, R13; \
	VMOVUPS Z22, (R13); \
	ADDQ R10, R13; \
	VMOVUPS Z23, (R13)

// NEXT2 loads two rows.
#define NEXT2(x, y) \
	VMOVUPS (AX), x; \
	VMOVUPS (AX)(R9*1), y; \
	LEAQ (AX)(R9*2), AX

// func transpose16avx512(dst []float32, ldd int, src []float32, lds, n int)
//
// For n blocks of sixteen: dst[j*ldd + i] = src[i*lds + j], i in 0..15, j in
// 0..16n-1. Every line of the cache is read and written once and whole: with
// rows a power of two apart they all want the same few places there.
TEXT ·transpose16avx512(SB), NOSPLIT, $0-72
	MOVQ dst_base+0(FP), DI
	MOVQ ldd+24(FP), R8
	MOVQ src_base+32(FP), SI
	MOVQ lds+56(FP), R9
	MOVQ n+64(FP), CX
	SHLQ $2, R8
	SHLQ $2, R9
	LEAQ (R8*4), R10
	LEAQ (R10*4), R11
	TESTQ CX, CX
	JZ   tdone

tloop:
	MOVQ SI, AX
	NEXT2(Z0, Z1)
	NEXT2(Z2, Z3)
	NEXT2(Z4, Z5)
	NEXT2(Z6, Z7)
	NEXT2(Z8, Z9)
	NEXT2(Z10, Z11)
	NEXT2(Z12, Z13)
	NEXT2(Z14, Z15)
	EXCHANGE4(Z0, Z1, Z2, Z3, Z16, Z17, Z18, Z19)
	EXCHANGE4(Z4, Z5, Z6, Z7, Z20, Z21, Z22, Z23)
	EXCHANGE4(Z8, Z9, Z10, Z11, Z24, Z25, Z26, Z27)
	EXCHANGE4(Z12, Z13, Z14, Z15, Z28, Z29, Z30, Z31)
	MOVQ DI, R12
	LANES4(Z0, Z4, Z8, Z12)
	ADDQ R8, R12
	LANES4(Z1, Z5, Z9, Z13)
	ADDQ R8, R12
	LANES4(Z2, Z6, Z10, Z14)
	ADDQ R8, R12
	LANES4(Z3, Z7, Z11, Z15)
	ADDQ R11, DI
	ADDQ $64, SI
	DECQ CX
	JNZ  tloop

tdone:
	VZEROUPPER
	RET
