//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"

// TILEARGS loads the arguments: R0 is k, R1, R2 and R3 are a, b and c, R4 is the
// distance of c's rows in bytes, R5 is add. The tile of c is fetched meanwhile.
#define TILEARGS \
	MOVD k+0(FP), R0; \
	MOVD a_base+8(FP), R1; \
	MOVD b_base+32(FP), R2; \
	MOVD c_base+56(FP), R3; \
	MOVD ldc+80(FP), R4; \
	MOVBU add+88(FP), R5; \
	LSL  $2, R4; \
	MOVD R3, R6; \
	FETCH; FETCH; FETCH; FETCH; FETCH; FETCH; FETCH; FETCH

#define FETCH \
	PRFM (R6), PLDL1KEEP; \
	PRFM 40(R6), PLDL1KEEP; \
	ADD R4, R6

#define CLEARTILE \
	CLEAR4(V0, V1, V2, V3); \
	CLEAR4(V4, V5, V6, V7); \
	CLEAR4(V8, V9, V10, V11); \
	CLEAR4(V12, V13, V14, V15); \
	CLEAR4(V16, V17, V18, V19); \
	CLEAR4(V20, V21, V22, V23)

// ROW adds the products of element i of a register of a and the step's numbers of
// b, V24 to V26, to a row of the tile.
#define ROW(x, y, z, a, i) \
	FMLAE(x, 24, a, i); \
	FMLAE(y, 25, a, i); \
	FMLAE(z, 26, a, i)

// STEP multiplies and adds one step of k: five loads for 24 instructions of four
// multiply-adds each.
#define STEP(a, b) \
	FLDPQ a(R1), (F27, F28); \
	FLDPQ b(R2), (F24, F25); \
	FMOVQ (b+32)(R2), F26; \
	ROW(0, 1, 2, 27, 0); \
	ROW(3, 4, 5, 27, 1); \
	ROW(6, 7, 8, 27, 2); \
	ROW(9, 10, 11, 27, 3); \
	ROW(12, 13, 14, 28, 0); \
	ROW(15, 16, 17, 28, 1); \
	ROW(18, 19, 20, 28, 2); \
	ROW(21, 22, 23, 28, 3)

// ADDROW adds the next row of c to three registers; STOREROW stores them there.
#define ADDROW(x, y, z) \
	VLD1 (R6), [V24.S4, V25.S4, V26.S4]; \
	ADD R4, R6; \
	FADD4(x, x, 24); \
	FADD4(y, y, 25); \
	FADD4(z, z, 26)

#define STOREROW(x, y, z) \
	VST1 [x.S4, y.S4, z.S4], (R3); \
	ADD R4, R3

// func mul8x12neon(k int, a, b, c []float32, ldc int, add bool)
//
// V0 to V23 hold the tile, three registers a row. Four steps of k are taken at a
// time.
TEXT ·mul8x12neon(SB), NOSPLIT, $0-89
	TILEARGS
	CLEARTILE
	SUBS $4, R0
	BLT  rest

four:
	PRFM 1024(R1), PLDL1KEEP
	PRFM 1088(R1), PLDL1KEEP
	PRFM 768(R2), PLDL1KEEP
	PRFM 832(R2), PLDL1KEEP
	PRFM 896(R2), PLDL1KEEP
	STEP(0, 0)
	STEP(32, 48)
	STEP(64, 96)
	STEP(96, 144)
	ADD  $128, R1
	ADD  $192, R2
	SUBS $4, R0
	BGE  four

rest:
	ADDS $4, R0
	BEQ  done

one:
	STEP(0, 0)
	ADD  $32, R1
	ADD  $48, R2
	SUBS $1, R0
	BNE  one

done:
	CBZ  R5, store
	MOVD R3, R6
	ADDROW(0, 1, 2)
	ADDROW(3, 4, 5)
	ADDROW(6, 7, 8)
	ADDROW(9, 10, 11)
	ADDROW(12, 13, 14)
	ADDROW(15, 16, 17)
	ADDROW(18, 19, 20)
	ADDROW(21, 22, 23)

store:
	STOREROW(V0, V1, V2)
	STOREROW(V3, V4, V5)
	STOREROW(V6, V7, V8)
	STOREROW(V9, V10, V11)
	STOREROW(V12, V13, V14)
	STOREROW(V15, V16, V17)
	STOREROW(V18, V19, V20)
	STOREROW(V21, V22, V23)
	RET

// func runs8x12neon(runs []run, a, b []float32, lda, ldb int, c []float32, ldc int, add bool)
//
// R7 and R8 are the runs and how many they are, R11 and R12 a and b, R9 and R10 the
// distances of their steps in bytes.
TEXT ·runs8x12neon(SB), NOSPLIT, $0-121
	MOVD runs_base+0(FP), R7
	MOVD runs_len+8(FP), R8
	MOVD a_base+24(FP), R11
	MOVD b_base+48(FP), R12
	MOVD lda+72(FP), R9
	MOVD ldb+80(FP), R10
	MOVD c_base+88(FP), R3
	MOVD ldc+112(FP), R4
	MOVBU add+120(FP), R5
	LSL  $2, R9
	LSL  $2, R10
	LSL  $2, R4
	CLEARTILE
	CBZ  R8, rdone

rrun:
	MOVD (R7), R1
	MOVD 8(R7), R2
	MOVD 16(R7), R0
	ADD  $24, R7
	ADD  R1<<2, R11, R1
	ADD  R2<<2, R12, R2

rstep:
	STEP(0, 0)
	ADD  R9, R1
	ADD  R10, R2
	SUBS $1, R0
	BNE  rstep
	SUBS $1, R8
	BNE  rrun

rdone:
	CBZ  R5, rstore
	MOVD R3, R6
	ADDROW(0, 1, 2)
	ADDROW(3, 4, 5)
	ADDROW(6, 7, 8)
	ADDROW(9, 10, 11)
	ADDROW(12, 13, 14)
	ADDROW(15, 16, 17)
	ADDROW(18, 19, 20)
	ADDROW(21, 22, 23)

rstore:
	STOREROW(V0, V1, V2)
	STOREROW(V3, V4, V5)
	STOREROW(V6, V7, V8)
	STOREROW(V9, V10, V11)
	STOREROW(V12, V13, V14)
	STOREROW(V15, V16, V17)
	STOREROW(V18, V19, V20)
	STOREROW(V21, V22, V23)
	RET

// FOURROWS adds to four accumulators, one of each pair of rows, the products with a
// pair of columns of b.
#define FOURROWS(b, p, q, r, s) \
	BFMMLA(p, 24, b); \
	BFMMLA(q, 25, b); \
	BFMMLA(r, 26, b); \
	BFMMLA(s, 27, b)

// STEP4 multiplies and adds four steps of k: ten loads for 24 instructions of
// sixteen multiply-adds each.
#define STEP4(a, b) \
	FLDPQ a(R1), (F24, F25); \
	FLDPQ (a+32)(R1), (F26, F27); \
	FLDPQ b(R2), (F28, F29); \
	FLDPQ (b+32)(R2), (F30, F31); \
	FOURROWS(28, 0, 6, 12, 18); \
	FOURROWS(29, 1, 7, 13, 19); \
	FLDPQ (b+64)(R2), (F28, F29); \
	FOURROWS(30, 2, 8, 14, 20); \
	FOURROWS(31, 3, 9, 15, 21); \
	FOURROWS(28, 4, 10, 16, 22); \
	FOURROWS(29, 5, 11, 17, 23)

// TWOROWS makes two rows of c of the six accumulators of a pair, in V24 to V26 and
// V27 to V29, adds c's present numbers where R5 says so, and stores them.
#define TWOROWS(u, v, w, x, y, z) \
	VZIP1 v.D2, u.D2, V24.D2; \
	VZIP2 v.D2, u.D2, V27.D2; \
	VZIP1 x.D2, w.D2, V25.D2; \
	VZIP2 x.D2, w.D2, V28.D2; \
	VZIP1 z.D2, y.D2, V26.D2; \
	VZIP2 z.D2, y.D2, V29.D2; \
	ADD  R4, R3, R6; \
	CBZ  R5, 9(PC); \
	VLD1 (R3), [V0.S4, V1.S4, V2.S4]; \
	VLD1 (R6), [V3.S4, V4.S4, V5.S4]; \
	FADD4(24, 24, 0); \
	FADD4(25, 25, 1); \
	FADD4(26, 26, 2); \
	FADD4(27, 27, 3); \
	FADD4(28, 28, 4); \
	FADD4(29, 29, 5); \
	VST1 [V24.S4, V25.S4, V26.S4], (R3); \
	VST1 [V27.S4, V28.S4, V29.S4], (R6); \
	ADD  R4, R6, R3

// func mul8x12bf16(k int, a, b, c []float32, ldc int, add bool)
//
// V0 to V23 hold the tile in squares of two rows and two columns, six for each pair
// of rows. Panels are as zipPairs arranges them, and k is even.
TEXT ·mul8x12bf16(SB), NOSPLIT, $0-89
	TILEARGS
	CLEARTILE
	SUBS $4, R0
	BLT  rest4

eight:
	PRFM 1024(R1), PLDL1KEEP
	PRFM 1088(R1), PLDL1KEEP
	PRFM 768(R2), PLDL1KEEP
	PRFM 832(R2), PLDL1KEEP
	PRFM 896(R2), PLDL1KEEP
	STEP4(0, 0)
	STEP4(64, 96)
	ADD  $128, R1
	ADD  $192, R2
	SUBS $4, R0
	BGE  eight

rest4:
	ADDS $4, R0
	BEQ  done4
	STEP4(0, 0)

done4:
	TWOROWS(V0, V1, V2, V3, V4, V5)
	TWOROWS(V6, V7, V8, V9, V10, V11)
	TWOROWS(V12, V13, V14, V15, V16, V17)
	TWOROWS(V18, V19, V20, V21, V22, V23)
	RET

// func peakNEON(rounds int)
//
// 24 sums of four, as in a tile of 8 x 12.
TEXT ·peakNEON(SB), NOSPLIT, $0-8
	MOVD rounds+0(FP), R0
	CLEARTILE
	CLEAR4(V24, V25, V26, V27)
	CLEAR4(V28, V29, V30, V31)

peakLoop:
	ROW(0, 1, 2, 27, 0)
	ROW(3, 4, 5, 27, 1)
	ROW(6, 7, 8, 27, 2)
	ROW(9, 10, 11, 27, 3)
	ROW(12, 13, 14, 28, 0)
	ROW(15, 16, 17, 28, 1)
	ROW(18, 19, 20, 28, 2)
	ROW(21, 22, 23, 28, 3)
	SUBS $1, R0
	BNE  peakLoop
	RET

// func peakBF16(rounds int)
//
// 24 squares.
TEXT ·peakBF16(SB), NOSPLIT, $0-8
	MOVD rounds+0(FP), R0
	CLEARTILE
	CLEAR4(V24, V25, V26, V27)
	CLEAR4(V28, V29, V30, V31)

peakLoop16:
	FOURROWS(28, 0, 6, 12, 18)
	FOURROWS(29, 1, 7, 13, 19)
	FOURROWS(30, 2, 8, 14, 20)
	FOURROWS(31, 3, 9, 15, 21)
	FOURROWS(28, 4, 10, 16, 22)
	FOURROWS(29, 5, 11, 17, 23)
	SUBS $1, R0
	BNE  peakLoop16
	RET
