//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"

// Products of lines, summed in chains: see sparseKernel.dots.

// DOTARGS loads the arguments: R0 is g, R1 dy, R2 the lines, R3 their words, R4 the
// indices, R5 the number of groups of four.
#define DOTARGS \
	MOVD g_base+0(FP), R0; \
	MOVD dy_base+24(FP), R1; \
	MOVD data_base+48(FP), R2; \
	MOVD ld+72(FP), R3; \
	MOVD idx_base+80(FP), R4; \
	MOVD idx_len+88(FP), R5; \
	LSR  $2, R5; \
	LSL  $2, R3, R12

// POINT is the line of the next index.
#define POINT(r) \
	MOVW.P 4(R4), r; \
	AND  $0x7fffffff, r; \
	MADD R12, R2, r, r

#define GROUP \
	POINT(R6); \
	POINT(R7); \
	POINT(R8); \
	POINT(R9); \
	MOVD R1, R10; \
	MOVD R3, R11; \
	CLEAR4(V0, V1, V2, V3); \
	CLEAR4(V4, V5, V6, V7); \
	CLEAR4(V8, V9, V10, V11); \
	CLEAR4(V12, V13, V14, V15)

// FOURCHAINS adds four chains of four products to V24.
#define FOURCHAINS(a, b, c, d) \
	VTRN1 b.S4, a.S4, V16.S4; \
	VTRN2 b.S4, a.S4, V17.S4; \
	VTRN1 d.S4, c.S4, V18.S4; \
	VTRN2 d.S4, c.S4, V19.S4; \
	VZIP1 V18.D2, V16.D2, V20.D2; \
	VZIP1 V19.D2, V17.D2, V21.D2; \
	VZIP2 V18.D2, V16.D2, V22.D2; \
	VZIP2 V19.D2, V17.D2, V23.D2; \
	FADD4(24, 24, 20); \
	FADD4(24, 24, 21); \
	FADD4(24, 24, 22); \
	FADD4(24, 24, 23)

// ADDCHAINS stores the sums of the sixteen chains of four products, from the first
// to the last.
#define ADDCHAINS \
	VEOR V24.B16, V24.B16, V24.B16; \
	FOURCHAINS(V0, V4, V8, V12); \
	FOURCHAINS(V1, V5, V9, V13); \
	FOURCHAINS(V2, V6, V10, V14); \
	FOURCHAINS(V3, V7, V11, V15); \
	FMOVQ.P F24, 16(R0)

// func dotsNEON(g, dy, data []float32, ld int, idx []int32)
//
// Four products at a time; the number of indices is a multiple of four.
TEXT ·dotsNEON(SB), NOSPLIT, $0-104
	DOTARGS
	CBZ  R5, dotDone

dotGroup:
	GROUP

dotLoop:
	VLD1.P 64(R10), [V16.S4, V17.S4, V18.S4, V19.S4]
	VLD1.P 64(R6), [V20.S4, V21.S4, V22.S4, V23.S4]
	VLD1.P 64(R7), [V24.S4, V25.S4, V26.S4, V27.S4]
	FMLA4(0, 16, 20)
	FMLA4(1, 17, 21)
	FMLA4(2, 18, 22)
	FMLA4(3, 19, 23)
	VLD1.P 64(R8), [V20.S4, V21.S4, V22.S4, V23.S4]
	FMLA4(4, 16, 24)
	FMLA4(5, 17, 25)
	FMLA4(6, 18, 26)
	FMLA4(7, 19, 27)
	VLD1.P 64(R9), [V24.S4, V25.S4, V26.S4, V27.S4]
	FMLA4(8, 16, 20)
	FMLA4(9, 17, 21)
	FMLA4(10, 18, 22)
	FMLA4(11, 19, 23)
	FMLA4(12, 16, 24)
	FMLA4(13, 17, 25)
	FMLA4(14, 18, 26)
	FMLA4(15, 19, 27)
	SUBS $16, R11
	BNE  dotLoop
	ADDCHAINS
	SUBS $1, R5
	BNE  dotGroup

dotDone:
	RET

// func dotsBF16(g, dy, data []float32, ld int, idx []int32)
//
// The same for lines of words.
TEXT ·dotsBF16(SB), NOSPLIT, $0-104
	DOTARGS
	CBZ  R5, wordDotDone

wordDotGroup:
	GROUP

wordDotLoop:
	VLD1.P 64(R10), [V16.S4, V17.S4, V18.S4, V19.S4]
	VLD1.P 64(R6), [V20.S4, V21.S4, V22.S4, V23.S4]
	VLD1.P 64(R7), [V24.S4, V25.S4, V26.S4, V27.S4]
	BFDOT(0, 16, 20)
	BFDOT(1, 17, 21)
	BFDOT(2, 18, 22)
	BFDOT(3, 19, 23)
	VLD1.P 64(R8), [V20.S4, V21.S4, V22.S4, V23.S4]
	BFDOT(4, 16, 24)
	BFDOT(5, 17, 25)
	BFDOT(6, 18, 26)
	BFDOT(7, 19, 27)
	VLD1.P 64(R9), [V24.S4, V25.S4, V26.S4, V27.S4]
	BFDOT(8, 16, 20)
	BFDOT(9, 17, 21)
	BFDOT(10, 18, 22)
	BFDOT(11, 19, 23)
	BFDOT(12, 16, 24)
	BFDOT(13, 17, 25)
	BFDOT(14, 18, 26)
	BFDOT(15, 19, 27)
	SUBS $16, R11
	BNE  wordDotLoop
	ADDCHAINS
	SUBS $1, R5
	BNE  wordDotGroup

wordDotDone:
	RET
