//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"

// EACH fills a register with a 32-bit constant.
#define EACH(c, v) \
	MOVW $c, R9; \
	VDUP R9, v.S4

// func roundNEON(s []float32)
TEXT ·roundNEON(SB), NOSPLIT, $0-24
	MOVD s_base+0(FP), R0
	MOVD s_len+8(FP), R1
	CBZ  R1, rounded
	EACH(1, V28)
	EACH(0x7fff, V29)
	EACH(0xffff0000, V30)

rounding:
	FMOVQ (R0), F0
	VUSHR $16, V0.S4, V1.S4
	VAND V28.B16, V1.B16, V1.B16
	VADD V29.S4, V1.S4, V1.S4
	VADD V0.S4, V1.S4, V1.S4
	VAND V30.B16, V1.B16, V1.B16
	FCMEQ4(2, 0, 0) // not NaN
	VBIT V2.B16, V1.B16, V0.B16
	FMOVQ.P F0, 16(R0)
	SUBS $4, R1
	BNE  rounding

rounded:
	RET

// UPDATEARGS spreads the factors of the update at R4: V24 is η, V25 the momentum,
// V26 weight decay, V27 λ, V28 the threshold, V29 sign bits. V30 counts zeros.
#define UPDATEARGS \
	VLD1R.P 4(R4), [V24.S4]; \
	VLD1R.P 4(R4), [V25.S4]; \
	VLD1R.P 4(R4), [V26.S4]; \
	VLD1R.P 4(R4), [V27.S4]; \
	VLD1R.P 4(R4), [V28.S4]; \
	EACH(0x80000000, V29); \
	VEOR V30.B16, V30.B16, V30.B16

// GRADIENT sets V2 to dw + decay·w + λ·sign w, of w in V0 and dw in V3, and V4 to
// ones where w is 0.
#define GRADIENT \
	VAND V29.B16, V0.B16, V1.B16; \
	VORR V27.B16, V1.B16, V1.B16; \
	FZERO4(4, 0); \
	ANDNOT(1, 1, 4); \
	FMUL4(2, 26, 0); \
	FADD4(2, 3, 2); \
	FADD4(2, 2, 1)

// CUT takes V0 a step along V2, and sets it to 0 below the threshold.
#define CUT \
	FMUL4(2, 24, 2); \
	FSUB4(0, 0, 2); \
	FABS4(1, 0); \
	FCMGT4(1, 28, 1); \
	ANDNOT(0, 0, 1)

// COUNT counts the zeros of V0; NONZERO gives how many of the R1 numbers are none.
#define COUNT \
	FZERO4(1, 0); \
	VSUB V1.S4, V30.S4, V30.S4

#define NONZERO \
	VADDV V30.S4, V30; \
	VMOV V30.S[0], R2; \
	SUB R2, R1

// func stepNEON(w, dw []float32, u *compute.Update) int
//
// V31: ones, where a zero stays one.
TEXT ·stepNEON(SB), NOSPLIT, $0-64
	MOVD w_base+0(FP), R0
	MOVD w_len+8(FP), R1
	MOVD dw_base+24(FP), R2
	MOVD u+48(FP), R4
	UPDATEARGS
	MOVBU (R4), R5
	NEG  R5, R5
	VDUP R5, V31.S4
	MOVD R1, R6
	CBZ  R6, stepped

stepping:
	FMOVQ (R0), F0
	FMOVQ.P 16(R2), F3
	GRADIENT
	VAND V31.B16, V4.B16, V4.B16
	CUT
	ANDNOT(0, 0, 4)
	FMOVQ.P F0, 16(R0)
	COUNT
	SUBS $4, R6
	BNE  stepping

stepped:
	NONZERO
	MOVD R1, ret+56(FP)
	RET

// func momentumStepNEON(w, v, dw []float32, u *compute.Update) int
TEXT ·momentumStepNEON(SB), NOSPLIT, $0-88
	MOVD w_base+0(FP), R0
	MOVD w_len+8(FP), R1
	MOVD v_base+24(FP), R3
	MOVD dw_base+48(FP), R2
	MOVD u+72(FP), R4
	UPDATEARGS
	MOVD R1, R6
	CBZ  R6, mstepped

mstepping:
	FMOVQ (R0), F0
	FMOVQ.P 16(R2), F3
	GRADIENT
	FMOVQ (R3), F5
	FMUL4(5, 25, 5)
	FADD4(2, 5, 2)
	FMOVQ.P F2, 16(R3)
	CUT
	FMOVQ.P F0, 16(R0)
	COUNT
	SUBS $4, R6
	BNE  mstepping

mstepped:
	NONZERO
	MOVD R1, ret+80(FP)
	RET
