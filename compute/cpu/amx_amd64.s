//go:build !purego

#include "textflag.h"
#include "bfloat16_amd64.h"

// shapes is LDTILECFG's memory: the first palette, and for each of the eight tiles
// sixteen rows of 64 bytes.
DATA shapes<>+0(SB)/8, $1
DATA shapes<>+8(SB)/8, $0
DATA shapes<>+16(SB)/8, $0x0040004000400040
DATA shapes<>+24(SB)/8, $0x0040004000400040
DATA shapes<>+32(SB)/8, $0
DATA shapes<>+40(SB)/8, $0
DATA shapes<>+48(SB)/8, $0x1010101010101010
DATA shapes<>+56(SB)/8, $0
GLOBL shapes<>(SB), RODATA|NOPTR, $64

#define SHAPES \
	LEAQ shapes<>(SB), AX; \
	LDTILECFG

// func mul32x32amx(k int, a, b, c []float32, ldc int, add bool)
//
// Tiles 0 to 3 are the four quarters of c, 4 and 5 sixteen words each of the lines of
// a, 6 and 7 those of the columns of b. k is a multiple of sixteen; a is as
// arrangeAMX lays it out. Sums are added to what c has.
TEXT ·mul32x32amx(SB), NOSPLIT, $0-89
	SHAPES
	MOVQ k+0(FP), CX
	MOVQ a_base+8(FP), SI
	MOVQ b_base+32(FP), DI
	MOVQ c_base+56(FP), DX
	MOVQ ldc+80(FP), R13
	SHLQ $2, R13
	MOVQ $64, R8
	MOVQ $128, R9
	LEAQ 1024(SI), R10
	LEAQ 64(DI), R11
	LEAQ 64(DX), R12
	MOVQ R13, AX
	SHLQ $4, AX
	ADDQ DX, AX
	LEAQ 64(AX), BX
	CMPB add+88(FP), $0
	JNE  load
	TILEZERO_0
	TILEZERO_1
	TILEZERO_2
	TILEZERO_3
	JMP  start

load:
	TILELOADD_0_DX_R13
	TILELOADD_1_R12_R13
	TILELOADD_2_AX_R13
	TILELOADD_3_BX_R13

start:
	SUBQ $16, CX
	JLT  store

loop:
	TILELOADD_4_SI_R8
	TILELOADD_6_DI_R9
	TDPBF16PS_0_4_6
	TILELOADD_7_R11_R9
	TDPBF16PS_1_4_7
	TILELOADD_5_R10_R8
	TDPBF16PS_2_5_6
	TDPBF16PS_3_5_7
	ADDQ $2048, SI
	ADDQ $2048, R10
	ADDQ $2048, DI
	ADDQ $2048, R11
	SUBQ $16, CX
	JGE  loop

store:
	TILESTORED_0_DX_R13
	TILESTORED_1_R12_R13
	TILESTORED_2_AX_R13
	TILESTORED_3_BX_R13
	TILERELEASE
	RET

// func peakAMX(rounds int)
TEXT ·peakAMX(SB), NOSPLIT, $0-8
	SHAPES
	MOVQ rounds+0(FP), CX
	TILEZERO_0
	TILEZERO_1
	TILEZERO_2
	TILEZERO_3
	TILEZERO_4
	TILEZERO_5
	TILEZERO_6
	TILEZERO_7

peakLoop:
	TDPBF16PS_0_4_6
	TDPBF16PS_1_4_7
	TDPBF16PS_2_5_6
	TDPBF16PS_3_5_7
	DECQ CX
	JNZ  peakLoop
	TILERELEASE
	RET
