//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"

// BITS loads the exponent's bits and the sign's.
#define BITS \
	MOVW $0x7f800000, R9; \
	VDUP R9, V30.S4; \
	MOVW $0x80000000, R9; \
	VDUP R9, V31.S4

// NORMAL leaves the sign alone of a number in v that is too small for a normal one.
#define NORMAL(v) \
	VCMTST V30.S4, v.S4, V29.S4; \
	VORR V31.B16, V29.B16, V29.B16; \
	VAND V29.B16, v.B16, v.B16

// func joinBF16(dst []float32, ldd int, src []float32, lds, width, n int)
//
// Two rows at a time, four words at once.
TEXT ·joinBF16(SB), NOSPLIT, $0-80
	MOVD dst_base+0(FP), R0
	MOVD ldd+24(FP), R1
	MOVD src_base+32(FP), R2
	MOVD lds+56(FP), R3
	MOVD width+64(FP), R4
	MOVD n+72(FP), R5
	LSL  $2, R1
	LSL  $2, R3
	BITS
	CBZ  R4, joined
	CBZ  R5, joined

joinRow:
	MOVD R2, R6
	ADD  R3, R2, R7
	MOVD R0, R8
	MOVD R4, R10

joinFour:
	FMOVQ.P 16(R6), F0
	FMOVQ.P 16(R7), F1
	NORMAL(V0)
	NORMAL(V1)
	BFCVTN(0, 0)
	BFCVTN(1, 1)
	VZIP1 V1.H8, V0.H8, V0.H8
	FMOVQ.P F0, 16(R8)
	SUBS $4, R10
	BNE  joinFour
	ADD  R3<<1, R2
	ADD  R1, R0
	SUBS $1, R5
	BNE  joinRow

joined:
	RET

// func halveBF16(dst []float32, ldd int, src []float32, lds, lines, n int)
//
// Eight numbers at once: n is a multiple of eight.
TEXT ·halveBF16(SB), NOSPLIT, $0-80
	MOVD dst_base+0(FP), R0
	MOVD ldd+24(FP), R1
	MOVD src_base+32(FP), R2
	MOVD lds+56(FP), R3
	MOVD lines+64(FP), R4
	MOVD n+72(FP), R5
	LSL  $2, R1
	LSL  $2, R3
	BITS
	CBZ  R4, halved
	CBZ  R5, halved

halveLine:
	MOVD R2, R6
	MOVD R0, R8
	MOVD R5, R10

halveEight:
	FLDPQ.P 32(R6), (F0, F1)
	NORMAL(V0)
	NORMAL(V1)
	BFCVTN(0, 0)
	BFCVTN2(0, 1)
	FMOVQ.P F0, 16(R8)
	SUBS $8, R10
	BNE  halveEight
	ADD  R3, R2
	ADD  R1, R0
	SUBS $1, R4
	BNE  halveLine

halved:
	RET

// func zipPairs8(panel []float32, rows int)
//
// Two rows of eight words become four pairs of lines: the two words of one, and
// then those of the other.
TEXT ·zipPairs8(SB), NOSPLIT, $0-32
	MOVD panel_base+0(FP), R0
	MOVD rows+24(FP), R1
	CBZ  R1, zipped8

zip8:
	VLD1 (R0), [V0.S4, V1.S4, V2.S4, V3.S4]
	VZIP1 V2.S4, V0.S4, V4.S4
	VZIP2 V2.S4, V0.S4, V5.S4
	VZIP1 V3.S4, V1.S4, V6.S4
	VZIP2 V3.S4, V1.S4, V7.S4
	VST1.P [V4.S4, V5.S4, V6.S4, V7.S4], 64(R0)
	SUBS $2, R1
	BNE  zip8

zipped8:
	RET

// func zipPairs12(panel []float32, rows int)
//
// The same for rows of twelve words.
TEXT ·zipPairs12(SB), NOSPLIT, $0-32
	MOVD panel_base+0(FP), R0
	MOVD rows+24(FP), R1
	CBZ  R1, zipped12

zip12:
	ADD  $48, R0, R2
	VLD1 (R0), [V0.S4, V1.S4, V2.S4]
	VLD1 (R2), [V3.S4, V4.S4, V5.S4]
	VZIP1 V3.S4, V0.S4, V16.S4
	VZIP2 V3.S4, V0.S4, V17.S4
	VZIP1 V4.S4, V1.S4, V18.S4
	VZIP2 V4.S4, V1.S4, V19.S4
	VZIP1 V5.S4, V2.S4, V20.S4
	VZIP2 V5.S4, V2.S4, V21.S4
	VST1.P [V16.S4, V17.S4, V18.S4], 48(R0)
	VST1.P [V19.S4, V20.S4, V21.S4], 48(R0)
	SUBS $2, R1
	BNE  zip12

zipped12:
	RET
