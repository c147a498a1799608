//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"

// func transposeNEON(dst []float32, ldd int, src []float32, lds, rows, cols int)
//
// dst[j*ldd + i] = src[i*lds + j], i < rows, j < cols, both multiples of four: four
// rows after the other, four columns at a time.
TEXT ·transposeNEON(SB), NOSPLIT, $0-80
	MOVD dst_base+0(FP), R0
	MOVD ldd+24(FP), R1
	MOVD src_base+32(FP), R2
	MOVD lds+56(FP), R3
	MOVD rows+64(FP), R4
	MOVD cols+72(FP), R5
	LSL  $2, R1
	LSL  $2, R3
	CBZ  R4, done
	CBZ  R5, done

rows:
	MOVD R2, R6
	ADD  R3, R2, R7
	ADD  R3, R7, R8
	ADD  R3, R8, R9
	MOVD R0, R10
	MOVD R5, R11

cols:
	FMOVQ.P 16(R6), F0
	FMOVQ.P 16(R7), F1
	FMOVQ.P 16(R8), F2
	FMOVQ.P 16(R9), F3
	VTRN1 V1.S4, V0.S4, V4.S4
	VTRN2 V1.S4, V0.S4, V5.S4
	VTRN1 V3.S4, V2.S4, V6.S4
	VTRN2 V3.S4, V2.S4, V7.S4
	VZIP1 V6.D2, V4.D2, V0.D2
	VZIP1 V7.D2, V5.D2, V1.D2
	VZIP2 V6.D2, V4.D2, V2.D2
	VZIP2 V7.D2, V5.D2, V3.D2
	ADD  R1, R10, R12
	FMOVQ F0, (R10)
	FMOVQ F1, (R12)
	ADD  R1, R12, R10
	ADD  R1, R10, R12
	FMOVQ F2, (R10)
	FMOVQ F3, (R12)
	ADD  R1, R12, R10
	SUBS $4, R11
	BNE  cols
	ADD  R3<<2, R2
	ADD  $16, R0
	SUBS $4, R4
	BNE  rows

done:
	RET

// func moveRowsNEON(dst []float32, width int, src []float32, lds, n int)
//
// Both ends of the row six rows on are fetched ahead, as for AVX.
TEXT ·moveRowsNEON(SB), NOSPLIT, $0-72
	MOVD dst_base+0(FP), R0
	MOVD width+24(FP), R1
	MOVD src_base+32(FP), R2
	MOVD lds+56(FP), R3
	MOVD n+64(FP), R4
	LSL  $2, R3
	CBZ  R4, mdone
	ADD  R3<<1, R3, R5
	LSL  $1, R5
	SUB  $1, R1, R6
	LSL  $2, R6

mrow:
	ADD  R5, R2, R7
	PRFM (R7), PLDL1KEEP
	ADD  R6, R7
	PRFM (R7), PLDL1KEEP
	MOVD R2, R7
	MOVD R1, R8

mfour:
	FMOVQ.P 16(R7), F0
	FMOVQ.P F0, 16(R0)
	SUBS $4, R8
	BNE  mfour
	ADD  R3, R2
	SUBS $1, R4
	BNE  mrow

mdone:
	RET

// func fetchRowsNEON(s []float32, ld, rows, cols int)
TEXT ·fetchRowsNEON(SB), NOSPLIT, $0-48
	MOVD s_base+0(FP), R0
	MOVD ld+24(FP), R1
	MOVD rows+32(FP), R2
	MOVD cols+40(FP), R3
	LSL  $2, R1
	LSL  $2, R3
	CBZ  R3, fdone

frow:
	CBZ  R2, fdone
	MOVD R0, R4
	ADD  R3, R0, R5

fline:
	PRFM (R4), PLDL1KEEP
	ADD  $64, R4
	CMP  R5, R4
	BLO  fline
	SUB  $4, R5
	PRFM (R5), PLDL1KEEP
	ADD  R1, R0
	SUB  $1, R2
	B    frow

fdone:
	RET
