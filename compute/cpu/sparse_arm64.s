//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"

// Sums of lines: see sparseKernel.gather.

// GATHERARGS loads the arguments: R0 is y, R1 its length, R2 the lines, R3 their
// distance in bytes, R4 and R5 the indices and their number, R6 the values.
#define GATHERARGS \
	MOVD y_base+0(FP), R0; \
	MOVD y_len+8(FP), R1; \
	MOVD data_base+24(FP), R2; \
	MOVD ld+48(FP), R3; \
	MOVD idx_base+56(FP), R4; \
	MOVD idx_len+64(FP), R5; \
	MOVD vals_base+80(FP), R6; \
	LSL  $2, R3

#define ADDTOTALS4 \
	FADD4(8, 8, 0); \
	FADD4(9, 9, 1); \
	FADD4(10, 10, 2); \
	FADD4(11, 11, 3)

#define ADDTOTALS8 \
	ADDTOTALS4; \
	FADD4(12, 12, 4); \
	FADD4(13, 13, 5); \
	FADD4(14, 14, 6); \
	FADD4(15, 15, 7)

// START begins with the first of the terms: R7 is at the indices, R8 at the values,
// R9 is how many are left.
#define START \
	MOVD R4, R7; \
	MOVD R6, R8; \
	MOVD R5, R9

// func gatherNEON(y, data []float32, ld int, idx []int32, vals []float32)
//
// 32 examples at a time: V0 to V7 are the sums of the present KC block, V8 to V15 those
// of the KC blocks before it. The end of y is sixteen.
TEXT ·gatherNEON(SB), NOSPLIT, $0-104
	GATHERARGS

wide:
	CMP  $32, R1
	BLT  narrow
	CLEAR4(V0, V1, V2, V3)
	CLEAR4(V4, V5, V6, V7)
	CLEAR4(V8, V9, V10, V11)
	CLEAR4(V12, V13, V14, V15)
	START

wideLoop:
	CBZ  R9, wideDone
	MOVW.P 4(R7), R10
	TBZ  $31, R10, wideTerm
	ADDTOTALS8
	CLEAR4(V0, V1, V2, V3)
	CLEAR4(V4, V5, V6, V7)
	AND  $0x7fffffff, R10

wideTerm:
	MADD R3, R2, R10, R10
	VLD1R.P 4(R8), [V16.S4]
	VLD1.P 64(R10), [V17.S4, V18.S4, V19.S4, V20.S4]
	VLD1 (R10), [V21.S4, V22.S4, V23.S4, V24.S4]
	FMLA4(0, 16, 17)
	FMLA4(1, 16, 18)
	FMLA4(2, 16, 19)
	FMLA4(3, 16, 20)
	FMLA4(4, 16, 21)
	FMLA4(5, 16, 22)
	FMLA4(6, 16, 23)
	FMLA4(7, 16, 24)
	SUB  $1, R9
	B    wideLoop

wideDone:
	ADDTOTALS8
	VST1.P [V8.S4, V9.S4, V10.S4, V11.S4], 64(R0)
	VST1.P [V12.S4, V13.S4, V14.S4, V15.S4], 64(R0)
	ADD  $128, R2
	SUB  $32, R1
	B    wide

narrow:
	CBZ  R1, done
	CLEAR4(V0, V1, V2, V3)
	CLEAR4(V8, V9, V10, V11)
	START

narrowLoop:
	CBZ  R9, narrowDone
	MOVW.P 4(R7), R10
	TBZ  $31, R10, narrowTerm
	ADDTOTALS4
	CLEAR4(V0, V1, V2, V3)
	AND  $0x7fffffff, R10

narrowTerm:
	MADD R3, R2, R10, R10
	VLD1R.P 4(R8), [V16.S4]
	VLD1 (R10), [V17.S4, V18.S4, V19.S4, V20.S4]
	FMLA4(0, 16, 17)
	FMLA4(1, 16, 18)
	FMLA4(2, 16, 19)
	FMLA4(3, 16, 20)
	SUB  $1, R9
	B    narrowLoop

narrowDone:
	ADDTOTALS4
	VST1 [V8.S4, V9.S4, V10.S4, V11.S4], (R0)

done:
	RET

// PAIRS adds the products of one vector of words of each of two lines with the
// values in V24: the low halves' to lo, the high ones' to hi.
#define PAIRS(a, b, lo, hi) \
	VTRN1 b.H8, a.H8, V25.H8; \
	VTRN2 b.H8, a.H8, V26.H8; \
	BFDOT(lo, 25, 24); \
	BFDOT(hi, 26, 24)

// func gatherBF16(y, data []float32, ld int, idx []int32, vals []float32)
//
// Sixteen words of a line, 32 examples, at a time: V0 to V3 are the sums of the
// present KC block for the low halves, V4 to V7 for the high ones, V8 to V15 those of
// the KC blocks before it. Two inputs that are a pair of the dense product are added
// at once, as there; one alone beside zeros.
TEXT ·gatherBF16(SB), NOSPLIT, $0-104
	GATHERARGS

words:
	CMP  $32, R1
	BLT  wordsOver
	CLEAR4(V0, V1, V2, V3)
	CLEAR4(V4, V5, V6, V7)
	CLEAR4(V8, V9, V10, V11)
	CLEAR4(V12, V13, V14, V15)
	START

wordsLoop:
	CBZ  R9, wordsDone
	MOVW.P 4(R7), R10
	MOVWU.P 4(R8), R11
	SUB  $1, R9
	TBZ  $31, R10, wordsTerm
	ADDTOTALS8
	CLEAR4(V0, V1, V2, V3)
	CLEAR4(V4, V5, V6, V7)
	AND  $0x7fffffff, R10

wordsTerm:
	LSR  $16, R11
	CLEAR4(V20, V21, V22, V23)
	TBNZ $0, R10, alone
	CBZ  R9, alone
	MOVW (R7), R12
	ADD  $1, R10, R13
	CMP  R13, R12
	BNE  alone
	ADD  $4, R7
	MOVWU.P 4(R8), R13
	SUB  $1, R9
	AND  $0xffff0000, R13
	ORR  R13, R11
	MADD R3, R2, R12, R12
	VLD1 (R12), [V20.S4, V21.S4, V22.S4, V23.S4]

alone:
	VDUP R11, V24.S4
	MADD R3, R2, R10, R10
	VLD1 (R10), [V16.S4, V17.S4, V18.S4, V19.S4]
	PAIRS(V16, V20, 0, 4)
	PAIRS(V17, V21, 1, 5)
	PAIRS(V18, V22, 2, 6)
	PAIRS(V19, V23, 3, 7)
	B    wordsLoop

wordsDone:
	ADDTOTALS8
	VST1.P [V8.S4, V9.S4, V10.S4, V11.S4], 64(R0)
	VST1.P [V12.S4, V13.S4, V14.S4, V15.S4], 64(R0)
	ADD  $64, R2
	SUB  $32, R1
	B    words

wordsOver:
	RET
