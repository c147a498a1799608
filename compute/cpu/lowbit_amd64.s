//go:build !purego

#include "textflag.h"
#include "avxvnni_amd64.h"

// PANELS is the prologue of a product of small integers: CX is k, SI, DI and DX
// are a, b and the tile, R9 is where its sums start.
#define PANELS \
	MOVQ k+0(FP), CX; \
	MOVQ a_base+8(FP), SI; \
	MOVQ b_base+32(FP), DI; \
	MOVQ start_base+56(FP), R9; \
	MOVQ tile_base+80(FP), DX

#define START(r, x, y, z) \
	VPBROADCASTD (4*r)(R9), x; \
	VMOVDQA64 x, y; \
	VMOVDQA64 x, z

// LINE adds the products of word r of a and those of b to a row of the tile.
#define LINE(r, t, x, y, z) \
	VPBROADCASTD (4*r)(SI), t; \
	VPDPBUSD t, Z24, x; \
	VPDPBUSD t, Z25, y; \
	VPDPBUSD t, Z26, z

#define STORE(r, x, y, z) \
	VMOVDQU32 x, (192*r)(DX); \
	VMOVDQU32 y, (192*r+64)(DX); \
	VMOVDQU32 z, (192*r+128)(DX)

// func mulBytes8x48avx512vnni(k int, a, b []float32, start, tile []int32)
//
// Z0-Z23 hold the tile, three registers a row, as in mul8x48avx512; an
// instruction does four times as much. A row block's panels come from the
// second-level cache: they are fetched ahead, since the processor's own
// fetching ends at every page.
TEXT ·mulBytes8x48avx512vnni(SB), NOSPLIT, $0-104
	PANELS
	START(0, Z0, Z1, Z2)
	START(1, Z3, Z4, Z5)
	START(2, Z6, Z7, Z8)
	START(3, Z9, Z10, Z11)
	START(4, Z12, Z13, Z14)
	START(5, Z15, Z16, Z17)
	START(6, Z18, Z19, Z20)
	START(7, Z21, Z22, Z23)
	TESTQ CX, CX
	JZ   vdone

vloop:
	PREFETCHT0 1024(SI)
	VMOVDQU32 (DI), Z24
	VMOVDQU32 64(DI), Z25
	VMOVDQU32 128(DI), Z26
	LINE(0, Z27, Z0, Z1, Z2)
	LINE(1, Z28, Z3, Z4, Z5)
	LINE(2, Z29, Z6, Z7, Z8)
	LINE(3, Z30, Z9, Z10, Z11)
	LINE(4, Z27, Z12, Z13, Z14)
	LINE(5, Z28, Z15, Z16, Z17)
	LINE(6, Z29, Z18, Z19, Z20)
	LINE(7, Z30, Z21, Z22, Z23)
	ADDQ $32, SI
	ADDQ $192, DI
	DECQ CX
	JNZ  vloop

vdone:
	STORE(0, Z0, Z1, Z2)
	STORE(1, Z3, Z4, Z5)
	STORE(2, Z6, Z7, Z8)
	STORE(3, Z9, Z10, Z11)
	STORE(4, Z12, Z13, Z14)
	STORE(5, Z15, Z16, Z17)
	STORE(6, Z18, Z19, Z20)
	STORE(7, Z21, Z22, Z23)
	VZEROUPPER
	RET

#define START24(r, x, y, z) \
	VPBROADCASTD (4*r)(R9), x; \
	VMOVDQA x, y; \
	VMOVDQA x, z

#define STORE24(r, x, y, z) \
	VMOVDQU x, (96*r)(DX); \
	VMOVDQU y, (96*r+32)(DX); \
	VMOVDQU z, (96*r+64)(DX)

// func mulBytes4x24avxvnni(k int, a, b []float32, start, tile []int32)
//
// Y0-Y11 hold the tile, three registers a row.
TEXT ·mulBytes4x24avxvnni(SB), NOSPLIT, $0-104
	PANELS
	START24(0, Y0, Y1, Y2)
	START24(1, Y3, Y4, Y5)
	START24(2, Y6, Y7, Y8)
	START24(3, Y9, Y10, Y11)
	TESTQ CX, CX
	JZ   xdone

xloop:
	PREFETCHT0 1024(SI)
	VMOVDQU (DI), Y12
	VMOVDQU 32(DI), Y13
	VMOVDQU 64(DI), Y14
	VPBROADCASTD (SI), Y15
	VPDPBUSD_0_12_15
	VPDPBUSD_1_13_15
	VPDPBUSD_2_14_15
	VPBROADCASTD 4(SI), Y15
	VPDPBUSD_3_12_15
	VPDPBUSD_4_13_15
	VPDPBUSD_5_14_15
	VPBROADCASTD 8(SI), Y15
	VPDPBUSD_6_12_15
	VPDPBUSD_7_13_15
	VPDPBUSD_8_14_15
	VPBROADCASTD 12(SI), Y15
	VPDPBUSD_9_12_15
	VPDPBUSD_10_13_15
	VPDPBUSD_11_14_15
	ADDQ $16, SI
	ADDQ $96, DI
	DECQ CX
	JNZ  xloop

xdone:
	STORE24(0, Y0, Y1, Y2)
	STORE24(1, Y3, Y4, Y5)
	STORE24(2, Y6, Y7, Y8)
	STORE24(3, Y9, Y10, Y11)
	VZEROUPPER
	RET

// WORDS loads two vectors of b's words, and ONES makes sixteen 1s of 16 bits.
#define WORDS(b) \
	VMOVDQU (b)(DI), Y8; \
	VMOVDQU (b+32)(DI), Y9

#define ONES(x) \
	VPCMPEQW x, x, x; \
	VPSRLW $15, x, x

// SET16 sets a row's sums of two products, in 16 bits, and ADD16 adds them.
#define SET16(a, x, y) \
	VPBROADCASTD (a)(SI), Y10; \
	VPMADDUBSW Y10, Y8, x; \
	VPMADDUBSW Y10, Y9, y

#define ADD16(a, x, y) \
	VPBROADCASTD (a)(SI), Y10; \
	VPMADDUBSW Y10, Y8, Y11; \
	VPMADDUBSW Y10, Y9, Y12; \
	VPADDW Y11, x, x; \
	VPADDW Y12, y, y

#define STEP16(a, b) \
	WORDS(b); \
	ADD16(a, Y0, Y1); \
	ADD16(a+4, Y2, Y3); \
	ADD16(a+8, Y4, Y5); \
	ADD16(a+12, Y6, Y7)

// WIDEN adds a row's sums to the tile.
#define WIDEN(c, x, y) \
	VPMADDWD Y15, x, x; \
	VPMADDWD Y15, y, y; \
	VPADDD (c)(DX), x, x; \
	VPADDD (c+32)(DX), y, y; \
	VMOVDQU x, (c)(DX); \
	VMOVDQU y, (c+32)(DX)

#define WIDENALL \
	WIDEN(0, Y0, Y1); \
	WIDEN(64, Y2, Y3); \
	WIDEN(128, Y4, Y5); \
	WIDEN(192, Y6, Y7)

#define START16(r) \
	VPBROADCASTD (4*r)(R9), Y0; \
	VMOVDQU Y0, (64*r)(DX); \
	VMOVDQU Y0, (64*r+32)(DX)

// func mulBytes4x16avx2(k int, a, b []float32, start, tile []int32)
//
// Y0-Y7 hold sums of 16 bits, two registers a row: of eight words, and so of
// sixteen products of 6 bits, before they are widened and added to the tile.
TEXT ·mulBytes4x16avx2(SB), NOSPLIT, $0-104
	PANELS
	ONES(Y15)
	START16(0)
	START16(1)
	START16(2)
	START16(3)
	SUBQ $8, CX
	JLT  nrest

neight:
	PREFETCHT0 1024(SI)
	PREFETCHT0 1088(SI)
	WORDS(0)
	SET16(0, Y0, Y1)
	SET16(4, Y2, Y3)
	SET16(8, Y4, Y5)
	SET16(12, Y6, Y7)
	STEP16(16, 64)
	STEP16(32, 128)
	STEP16(48, 192)
	STEP16(64, 256)
	STEP16(80, 320)
	STEP16(96, 384)
	STEP16(112, 448)
	WIDENALL
	ADDQ $128, SI
	ADDQ $512, DI
	SUBQ $8, CX
	JGE  neight

nrest:
	ADDQ $8, CX
	JZ   ndone
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	VPXOR Y2, Y2, Y2
	VPXOR Y3, Y3, Y3
	VPXOR Y4, Y4, Y4
	VPXOR Y5, Y5, Y5
	VPXOR Y6, Y6, Y6
	VPXOR Y7, Y7, Y7

none:
	STEP16(0, 0)
	ADDQ $16, SI
	ADDQ $64, DI
	DECQ CX
	JNZ  none
	WIDENALL

ndone:
	VZEROUPPER
	RET

// ADD32 adds a row's products, widened at once.
#define ADD32(a, x, y) \
	VPBROADCASTD (a)(SI), Y10; \
	VPMADDUBSW Y10, Y8, Y11; \
	VPMADDUBSW Y10, Y9, Y12; \
	VPMADDWD Y15, Y11, Y11; \
	VPMADDWD Y15, Y12, Y12; \
	VPADDD Y11, x, x; \
	VPADDD Y12, y, y

#define START32(r, x, y) \
	VPBROADCASTD (4*r)(R9), x; \
	VMOVDQA x, y

#define STORE32(r, x, y) \
	VMOVDQU x, (64*r)(DX); \
	VMOVDQU y, (64*r+32)(DX)

// func mulBytes4x16avx2wide(k int, a, b []float32, start, tile []int32)
//
// Y0-Y7 hold the tile, two registers a row.
TEXT ·mulBytes4x16avx2wide(SB), NOSPLIT, $0-104
	PANELS
	ONES(Y15)
	START32(0, Y0, Y1)
	START32(1, Y2, Y3)
	START32(2, Y4, Y5)
	START32(3, Y6, Y7)
	TESTQ CX, CX
	JZ   wdone

wloop:
	PREFETCHT0 1024(SI)
	WORDS(0)
	ADD32(0, Y0, Y1)
	ADD32(4, Y2, Y3)
	ADD32(8, Y4, Y5)
	ADD32(12, Y6, Y7)
	ADDQ $16, SI
	ADDQ $64, DI
	DECQ CX
	JNZ  wloop

wdone:
	STORE32(0, Y0, Y1)
	STORE32(1, Y2, Y3)
	STORE32(2, Y4, Y5)
	STORE32(3, Y6, Y7)
	VZEROUPPER
	RET
