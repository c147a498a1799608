//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"

// Batch norm. Products are not fused with sums in float32, so that the bits are
// those of the portable loops; in float64 a product is exact.

// func momentsNEON(x []float32, s1, s2 []float64)
TEXT ·momentsNEON(SB), NOSPLIT, $0-72
	MOVD x_base+0(FP), R0
	MOVD x_len+8(FP), R1
	MOVD s1_base+24(FP), R2
	MOVD s2_base+48(FP), R3
	CBZ  R1, momentsDone

momentsLoop:
	FMOVQ.P 16(R0), F0
	FLDPQ (R2), (F2, F3)
	FLDPQ (R3), (F4, F5)
	FCVTL2(1, 0)
	FCVTL(0, 0)
	FADD2(2, 2, 0)
	FADD2(3, 3, 1)
	FMLA2(4, 0, 0)
	FMLA2(5, 1, 1)
	FSTPQ.P (F2, F3), 32(R2)
	FSTPQ.P (F4, F5), 32(R3)
	SUBS $4, R1
	BNE  momentsLoop

momentsDone:
	RET

// OUTPUT sets V1 to scale·(x − mean) + shift and V0 to x − mean, of x in V0, and V2
// to ones where that output is ≤ the limit.
#define OUTPUT(mean, scale, shift, limit) \
	FSUB4(0, 0, mean); \
	FMUL4(1, scale, 0); \
	FADD4(1, 1, shift); \
	FCMGE4(2, limit, 1)

// func normaliseNEON(y, x []float32, c columns, limit float32)
TEXT ·normaliseNEON(SB), NOSPLIT, $0-172
	MOVD y_base+0(FP), R0
	MOVD y_len+8(FP), R1
	MOVD x_base+24(FP), R2
	MOVD c_mean_base+48(FP), R3
	MOVD c_scale_base+72(FP), R4
	MOVD c_shift_base+96(FP), R5
	FMOVS limit+168(FP), F31
	VDUP V31.S[0], V31.S4
	CBZ  R1, normaliseDone

normaliseLoop:
	FMOVQ.P 16(R2), F0
	FMOVQ.P 16(R3), F4
	FMOVQ.P 16(R4), F5
	FMOVQ.P 16(R5), F6
	OUTPUT(4, 5, 6, 31)
	ANDNOT(1, 1, 2)
	FMOVQ.P F1, 16(R0)
	SUBS $4, R1
	BNE  normaliseLoop

normaliseDone:
	RET

// func gradMomentsNEON(dy, x []float32, c columns, limit float32, s1, s2 []float64)
TEXT ·gradMomentsNEON(SB), NOSPLIT, $0-224
	MOVD dy_base+0(FP), R0
	MOVD dy_len+8(FP), R1
	MOVD x_base+24(FP), R2
	MOVD c_mean_base+48(FP), R3
	MOVD c_scale_base+72(FP), R4
	MOVD c_shift_base+96(FP), R5
	FMOVS limit+168(FP), F31
	MOVD s1_base+176(FP), R6
	MOVD s2_base+200(FP), R7
	VDUP V31.S[0], V31.S4
	CBZ  R1, gradMomentsDone

gradMomentsLoop:
	FMOVQ.P 16(R2), F0
	FMOVQ.P 16(R3), F4
	FMOVQ.P 16(R4), F5
	FMOVQ.P 16(R5), F6
	FMOVQ.P 16(R0), F3
	FLDPQ (R6), (F16, F17)
	FLDPQ (R7), (F18, F19)
	OUTPUT(4, 5, 6, 31)
	ANDNOT(0, 0, 2)
	ANDNOT(3, 3, 2)
	FCVTL2(1, 0)
	FCVTL(0, 0)
	FCVTL2(4, 3)
	FCVTL(3, 3)
	FADD2(16, 16, 3)
	FADD2(17, 17, 4)
	FMLA2(18, 3, 0)
	FMLA2(19, 4, 1)
	FSTPQ.P (F16, F17), 32(R6)
	FSTPQ.P (F18, F19), 32(R7)
	SUBS $4, R1
	BNE  gradMomentsLoop

gradMomentsDone:
	RET

// func normaliseGradNEON(dx, dy, x []float32, c columns, limit float32)
TEXT ·normaliseGradNEON(SB), NOSPLIT, $0-196
	MOVD dx_base+0(FP), R0
	MOVD dx_len+8(FP), R1
	MOVD dy_base+24(FP), R2
	MOVD x_base+48(FP), R3
	MOVD c_mean_base+72(FP), R4
	MOVD c_scale_base+96(FP), R5
	MOVD c_shift_base+120(FP), R6
	MOVD c_k1_base+144(FP), R7
	MOVD c_k2_base+168(FP), R8
	FMOVS limit+192(FP), F31
	VDUP V31.S[0], V31.S4
	CBZ  R1, normaliseGradDone

normaliseGradLoop:
	FMOVQ.P 16(R3), F0
	FMOVQ.P 16(R4), F4
	FMOVQ.P 16(R5), F5
	FMOVQ.P 16(R6), F6
	FMOVQ.P 16(R2), F3
	FMOVQ.P 16(R7), F7
	FMOVQ.P 16(R8), F16
	OUTPUT(4, 5, 6, 31)
	FMUL4(3, 5, 3)
	ANDNOT(3, 3, 2)
	FMUL4(0, 16, 0)
	FADD4(0, 7, 0)
	FSUB4(3, 3, 0)
	FMOVQ.P F3, 16(R0)
	SUBS $4, R1
	BNE  normaliseGradLoop

normaliseGradDone:
	RET

// FACTORS spreads the factors of one unit, at R8: V24 is the mean, V25 the scale, V26
// the shift, V27 and V28 are k1 and k2, V29 is the limit.
#define FACTORS \
	VLD1R.P 4(R8), [V24.S4]; \
	VLD1R.P 4(R8), [V25.S4]; \
	VLD1R.P 4(R8), [V26.S4]; \
	VLD1R.P 4(R8), [V27.S4]; \
	VLD1R.P 4(R8), [V28.S4]; \
	VLD1R (R8), [V29.S4]

// LOADSUMS and STORESUMS move the sixteen lanes of both sums, at R9: V4 to V11 are
// those of the first, V12 to V19 those of the second.
#define LOADSUMS \
	VLD1.P 64(R9), [V4.D2, V5.D2, V6.D2, V7.D2]; \
	VLD1.P 64(R9), [V8.D2, V9.D2, V10.D2, V11.D2]; \
	VLD1.P 64(R9), [V12.D2, V13.D2, V14.D2, V15.D2]; \
	VLD1 (R9), [V16.D2, V17.D2, V18.D2, V19.D2]; \
	SUB $192, R9

#define STORESUMS \
	VST1.P [V4.D2, V5.D2, V6.D2, V7.D2], 64(R9); \
	VST1.P [V8.D2, V9.D2, V10.D2, V11.D2], 64(R9); \
	VST1.P [V12.D2, V13.D2, V14.D2, V15.D2], 64(R9); \
	VST1 [V16.D2, V17.D2, V18.D2, V19.D2], (R9)

#define MOMENT(s1, t1, s2, t2) \
	FMOVQ.P 16(R0), F0; \
	FCVTL2(1, 0); \
	FCVTL(0, 0); \
	FADD2(s1, s1, 0); \
	FADD2(t1, t1, 1); \
	FMLA2(s2, 0, 0); \
	FMLA2(t2, 1, 1)

// func rowMomentsNEON(x []float32, s *lanes)
TEXT ·rowMomentsNEON(SB), NOSPLIT, $0-32
	MOVD x_base+0(FP), R0
	MOVD x_len+8(FP), R1
	MOVD s+24(FP), R9
	CBZ  R1, rowMomentsDone
	LOADSUMS

rowMomentsLoop:
	MOMENT(4, 5, 12, 13)
	MOMENT(6, 7, 14, 15)
	MOMENT(8, 9, 16, 17)
	MOMENT(10, 11, 18, 19)
	SUBS $16, R1
	BNE  rowMomentsLoop
	STORESUMS

rowMomentsDone:
	RET

// func rowNormaliseNEON(y, x []float32, c *factors)
TEXT ·rowNormaliseNEON(SB), NOSPLIT, $0-56
	MOVD y_base+0(FP), R0
	MOVD y_len+8(FP), R1
	MOVD x_base+24(FP), R2
	MOVD c+48(FP), R8
	FACTORS
	CBZ  R1, rowNormaliseDone

rowNormaliseLoop:
	FMOVQ.P 16(R2), F0
	OUTPUT(24, 25, 26, 29)
	ANDNOT(1, 1, 2)
	FMOVQ.P F1, 16(R0)
	SUBS $4, R1
	BNE  rowNormaliseLoop

rowNormaliseDone:
	RET

#define GRADMOMENT(s1, t1, s2, t2) \
	FMOVQ.P 16(R2), F0; \
	FMOVQ.P 16(R0), F3; \
	OUTPUT(24, 25, 26, 29); \
	ANDNOT(0, 0, 2); \
	ANDNOT(3, 3, 2); \
	FCVTL2(1, 0); \
	FCVTL(0, 0); \
	FCVTL2(2, 3); \
	FCVTL(3, 3); \
	FADD2(s1, s1, 3); \
	FADD2(t1, t1, 2); \
	FMLA2(s2, 3, 0); \
	FMLA2(t2, 2, 1)

// func rowGradMomentsNEON(dy, x []float32, c *factors, s *lanes)
TEXT ·rowGradMomentsNEON(SB), NOSPLIT, $0-64
	MOVD dy_base+0(FP), R0
	MOVD dy_len+8(FP), R1
	MOVD x_base+24(FP), R2
	MOVD c+48(FP), R8
	MOVD s+56(FP), R9
	FACTORS
	CBZ  R1, rowGradMomentsDone
	LOADSUMS

rowGradMomentsLoop:
	GRADMOMENT(4, 5, 12, 13)
	GRADMOMENT(6, 7, 14, 15)
	GRADMOMENT(8, 9, 16, 17)
	GRADMOMENT(10, 11, 18, 19)
	SUBS $16, R1
	BNE  rowGradMomentsLoop
	STORESUMS

rowGradMomentsDone:
	RET

// func rowNormaliseGradNEON(dx, dy, x []float32, c *factors)
TEXT ·rowNormaliseGradNEON(SB), NOSPLIT, $0-80
	MOVD dx_base+0(FP), R0
	MOVD dx_len+8(FP), R1
	MOVD dy_base+24(FP), R2
	MOVD x_base+48(FP), R3
	MOVD c+72(FP), R8
	FACTORS
	CBZ  R1, rowNormaliseGradDone

rowNormaliseGradLoop:
	FMOVQ.P 16(R3), F0
	FMOVQ.P 16(R2), F3
	OUTPUT(24, 25, 26, 29)
	FMUL4(3, 25, 3)
	ANDNOT(3, 3, 2)
	FMUL4(0, 28, 0)
	FADD4(0, 27, 0)
	FSUB4(3, 3, 0)
	FMOVQ.P F3, 16(R0)
	SUBS $4, R1
	BNE  rowNormaliseGradLoop

rowNormaliseGradDone:
	RET
