//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"

// BEGIN makes three registers of a row what element i of s has.
#define BEGIN(x, y, z, s, i) \
	VDUP s.S[i], x.S4; \
	VMOV x.B16, y.B16; \
	VMOV x.B16, z.B16

// ROW adds the products of word i of a register of a and twelve of b to a row.
#define ROW(x, y, z, a, i) \
	SDOTE(x, 24, a, i); \
	SDOTE(y, 25, a, i); \
	SDOTE(z, 26, a, i)

// func mulBytes8x12dot(k int, a, b []float32, start, tile []int32)
//
// V0 to V23 hold the tile, three registers a row.
TEXT ·mulBytes8x12dot(SB), NOSPLIT, $0-104
	MOVD k+0(FP), R0
	MOVD a_base+8(FP), R1
	MOVD b_base+32(FP), R2
	MOVD start_base+56(FP), R3
	MOVD tile_base+80(FP), R4
	VLD1 (R3), [V27.S4, V28.S4]
	BEGIN(V0, V1, V2, V27, 0)
	BEGIN(V3, V4, V5, V27, 1)
	BEGIN(V6, V7, V8, V27, 2)
	BEGIN(V9, V10, V11, V27, 3)
	BEGIN(V12, V13, V14, V28, 0)
	BEGIN(V15, V16, V17, V28, 1)
	BEGIN(V18, V19, V20, V28, 2)
	BEGIN(V21, V22, V23, V28, 3)
	CBZ  R0, store

loop:
	VLD1.P 32(R1), [V27.S4, V28.S4]
	VLD1.P 48(R2), [V24.S4, V25.S4, V26.S4]
	ROW(0, 1, 2, 27, 0)
	ROW(3, 4, 5, 27, 1)
	ROW(6, 7, 8, 27, 2)
	ROW(9, 10, 11, 27, 3)
	ROW(12, 13, 14, 28, 0)
	ROW(15, 16, 17, 28, 1)
	ROW(18, 19, 20, 28, 2)
	ROW(21, 22, 23, 28, 3)
	SUBS $1, R0
	BNE  loop

store:
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R4)
	VST1.P [V4.S4, V5.S4, V6.S4, V7.S4], 64(R4)
	VST1.P [V8.S4, V9.S4, V10.S4, V11.S4], 64(R4)
	VST1.P [V12.S4, V13.S4, V14.S4, V15.S4], 64(R4)
	VST1.P [V16.S4, V17.S4, V18.S4, V19.S4], 64(R4)
	VST1 [V20.S4, V21.S4, V22.S4, V23.S4], (R4)
	RET

// func scoreNEON(masks []uint64, tile []int32, rows, cols int, u, a, c, v, b, e []float32, cut float32) bool
//
// Four columns at a time, in the order and with the rounding of scoreOf. V29 has the
// bits of the present four, V27 those that are set of the present 32, R17 those of
// the ones before, R16 how many these are.
TEXT ·scoreNEON(SB), NOSPLIT, $0-217
	MOVD masks_base+0(FP), R0
	MOVD tile_base+24(FP), R1
	MOVD rows+48(FP), R2
	MOVD cols+56(FP), R3
	MOVD u_base+64(FP), R4
	MOVD a_base+88(FP), R5
	MOVD c_base+112(FP), R6
	MOVD v_base+136(FP), R7
	MOVD b_base+160(FP), R8
	MOVD e_base+184(FP), R9
	FMOVS cut+208(FP), F31
	VDUP V31.S[0], V31.S4
	MOVW $0x00800000, R10 // the smallest normal number
	VDUP R10, V30.S4
	VMOVQ $0x0000000200000001, $0x0000000800000004, V28
	MOVD $0, R15
	CBZ  R2, scored

row:
	VLD1R.P 4(R4), [V16.S4]
	VLD1R.P 4(R5), [V17.S4]
	VLD1R.P 4(R6), [V18.S4]
	VMOV V28.B16, V29.B16
	VEOR V27.B16, V27.B16, V27.B16
	MOVD $0, R16
	MOVD $0, R17
	MOVD $8, R19
	MOVD R7, R10
	MOVD R8, R11
	MOVD R9, R12
	MOVD R3, R13

four:
	FMOVQ.P 16(R1), F0
	FMOVQ.P 16(R10), F1
	FMOVQ.P 16(R11), F2
	FMOVQ.P 16(R12), F3
	SCVTF4(0, 0)
	FABS4(0, 0)
	FMUL4(1, 16, 1)
	FADD4(1, 1, 30)
	FMUL4(0, 1, 0)
	FMUL4(2, 17, 2)
	FADD4(0, 0, 2)
	FMUL4(3, 18, 3)
	FADD4(0, 0, 3)
	FCMGT4(4, 31, 0) // below the cut
	ANDNOT(4, 29, 4)
	VORR V4.B16, V27.B16, V27.B16
	VSHL $4, V29.S4, V29.S4
	SUB  $1, R19
	CBNZ R19, next
	VADDV V27.S4, V27
	VMOV V27.S[0], R14
	LSL  R16, R14, R14
	ORR  R14, R17
	ADD  $32, R16
	MOVD $8, R19
	VMOV V28.B16, V29.B16
	VEOR V27.B16, V27.B16, V27.B16

next:
	SUBS $4, R13
	BNE  four
	VADDV V27.S4, V27
	VMOV V27.S[0], R14
	LSL  R16, R14, R14
	ORR  R17, R14
	MOVD.P R14, 8(R0)
	ORR  R14, R15
	SUBS $1, R2
	BNE  row

scored:
	CMP  $0, R15
	CSET NE, R15
	MOVB R15, ret+216(FP)
	RET
