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

// func mul8x48avx512(k int, a, b, c []float32, ldc int, add bool)
//
// Z0-Z23 hold the tile, three registers a row. Loads per step: three of b,
// eight broadcasts of a, for 24 multiply-adds.
TEXT ·mul8x48avx512(SB), NOSPLIT, $0-89
	TILE
	TESTQ CX, CX
	JZ   done

loop:
	LOADS
	ROW(0, Z27, Z0, Z1, Z2)
	ROW(1, Z28, Z3, Z4, Z5)
	ROW(2, Z29, Z6, Z7, Z8)
	ROW(3, Z30, Z9, Z10, Z11)
	ROW(4, Z27, Z12, Z13, Z14)
	ROW(5, Z28, Z15, Z16, Z17)
	ROW(6, Z29, Z18, Z19, Z20)
	ROW(7, Z30, Z21, Z22, Z23)
	ADDQ $32, SI
	ADDQ $192, DI
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
	LOADS
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
	ADDQ $32, SI
	ADDQ $192, DI
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
