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

// func mulsAMX(n, m, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int, add bool, next []float32)
//
// n by m tiles of c, each a product of the panel of a and the one of b that belong to it,
// which lie lda and ldb numbers apart: the panels of a stay in the first-level cache while
// those of b pass by. Tiles 0 to 3 are the four quarters of c's, 4 and 5 sixteen words each
// of the lines of a, 6 and 7 those of the columns of b. k is a multiple of sixteen; a is as
// arrangeAMX lays it out. Sums are added to what c has. Meanwhile next comes into the
// second-level cache, 128 bytes for sixteen words of every tile.
TEXT ·mulsAMX(SB), NOSPLIT, $0-152
	SHAPES
	MOVQ ldc+112(FP), R13
	SHLQ $2, R13
	MOVQ $64, R8
	MOVQ $128, R9
	SHLQ $2, lda+48(FP)
	SHLQ $2, ldb+80(FP)

column:
	DECQ m+8(FP)
	JLT  done
	MOVQ n+0(FP), R15
	MOVQ a_base+24(FP), R14
	MOVQ c_base+88(FP), DX

tile:
	MOVQ R14, SI
	MOVQ k+16(FP), CX
	MOVQ b_base+56(FP), DI
	LEAQ 1024(SI), R10
	LEAQ 64(DI), R11
	LEAQ 64(DX), R12
	MOVQ R13, AX
	SHLQ $4, AX
	ADDQ DX, AX
	LEAQ 64(AX), BX
	CMPB add+120(FP), $0
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
	MOVQ next_base+128(FP), R12
	SUBQ $16, CX
	JLT  store

loop:
	TILELOADD_4_SI_R8
	TILELOADD_6_DI_R9
	TDPBF16PS_0_4_6
	PREFETCHT1 (R12)
	PREFETCHT1 64(R12)
	ADDQ $128, R12
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
	MOVQ R12, next_base+128(FP)
	LEAQ 64(DX), R12
	TILESTORED_0_DX_R13
	TILESTORED_1_R12_R13
	TILESTORED_2_AX_R13
	TILESTORED_3_BX_R13
	MOVQ R13, AX
	SHLQ $5, AX
	ADDQ AX, DX
	ADDQ lda+48(FP), R14
	DECQ R15
	JNZ  tile
	MOVQ ldb+80(FP), AX
	ADDQ AX, b_base+56(FP)
	ADDQ $128, c_base+88(FP)
	JMP  column

done:
	TILERELEASE
	RET

// func runs16x48amx(runs []run, a, b []float32, lda, ldb int, c []float32, ldc int, add bool)
//
// Tiles 0 to 2 are c's, 4 is sixteen words of each row of a, 6, 3 and 6 again are those of
// 48 columns of b. Where a run ends, 5 and 7 are the words that are left: their shapes are
// those of that many, of the first run, as all have the same number of steps.
TEXT ·runs16x48amx(SB), NOSPLIT, $64-121
	MOVQ runs_base+0(FP), R14
	MOVQ runs_len+8(FP), R15
	VMOVDQU64 shapes<>(SB), Z0
	VMOVDQU64 Z0, cfg-64(SP)
	TESTQ R15, R15
	JZ   configure
	MOVQ 16(R14), CX
	ANDQ $15, CX
	JZ   configure
	MOVB CX, cfg-9(SP)
	SHLQ $2, CX
	MOVW CX, cfg-38(SP)

configure:
	LEAQ cfg-64(SP), AX
	LDTILECFG
	MOVQ lda+72(FP), R8
	MOVQ ldb+80(FP), R9
	MOVQ c_base+88(FP), DX
	MOVQ ldc+112(FP), R13
	SHLQ $2, R8
	SHLQ $2, R9
	SHLQ $2, R13
	MOVQ R9, R10
	SHLQ $4, R10
	LEAQ 64(DX), R12
	LEAQ 128(DX), AX
	CMPB add+120(FP), $0
	JNE  rload
	TILEZERO_0
	TILEZERO_1
	TILEZERO_2
	JMP  rstart

rload:
	TILELOADD_0_DX_R13
	TILELOADD_1_R12_R13
	TILELOADD_2_AX_R13

rstart:
	TESTQ R15, R15
	JZ   rstore
	MOVQ a_base+24(FP), AX
	MOVQ b_base+48(FP), BX

rrun:
	MOVQ (R14), SI
	MOVQ 8(R14), DI
	MOVQ 16(R14), CX
	ADDQ $24, R14
	LEAQ (AX)(SI*4), SI
	LEAQ (BX)(DI*4), DI
	LEAQ 64(DI), R11
	LEAQ 128(DI), R12
	SUBQ $16, CX
	JLT  rrest

rstep:
	TILELOADD_4_SI_R8
	TILELOADD_6_DI_R9
	TDPBF16PS_0_4_6
	TILELOADD_3_R11_R9
	TDPBF16PS_1_4_3
	TILELOADD_6_R12_R9
	TDPBF16PS_2_4_6
	ADDQ $64, SI
	ADDQ R10, DI
	ADDQ R10, R11
	ADDQ R10, R12
	SUBQ $16, CX
	JGE  rstep

rrest:
	ADDQ $16, CX
	JZ   rnext
	TILELOADD_5_SI_R8
	TILELOADD_7_DI_R9
	TDPBF16PS_0_5_7
	TILELOADD_7_R11_R9
	TDPBF16PS_1_5_7
	TILELOADD_7_R12_R9
	TDPBF16PS_2_5_7

rnext:
	DECQ R15
	JNZ  rrun

rstore:
	LEAQ 64(DX), R12
	LEAQ 128(DX), AX
	TILESTORED_0_DX_R13
	TILESTORED_1_R12_R13
	TILESTORED_2_AX_R13
	TILERELEASE
	VZEROUPPER
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
