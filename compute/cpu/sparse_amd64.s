//go:build !purego

#include "textflag.h"
#include "bfloat16_amd64.h"

// The inner loops of sparse layers: see sparseKernel.

// GATHERARGS loads the arguments: DI is y, CX its length, SI the lines, R8 their
// distance in bytes, R9 and R10 the indices and their number, R11 the values.
#define GATHERARGS \
	MOVQ y_base+0(FP), DI; \
	MOVQ y_len+8(FP), CX; \
	MOVQ data_base+24(FP), SI; \
	MOVQ ld+48(FP), R8; \
	MOVQ idx_base+56(FP), R9; \
	MOVQ idx_len+64(FP), R10; \
	MOVQ vals_base+80(FP), R11; \
	SHLQ $2, R8

#define CLEARSUMS \
	VPXORD Z0, Z0, Z0; \
	VPXORD Z1, Z1, Z1; \
	VPXORD Z2, Z2, Z2; \
	VPXORD Z3, Z3, Z3; \
	VPXORD Z4, Z4, Z4; \
	VPXORD Z5, Z5, Z5; \
	VPXORD Z6, Z6, Z6; \
	VPXORD Z7, Z7, Z7

#define CLEARTOTALS \
	VPXORD Z8, Z8, Z8; \
	VPXORD Z9, Z9, Z9; \
	VPXORD Z10, Z10, Z10; \
	VPXORD Z11, Z11, Z11; \
	VPXORD Z12, Z12, Z12; \
	VPXORD Z13, Z13, Z13; \
	VPXORD Z14, Z14, Z14; \
	VPXORD Z15, Z15, Z15

#define ADDTOTALS \
	VADDPS Z0, Z8, Z8; \
	VADDPS Z1, Z9, Z9; \
	VADDPS Z2, Z10, Z10; \
	VADDPS Z3, Z11, Z11; \
	VADDPS Z4, Z12, Z12; \
	VADDPS Z5, Z13, Z13; \
	VADDPS Z6, Z14, Z14; \
	VADDPS Z7, Z15, Z15

#define STORETOTALS \
	VMOVUPS Z8, 0(DI); \
	VMOVUPS Z9, 64(DI); \
	VMOVUPS Z10, 128(DI); \
	VMOVUPS Z11, 192(DI); \
	VMOVUPS Z12, 256(DI); \
	VMOVUPS Z13, 320(DI); \
	VMOVUPS Z14, 384(DI); \
	VMOVUPS Z15, 448(DI)

// WORDS makes Z30 the word with weight AX in its high half, Z29 that with it in its low
// half, and DX, an index, its line.
#define WORDS \
	IMULQ R8, DX; \
	VPBROADCASTD (R11)(AX*4), Z30; \
	ADDQ SI, DX; \
	VPSRLD $16, Z30, Z29

// TERMS32, TERMS128 and TERMS192 add the products of as many examples.
#define TERMS32 \
	VMOVDQU32 (DX), Z24; \
	VDPBF16PS_0_29_24; \
	VDPBF16PS_1_30_24

#define TERMS128 \
	TERMS32; \
	VMOVDQU32 64(DX), Z25; \
	VDPBF16PS_2_29_25; \
	VDPBF16PS_3_30_25; \
	VMOVDQU32 128(DX), Z26; \
	VDPBF16PS_4_29_26; \
	VDPBF16PS_5_30_26; \
	VMOVDQU32 192(DX), Z27; \
	VDPBF16PS_6_29_27; \
	VDPBF16PS_7_30_27

#define TERMS192 \
	TERMS128; \
	VMOVDQU32 256(DX), Z28; \
	VDPBF16PS_8_29_28; \
	VDPBF16PS_9_30_28; \
	VMOVDQU32 320(DX), Z24; \
	VDPBF16PS_10_29_24; \
	VDPBF16PS_11_30_24

#define CLEAR192 \
	CLEARSUMS; \
	VPXORD Z8, Z8, Z8; \
	VPXORD Z9, Z9, Z9; \
	VPXORD Z10, Z10, Z10; \
	VPXORD Z11, Z11, Z11

#define CLEARTOTALS192 \
	VPXORD Z12, Z12, Z12; \
	VPXORD Z13, Z13, Z13; \
	VPXORD Z14, Z14, Z14; \
	VPXORD Z15, Z15, Z15; \
	VPXORD Z16, Z16, Z16; \
	VPXORD Z17, Z17, Z17; \
	VPXORD Z18, Z18, Z18; \
	VPXORD Z19, Z19, Z19; \
	VPXORD Z20, Z20, Z20; \
	VPXORD Z21, Z21, Z21; \
	VPXORD Z22, Z22, Z22; \
	VPXORD Z23, Z23, Z23

#define ADD192 \
	VADDPS Z0, Z12, Z12; \
	VADDPS Z1, Z13, Z13; \
	VADDPS Z2, Z14, Z14; \
	VADDPS Z3, Z15, Z15; \
	VADDPS Z4, Z16, Z16; \
	VADDPS Z5, Z17, Z17; \
	VADDPS Z6, Z18, Z18; \
	VADDPS Z7, Z19, Z19; \
	VADDPS Z8, Z20, Z20; \
	VADDPS Z9, Z21, Z21; \
	VADDPS Z10, Z22, Z22; \
	VADDPS Z11, Z23, Z23

#define STORE192 \
	VMOVUPS Z12, (DI); \
	VMOVUPS Z13, 64(DI); \
	VMOVUPS Z14, 128(DI); \
	VMOVUPS Z15, 192(DI); \
	VMOVUPS Z16, 256(DI); \
	VMOVUPS Z17, 320(DI); \
	VMOVUPS Z18, 384(DI); \
	VMOVUPS Z19, 448(DI); \
	VMOVUPS Z20, 512(DI); \
	VMOVUPS Z21, 576(DI); \
	VMOVUPS Z22, 640(DI); \
	VMOVUPS Z23, 704(DI)

// DOTARGS loads the arguments: DI is g, SI dy, DX the lines, R8 their distance in
// bytes, R9 the indices, CX the number of groups of eight.
#define DOTARGS \
	MOVQ g_base+0(FP), DI; \
	MOVQ dy_base+24(FP), SI; \
	MOVQ data_base+48(FP), DX; \
	MOVQ ld+72(FP), R8; \
	MOVQ idx_base+80(FP), R9; \
	MOVQ idx_len+88(FP), CX; \
	SHLQ $2, R8; \
	SHRQ $3, CX

// POINT is the line of index i.
#define POINT(i, r) \
	MOVL (4*i)(R9), r; \
	ANDL $0x3fffffff, r; \
	IMULQ R8, r; \
	ADDQ DX, r

// COLUMNS turns eight rows of eight, in place, with eight more registers.
#define COLUMNS(a, b, c, d, e, f, g, h, s, t, u, v, w, x, y, z) \
	VUNPCKLPS b, a, s; \
	VUNPCKHPS b, a, t; \
	VUNPCKLPS d, c, u; \
	VUNPCKHPS d, c, v; \
	VUNPCKLPS f, e, w; \
	VUNPCKHPS f, e, x; \
	VUNPCKLPS h, g, y; \
	VUNPCKHPS h, g, z; \
	VUNPCKLPD u, s, a; \
	VUNPCKHPD u, s, b; \
	VUNPCKLPD v, t, c; \
	VUNPCKHPD v, t, d; \
	VUNPCKLPD y, w, e; \
	VUNPCKHPD y, w, f; \
	VUNPCKLPD z, x, g; \
	VUNPCKHPD z, x, h; \
	VPERM2F128 $0x20, e, a, s; \
	VPERM2F128 $0x20, f, b, t; \
	VPERM2F128 $0x20, g, c, u; \
	VPERM2F128 $0x20, h, d, v; \
	VPERM2F128 $0x31, e, a, w; \
	VPERM2F128 $0x31, f, b, x; \
	VPERM2F128 $0x31, g, c, y; \
	VPERM2F128 $0x31, h, d, z

#define LOWCHAINS \
	VMOVUPS sums-512(SP), Y0; \
	VMOVUPS sums-448(SP), Y1; \
	VMOVUPS sums-384(SP), Y2; \
	VMOVUPS sums-320(SP), Y3; \
	VMOVUPS sums-256(SP), Y4; \
	VMOVUPS sums-192(SP), Y5; \
	VMOVUPS sums-128(SP), Y6; \
	VMOVUPS sums-64(SP), Y7; \
	COLUMNS(Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11, Y12, Y13, Y14, Y15)

#define HIGHCHAINS \
	VMOVUPS sums-480(SP), Y0; \
	VMOVUPS sums-416(SP), Y1; \
	VMOVUPS sums-352(SP), Y2; \
	VMOVUPS sums-288(SP), Y3; \
	VMOVUPS sums-224(SP), Y4; \
	VMOVUPS sums-160(SP), Y5; \
	VMOVUPS sums-96(SP), Y6; \
	VMOVUPS sums-32(SP), Y7; \
	COLUMNS(Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11, Y12, Y13, Y14, Y15)

// ADDSEVEN adds the other seven columns to the first one and stores that at (DI).
#define ADDSEVEN \
	VADDPS Y9, Y8, Y8; \
	VADDPS Y10, Y8, Y8; \
	VADDPS Y11, Y8, Y8; \
	VADDPS Y12, Y8, Y8; \
	VADDPS Y13, Y8, Y8; \
	VADDPS Y14, Y8, Y8; \
	VADDPS Y15, Y8, Y8; \
	VMOVUPS Y8, (DI)

// ADDCHAINS adds the sixteen chains of eight sums, from the first to the last, and
// stores the eight at (DI). Sums are taken to and from the stack in between.
#define ADDCHAINS \
	LOWCHAINS; \
	ADDSEVEN; \
	HIGHCHAINS; \
	VADDPS (DI), Y8, Y8; \
	ADDSEVEN; \
	ADDQ $32, DI; \
	ADDQ $32, R9

#define STORESUMS \
	VMOVUPS Z0, sums-512(SP); \
	VMOVUPS Z1, sums-448(SP); \
	VMOVUPS Z2, sums-384(SP); \
	VMOVUPS Z3, sums-320(SP); \
	VMOVUPS Z4, sums-256(SP); \
	VMOVUPS Z5, sums-192(SP); \
	VMOVUPS Z6, sums-128(SP); \
	VMOVUPS Z7, sums-64(SP)

#define POINTS \
	POINT(0, AX); \
	POINT(1, BX); \
	POINT(2, R10); \
	POINT(3, R11); \
	POINT(4, R12); \
	POINT(5, R13); \
	POINT(6, R14); \
	POINT(7, R15)

#define CLEARSUMS2 \
	VXORPS Y0, Y0, Y0; \
	VXORPS Y1, Y1, Y1; \
	VXORPS Y2, Y2, Y2; \
	VXORPS Y3, Y3, Y3; \
	VXORPS Y4, Y4, Y4; \
	VXORPS Y5, Y5, Y5; \
	VXORPS Y6, Y6, Y6; \
	VXORPS Y7, Y7, Y7

#define ADDTOTALS2 \
	VADDPS totals-256(SP), Y0, Y0; \
	VADDPS totals-224(SP), Y1, Y1; \
	VADDPS totals-192(SP), Y2, Y2; \
	VADDPS totals-160(SP), Y3, Y3; \
	VADDPS totals-128(SP), Y4, Y4; \
	VADDPS totals-96(SP), Y5, Y5; \
	VADDPS totals-64(SP), Y6, Y6; \
	VADDPS totals-32(SP), Y7, Y7

#define KEEPTOTALS2 \
	VMOVUPS Y0, totals-256(SP); \
	VMOVUPS Y1, totals-224(SP); \
	VMOVUPS Y2, totals-192(SP); \
	VMOVUPS Y3, totals-160(SP); \
	VMOVUPS Y4, totals-128(SP); \
	VMOVUPS Y5, totals-96(SP); \
	VMOVUPS Y6, totals-64(SP); \
	VMOVUPS Y7, totals-32(SP)

// func gatherAVX512(y, data []float32, ld int, idx []int32, vals []float32)
//
// 128 examples at a time: Z0-Z7 are the sums of the present KC block, Z8-Z15 those of
// the KC blocks before it. The end of y is done by sixteens.
TEXT ·gatherAVX512(SB), NOSPLIT, $0-104
	GATHERARGS

wide:
	CMPQ CX, $128
	JLT  narrow
	CLEARSUMS
	CLEARTOTALS
	XORQ AX, AX

wideLoop:
	CMPQ AX, R10
	JGE  wideDone
	MOVLQSX (R9)(AX*4), DX
	TESTQ DX, DX
	JS   wideDepth

wideTerm:
	IMULQ R8, DX
	ADDQ SI, DX
	VBROADCASTSS (R11)(AX*4), Z16
	VFMADD231PS 0(DX), Z16, Z0
	VFMADD231PS 64(DX), Z16, Z1
	VFMADD231PS 128(DX), Z16, Z2
	VFMADD231PS 192(DX), Z16, Z3
	VFMADD231PS 256(DX), Z16, Z4
	VFMADD231PS 320(DX), Z16, Z5
	VFMADD231PS 384(DX), Z16, Z6
	VFMADD231PS 448(DX), Z16, Z7
	INCQ AX
	JMP  wideLoop

wideDepth:
	ADDTOTALS
	CLEARSUMS
	ANDL $0x7fffffff, DX
	JMP  wideTerm

wideDone:
	ADDTOTALS
	STORETOTALS
	ADDQ $512, DI
	ADDQ $512, SI
	SUBQ $128, CX
	JMP  wide

narrow:
	CMPQ CX, $16
	JLT  done
	VPXORD Z0, Z0, Z0
	VPXORD Z8, Z8, Z8
	XORQ AX, AX

narrowLoop:
	CMPQ AX, R10
	JGE  narrowDone
	MOVLQSX (R9)(AX*4), DX
	TESTQ DX, DX
	JNS  narrowTerm
	VADDPS Z0, Z8, Z8
	VPXORD Z0, Z0, Z0
	ANDL $0x7fffffff, DX

narrowTerm:
	IMULQ R8, DX
	VBROADCASTSS (R11)(AX*4), Z16
	VFMADD231PS (SI)(DX*1), Z16, Z0
	INCQ AX
	JMP  narrowLoop

narrowDone:
	VADDPS Z0, Z8, Z8
	VMOVUPS Z8, (DI)
	ADDQ $64, DI
	ADDQ $64, SI
	SUBQ $16, CX
	JMP  narrow

done:
	VZEROUPPER
	RET

// func gatherPairsAVX512(y, data []float32, ld int, idx []int32, vals []float32)
//
// The same for lines of words, 192, 128 or 32 examples at a time. VDPBF16PS with a
// weight in one half of each word and 0 in the other adds to the sums of that half's
// examples. What it adds for the other half is 0, and changes no sum.
TEXT ·gatherPairsAVX512(SB), NOSPLIT, $0-104
	GATHERARGS

pchoose:
	CMPQ CX, $320 // and not 256, which is twice 128
	JGE  pwidest
	CMPQ CX, $192
	JEQ  pwidest
	CMPQ CX, $128
	JGE  pwide
	CMPQ CX, $32
	JGE  pnarrow
	VZEROUPPER
	RET

pwidest:
	CLEAR192
	CLEARTOTALS192
	XORQ AX, AX

pwidestLoop:
	CMPQ AX, R10
	JGE  pwidestDone
	MOVLQSX (R9)(AX*4), DX
	TESTQ DX, DX
	JS   pwidestDepth

pwidestTerm:
	WORDS
	TERMS192
	INCQ AX
	JMP  pwidestLoop

pwidestDepth:
	ADD192
	CLEAR192
	ANDL $0x7fffffff, DX
	JMP  pwidestTerm

pwidestDone:
	ADD192
	STORE192
	ADDQ $768, DI
	ADDQ $384, SI
	SUBQ $192, CX
	JMP  pchoose

pwide:
	CLEARSUMS
	CLEARTOTALS
	XORQ AX, AX

pwideLoop:
	CMPQ AX, R10
	JGE  pwideDone
	MOVLQSX (R9)(AX*4), DX
	TESTQ DX, DX
	JS   pwideDepth

pwideTerm:
	WORDS
	TERMS128
	INCQ AX
	JMP  pwideLoop

pwideDepth:
	ADDTOTALS
	CLEARSUMS
	ANDL $0x7fffffff, DX
	JMP  pwideTerm

pwideDone:
	ADDTOTALS
	STORETOTALS
	ADDQ $512, DI
	ADDQ $256, SI
	SUBQ $128, CX
	JMP  pchoose

pnarrow:
	VPXORD Z0, Z0, Z0
	VPXORD Z1, Z1, Z1
	VPXORD Z8, Z8, Z8
	VPXORD Z9, Z9, Z9
	XORQ AX, AX

pnarrowLoop:
	CMPQ AX, R10
	JGE  pnarrowDone
	MOVLQSX (R9)(AX*4), DX
	TESTQ DX, DX
	JS   pnarrowDepth

pnarrowTerm:
	WORDS
	TERMS32
	INCQ AX
	JMP  pnarrowLoop

pnarrowDepth:
	VADDPS Z0, Z8, Z8
	VADDPS Z1, Z9, Z9
	VPXORD Z0, Z0, Z0
	VPXORD Z1, Z1, Z1
	ANDL $0x7fffffff, DX
	JMP  pnarrowTerm

pnarrowDone:
	VADDPS Z0, Z8, Z8
	VADDPS Z1, Z9, Z9
	VMOVUPS Z8, (DI)
	VMOVUPS Z9, 64(DI)
	ADDQ $128, DI
	ADDQ $64, SI
	SUBQ $32, CX
	JMP  pchoose

// func dotsAVX512(g, dy, data []float32, ld int, idx []int32)
//
// Eight products at a time; the number of indices is a multiple of eight.
TEXT ·dotsAVX512(SB), NOSPLIT, $512-104
	DOTARGS
	TESTQ CX, CX
	JZ   dotDone

dotGroup:
	POINTS
	CLEARSUMS
	XORQ DX, DX

dotLoop:
	VMOVUPS (SI)(DX*1), Z8
	VFMADD231PS (AX)(DX*1), Z8, Z0
	VFMADD231PS (BX)(DX*1), Z8, Z1
	VFMADD231PS (R10)(DX*1), Z8, Z2
	VFMADD231PS (R11)(DX*1), Z8, Z3
	VFMADD231PS (R12)(DX*1), Z8, Z4
	VFMADD231PS (R13)(DX*1), Z8, Z5
	VFMADD231PS (R14)(DX*1), Z8, Z6
	VFMADD231PS (R15)(DX*1), Z8, Z7
	ADDQ $64, DX
	CMPQ DX, R8
	JLT  dotLoop
	STORESUMS
	ADDCHAINS
	MOVQ data_base+48(FP), DX
	DECQ CX
	JNZ  dotGroup

dotDone:
	VZEROUPPER
	RET

// func dotsPairsAVX512(g, dy, data []float32, ld int, idx []int32)
//
// The same for lines of words.
TEXT ·dotsPairsAVX512(SB), NOSPLIT, $512-104
	DOTARGS
	TESTQ CX, CX
	JZ   pdotDone

pdotGroup:
	POINTS
	CLEARSUMS
	XORQ DX, DX

pdotLoop:
	VMOVDQU32 (SI)(DX*1), Z8
	VMOVDQU32 (AX)(DX*1), Z16
	VDPBF16PS_0_8_16
	VMOVDQU32 (BX)(DX*1), Z17
	VDPBF16PS_1_8_17
	VMOVDQU32 (R10)(DX*1), Z18
	VDPBF16PS_2_8_18
	VMOVDQU32 (R11)(DX*1), Z19
	VDPBF16PS_3_8_19
	VMOVDQU32 (R12)(DX*1), Z20
	VDPBF16PS_4_8_20
	VMOVDQU32 (R13)(DX*1), Z21
	VDPBF16PS_5_8_21
	VMOVDQU32 (R14)(DX*1), Z22
	VDPBF16PS_6_8_22
	VMOVDQU32 (R15)(DX*1), Z23
	VDPBF16PS_7_8_23
	ADDQ $64, DX
	CMPQ DX, R8
	JLT  pdotLoop
	STORESUMS
	ADDCHAINS
	MOVQ data_base+48(FP), DX
	DECQ CX
	JNZ  pdotGroup

pdotDone:
	VZEROUPPER
	RET

// FLUSH makes what is too small for a normal float32 zero, as AMX does it; UNFLUSH ends
// that.
#define FLUSH(old, new) \
	STMXCSR old; \
	MOVL old, AX; \
	ORL $0x8040, AX; \
	MOVL AX, new; \
	LDMXCSR new

// HALVES makes Z26 and Z27 the numbers of sixteen words.
#define HALVES(words) \
	VMOVDQU32 words, Z25; \
	VPSLLD $16, Z25, Z26; \
	VPANDD Z31, Z25, Z27

#define ADDTERM(words, low, high) \
	HALVES(words); \
	VFMADD231PS Z26, Z24, low; \
	VFMADD231PS Z27, Z24, high

#define SETTERM(words, low, high) \
	HALVES(words); \
	VMULPS Z26, Z24, low; \
	VMULPS Z27, Z24, high

#define ADDTERMS128 \
	ADDTERM(0(DX), Z8, Z9); \
	ADDTERM(64(DX), Z10, Z11); \
	ADDTERM(128(DX), Z12, Z13); \
	ADDTERM(192(DX), Z14, Z15)

#define SETTERMS128 \
	SETTERM(0(DX), Z8, Z9); \
	SETTERM(64(DX), Z10, Z11); \
	SETTERM(128(DX), Z12, Z13); \
	SETTERM(192(DX), Z14, Z15)

// ODDS adds the sums of the odd steps to those of the even ones.
#define ODDS \
	VADDPS Z8, Z16, Z8; \
	VADDPS Z9, Z17, Z9; \
	VADDPS Z10, Z18, Z10; \
	VADDPS Z11, Z19, Z11; \
	VADDPS Z12, Z20, Z12; \
	VADDPS Z13, Z21, Z13; \
	VADDPS Z14, Z22, Z14; \
	VADDPS Z15, Z23, Z15

#define EVENS \
	VMOVAPS Z8, Z16; \
	VMOVAPS Z9, Z17; \
	VMOVAPS Z10, Z18; \
	VMOVAPS Z11, Z19; \
	VMOVAPS Z12, Z20; \
	VMOVAPS Z13, Z21; \
	VMOVAPS Z14, Z22; \
	VMOVAPS Z15, Z23

#define ADDTILE \
	VADDPS Z8, Z0, Z0; \
	VADDPS Z9, Z1, Z1; \
	VADDPS Z10, Z2, Z2; \
	VADDPS Z11, Z3, Z3; \
	VADDPS Z12, Z4, Z4; \
	VADDPS Z13, Z5, Z5; \
	VADDPS Z14, Z6, Z6; \
	VADDPS Z15, Z7, Z7

// WEIGHT makes Z24 weight AX, and DX, an index with marks, its line.
#define WEIGHT \
	ANDL $0x3fffffff, DX; \
	IMULQ R8, DX; \
	VBROADCASTSS (R11)(AX*4), Z24; \
	ADDQ SI, DX

// func gatherTiles16(y, data []float32, ld int, idx []int32, vals []float32, add bool)
//
// Of lines of words, in the order of TDPBF16PS, 128 or 32 examples at a time: Z8-Z15 are
// the sums of a tile's even steps or of its odd ones, Z16-Z23 those of its even ones
// meanwhile, Z0-Z7 those of the tiles before it, with add from what y has.
TEXT ·gatherTiles16(SB), NOSPLIT, $8-105
	GATHERARGS
	FLUSH(old-8(SP), new-4(SP))
	MOVL $0xffff0000, AX
	VPBROADCASTD AX, Z31

achoose:
	CMPQ CX, $128
	JGE  awide
	CMPQ CX, $32
	JGE  anarrow
	LDMXCSR old-8(SP)
	VZEROUPPER
	RET

awide:
	CLEARSUMS
	CLEARTOTALS
	XORQ AX, AX
	CMPB add+104(FP), $0
	JEQ  aevenLoop
	VMOVUPS 0(DI), Z0
	VMOVUPS 64(DI), Z1
	VMOVUPS 128(DI), Z2
	VMOVUPS 192(DI), Z3
	VMOVUPS 256(DI), Z4
	VMOVUPS 320(DI), Z5
	VMOVUPS 384(DI), Z6
	VMOVUPS 448(DI), Z7

aevenLoop:
	CMPQ AX, R10
	JGE  aevenDone
	MOVLQSX (R9)(AX*4), DX
	TESTQ DX, DX
	JS   aevenMark
	WEIGHT
	ADDTERMS128
	INCQ AX
	JMP  aevenLoop

aevenMark:
	TESTL $0x40000000, DX
	JNZ  asecond
	ADDTILE
	WEIGHT
	SETTERMS128
	INCQ AX
	JMP  aevenLoop

asecond:
	EVENS
	WEIGHT
	SETTERMS128
	INCQ AX

aoddLoop:
	CMPQ AX, R10
	JGE  aoddDone
	MOVLQSX (R9)(AX*4), DX
	TESTQ DX, DX
	JS   aoddMark
	WEIGHT
	ADDTERMS128
	INCQ AX
	JMP  aoddLoop

aoddMark:
	ODDS
	ADDTILE
	WEIGHT
	SETTERMS128
	INCQ AX
	JMP  aevenLoop

aoddDone:
	ODDS

aevenDone:
	ADDTILE
	VMOVUPS Z0, 0(DI)
	VMOVUPS Z1, 64(DI)
	VMOVUPS Z2, 128(DI)
	VMOVUPS Z3, 192(DI)
	VMOVUPS Z4, 256(DI)
	VMOVUPS Z5, 320(DI)
	VMOVUPS Z6, 384(DI)
	VMOVUPS Z7, 448(DI)
	ADDQ $512, DI
	ADDQ $256, SI
	SUBQ $128, CX
	JMP  achoose

anarrow:
	VPXORD Z0, Z0, Z0
	VPXORD Z1, Z1, Z1
	VPXORD Z8, Z8, Z8
	VPXORD Z9, Z9, Z9
	XORQ AX, AX
	CMPB add+104(FP), $0
	JEQ  nevenLoop
	VMOVUPS (DI), Z0
	VMOVUPS 64(DI), Z1

nevenLoop:
	CMPQ AX, R10
	JGE  nevenDone
	MOVLQSX (R9)(AX*4), DX
	TESTQ DX, DX
	JS   nevenMark
	WEIGHT
	ADDTERM(0(DX), Z8, Z9)
	INCQ AX
	JMP  nevenLoop

nevenMark:
	TESTL $0x40000000, DX
	JNZ  nsecond
	VADDPS Z8, Z0, Z0
	VADDPS Z9, Z1, Z1
	WEIGHT
	SETTERM(0(DX), Z8, Z9)
	INCQ AX
	JMP  nevenLoop

nsecond:
	VMOVAPS Z8, Z16
	VMOVAPS Z9, Z17
	WEIGHT
	SETTERM(0(DX), Z8, Z9)
	INCQ AX

noddLoop:
	CMPQ AX, R10
	JGE  noddDone
	MOVLQSX (R9)(AX*4), DX
	TESTQ DX, DX
	JS   noddMark
	WEIGHT
	ADDTERM(0(DX), Z8, Z9)
	INCQ AX
	JMP  noddLoop

noddMark:
	VADDPS Z8, Z16, Z8
	VADDPS Z9, Z17, Z9
	VADDPS Z8, Z0, Z0
	VADDPS Z9, Z1, Z1
	WEIGHT
	SETTERM(0(DX), Z8, Z9)
	INCQ AX
	JMP  nevenLoop

noddDone:
	VADDPS Z8, Z16, Z8
	VADDPS Z9, Z17, Z9

nevenDone:
	VADDPS Z8, Z0, Z0
	VADDPS Z9, Z1, Z1
	VMOVUPS Z0, (DI)
	VMOVUPS Z1, 64(DI)
	ADDQ $128, DI
	ADDQ $64, SI
	SUBQ $32, CX
	JMP  achoose

#define DOT(line, low, high) \
	HALVES((line)(DX*1)); \
	VFMADD231PS Z26, Z24, low; \
	VFMADD231PS Z27, Z28, high

// func dotsAMX(g, dy, data []float32, ld int, idx []int32)
//
// Eight products at a time, of lines of words, 512 examples at a time: Z0-Z7 are the
// sums of the low halves, Z8-Z15 those of the high ones.
TEXT ·dotsAMX(SB), NOSPLIT, $544-104
	DOTARGS
	FLUSH(old-544(SP), new-540(SP))
	MOVL $0xffff0000, AX
	VPBROADCASTD AX, Z31
	TESTQ CX, CX
	JZ   adotDone

adotGroup:
	MOVQ CX, groups-536(SP)
	POINTS
	VPXORD Z0, Z0, Z0
	VMOVUPS Y0, (DI)
	XORQ DX, DX

adotPart:
	LEAQ 1024(DX), CX
	CMPQ CX, R8
	CMOVQGT R8, CX
	CLEARSUMS
	CLEARTOTALS

adotLoop:
	VMOVDQU32 (SI)(DX*1), Z25
	VPSLLD $16, Z25, Z24
	VPANDD Z31, Z25, Z28
	DOT(AX, Z0, Z8)
	DOT(BX, Z1, Z9)
	DOT(R10, Z2, Z10)
	DOT(R11, Z3, Z11)
	DOT(R12, Z4, Z12)
	DOT(R13, Z5, Z13)
	DOT(R14, Z6, Z14)
	DOT(R15, Z7, Z15)
	ADDQ $64, DX
	CMPQ DX, CX
	JLT  adotLoop
	ADDTILE
	STORESUMS
	LOWCHAINS
	VADDPS (DI), Y8, Y8
	ADDSEVEN
	HIGHCHAINS
	VADDPS (DI), Y8, Y8
	ADDSEVEN
	CMPQ DX, R8
	JLT  adotPart
	ADDQ $32, DI
	ADDQ $32, R9
	MOVQ data_base+48(FP), DX
	MOVQ groups-536(SP), CX
	DECQ CX
	JNZ  adotGroup

adotDone:
	LDMXCSR old-544(SP)
	VZEROUPPER
	RET

// func splitPairsAVX512(lo, hi, line []float32)
TEXT ·splitPairsAVX512(SB), NOSPLIT, $0-72
	MOVQ lo_base+0(FP), DI
	MOVQ hi_base+24(FP), DX
	MOVQ line_base+48(FP), SI
	MOVQ line_len+56(FP), CX
	MOVL $0xffff0000, AX
	VPBROADCASTD AX, Z31
	SHRQ $4, CX
	JZ   splitDone

splitLoop:
	VMOVDQU32 (SI), Z0
	VPSLLD $16, Z0, Z1
	VPANDD Z31, Z0, Z0
	VMOVDQU32 Z1, (DI)
	VMOVDQU32 Z0, (DX)
	ADDQ $64, SI
	ADDQ $64, DI
	ADDQ $64, DX
	DECQ CX
	JNZ  splitLoop

splitDone:
	VZEROUPPER
	RET

// func squaresPairsAVX512(lanes *[16]float32, line []float32)
TEXT ·squaresPairsAVX512(SB), NOSPLIT, $0-32
	MOVQ lanes+0(FP), DI
	MOVQ line_base+8(FP), SI
	MOVQ line_len+16(FP), CX
	SHRQ $4, CX
	VPXORD Z0, Z0, Z0
	JZ   squaresDone

squaresLoop:
	VMOVDQU32 (SI), Z8
	VMOVDQA32 Z8, Z16
	VDPBF16PS_0_8_16
	ADDQ $64, SI
	DECQ CX
	JNZ  squaresLoop

squaresDone:
	VMOVUPS Z0, (DI)
	VZEROUPPER
	RET

// func gatherAVX2(y, data []float32, ld int, idx []int32, vals []float32)
//
// 64 examples at a time: Y0-Y7 are the sums of the present KC block; those of the
// KC blocks before it are on the stack.
TEXT ·gatherAVX2(SB), NOSPLIT, $256-104
	GATHERARGS

wide2:
	CMPQ CX, $64
	JLT  narrow2
	CLEARSUMS2
	KEEPTOTALS2
	XORQ AX, AX

wideLoop2:
	CMPQ AX, R10
	JGE  wideDone2
	MOVLQSX (R9)(AX*4), DX
	TESTQ DX, DX
	JS   wideDepth2

wideTerm2:
	IMULQ R8, DX
	ADDQ SI, DX
	VBROADCASTSS (R11)(AX*4), Y8
	VFMADD231PS 0(DX), Y8, Y0
	VFMADD231PS 32(DX), Y8, Y1
	VFMADD231PS 64(DX), Y8, Y2
	VFMADD231PS 96(DX), Y8, Y3
	VFMADD231PS 128(DX), Y8, Y4
	VFMADD231PS 160(DX), Y8, Y5
	VFMADD231PS 192(DX), Y8, Y6
	VFMADD231PS 224(DX), Y8, Y7
	INCQ AX
	JMP  wideLoop2

wideDepth2:
	ADDTOTALS2
	KEEPTOTALS2
	CLEARSUMS2
	ANDL $0x7fffffff, DX
	JMP  wideTerm2

wideDone2:
	ADDTOTALS2
	VMOVUPS Y0, 0(DI)
	VMOVUPS Y1, 32(DI)
	VMOVUPS Y2, 64(DI)
	VMOVUPS Y3, 96(DI)
	VMOVUPS Y4, 128(DI)
	VMOVUPS Y5, 160(DI)
	VMOVUPS Y6, 192(DI)
	VMOVUPS Y7, 224(DI)
	ADDQ $256, DI
	ADDQ $256, SI
	SUBQ $64, CX
	JMP  wide2

narrow2:
	CMPQ CX, $8
	JLT  done2
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	XORQ AX, AX

narrowLoop2:
	CMPQ AX, R10
	JGE  narrowDone2
	MOVLQSX (R9)(AX*4), DX
	TESTQ DX, DX
	JNS  narrowTerm2
	VADDPS Y0, Y1, Y1
	VXORPS Y0, Y0, Y0
	ANDL $0x7fffffff, DX

narrowTerm2:
	IMULQ R8, DX
	VBROADCASTSS (R11)(AX*4), Y8
	VFMADD231PS (SI)(DX*1), Y8, Y0
	INCQ AX
	JMP  narrowLoop2

narrowDone2:
	VADDPS Y0, Y1, Y1
	VMOVUPS Y1, (DI)
	ADDQ $32, DI
	ADDQ $32, SI
	SUBQ $8, CX
	JMP  narrow2

done2:
	VZEROUPPER
	RET

// func dotsAVX2(g, dy, data []float32, ld int, idx []int32)
//
// Eight products at a time, four by four; the number of indices is a multiple of
// eight.
TEXT ·dotsAVX2(SB), NOSPLIT, $512-104
	DOTARGS
	TESTQ CX, CX
	JZ   dotDone2

dotGroup2:
	POINTS
	CLEARSUMS2
	XORQ DX, DX

dotLoop2a:
	VMOVUPS (SI)(DX*1), Y8
	VMOVUPS 32(SI)(DX*1), Y9
	VFMADD231PS (AX)(DX*1), Y8, Y0
	VFMADD231PS 32(AX)(DX*1), Y9, Y1
	VFMADD231PS (BX)(DX*1), Y8, Y2
	VFMADD231PS 32(BX)(DX*1), Y9, Y3
	VFMADD231PS (R10)(DX*1), Y8, Y4
	VFMADD231PS 32(R10)(DX*1), Y9, Y5
	VFMADD231PS (R11)(DX*1), Y8, Y6
	VFMADD231PS 32(R11)(DX*1), Y9, Y7
	ADDQ $64, DX
	CMPQ DX, R8
	JLT  dotLoop2a
	VMOVUPS Y0, sums-512(SP)
	VMOVUPS Y1, sums-480(SP)
	VMOVUPS Y2, sums-448(SP)
	VMOVUPS Y3, sums-416(SP)
	VMOVUPS Y4, sums-384(SP)
	VMOVUPS Y5, sums-352(SP)
	VMOVUPS Y6, sums-320(SP)
	VMOVUPS Y7, sums-288(SP)
	CLEARSUMS2
	XORQ DX, DX

dotLoop2b:
	VMOVUPS (SI)(DX*1), Y8
	VMOVUPS 32(SI)(DX*1), Y9
	VFMADD231PS (R12)(DX*1), Y8, Y0
	VFMADD231PS 32(R12)(DX*1), Y9, Y1
	VFMADD231PS (R13)(DX*1), Y8, Y2
	VFMADD231PS 32(R13)(DX*1), Y9, Y3
	VFMADD231PS (R14)(DX*1), Y8, Y4
	VFMADD231PS 32(R14)(DX*1), Y9, Y5
	VFMADD231PS (R15)(DX*1), Y8, Y6
	VFMADD231PS 32(R15)(DX*1), Y9, Y7
	ADDQ $64, DX
	CMPQ DX, R8
	JLT  dotLoop2b
	VMOVUPS Y0, sums-256(SP)
	VMOVUPS Y1, sums-224(SP)
	VMOVUPS Y2, sums-192(SP)
	VMOVUPS Y3, sums-160(SP)
	VMOVUPS Y4, sums-128(SP)
	VMOVUPS Y5, sums-96(SP)
	VMOVUPS Y6, sums-64(SP)
	VMOVUPS Y7, sums-32(SP)
	ADDCHAINS
	MOVQ data_base+48(FP), DX
	DECQ CX
	JNZ  dotGroup2

dotDone2:
	VZEROUPPER
	RET
