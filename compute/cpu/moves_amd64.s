//go:build !purego

#include "textflag.h"

// func transpose8avx2(dst []float32, ldd int, src []float32, lds, n int)
//
// For n blocks of eight: dst[j*ldd + i] = src[i*lds + j], i in 0..7, j in 0..8n-1.
TEXT ·transpose8avx2(SB), NOSPLIT, $0-72
	MOVQ dst_base+0(FP), DI
	MOVQ ldd+24(FP), R8
	MOVQ src_base+32(FP), SI
	MOVQ lds+56(FP), R9
	MOVQ n+64(FP), CX
	SHLQ $2, R8
	SHLQ $2, R9
	TESTQ CX, CX
	JZ   tdone

tloop:
	MOVQ SI, AX
	VMOVUPS (AX), Y0
	VMOVUPS (AX)(R9*1), Y1
	LEAQ (AX)(R9*2), AX
	VMOVUPS (AX), Y2
	VMOVUPS (AX)(R9*1), Y3
	LEAQ (AX)(R9*2), AX
	VMOVUPS (AX), Y4
	VMOVUPS (AX)(R9*1), Y5
	LEAQ (AX)(R9*2), AX
	VMOVUPS (AX), Y6
	VMOVUPS (AX)(R9*1), Y7
	VUNPCKLPS Y1, Y0, Y8
	VUNPCKHPS Y1, Y0, Y9
	VUNPCKLPS Y3, Y2, Y10
	VUNPCKHPS Y3, Y2, Y11
	VUNPCKLPS Y5, Y4, Y12
	VUNPCKHPS Y5, Y4, Y13
	VUNPCKLPS Y7, Y6, Y14
	VUNPCKHPS Y7, Y6, Y15
	VUNPCKLPD Y10, Y8, Y0
	VUNPCKHPD Y10, Y8, Y1
	VUNPCKLPD Y11, Y9, Y2
	VUNPCKHPD Y11, Y9, Y3
	VUNPCKLPD Y14, Y12, Y4
	VUNPCKHPD Y14, Y12, Y5
	VUNPCKLPD Y15, Y13, Y6
	VUNPCKHPD Y15, Y13, Y7
	VPERM2F128 $0x20, Y4, Y0, Y8
	VPERM2F128 $0x20, Y5, Y1, Y9
	VPERM2F128 $0x20, Y6, Y2, Y10
	VPERM2F128 $0x20, Y7, Y3, Y11
	VPERM2F128 $0x31, Y4, Y0, Y12
	VPERM2F128 $0x31, Y5, Y1, Y13
	VPERM2F128 $0x31, Y6, Y2, Y14
	VPERM2F128 $0x31, Y7, Y3, Y15
	VMOVUPS Y8, (DI)
	VMOVUPS Y9, (DI)(R8*1)
	LEAQ (DI)(R8*2), DI
	VMOVUPS Y10, (DI)
	VMOVUPS Y11, (DI)(R8*1)
	LEAQ (DI)(R8*2), DI
	VMOVUPS Y12, (DI)
	VMOVUPS Y13, (DI)(R8*1)
	LEAQ (DI)(R8*2), DI
	VMOVUPS Y14, (DI)
	VMOVUPS Y15, (DI)(R8*1)
	LEAQ (DI)(R8*2), DI
	ADDQ $32, SI
	DECQ CX
	JNZ  tloop

tdone:
	VZEROUPPER
	RET

// func transpose4avx2(dst []float32, ldd int, src []float32, lds, n int)
//
// For n blocks of four: dst[j*ldd + i] = src[i*lds + j], i in 0..3, j in 0..4n-1.
TEXT ·transpose4avx2(SB), NOSPLIT, $0-72
	MOVQ dst_base+0(FP), DI
	MOVQ ldd+24(FP), R8
	MOVQ src_base+32(FP), SI
	MOVQ lds+56(FP), R9
	MOVQ n+64(FP), CX
	SHLQ $2, R8
	SHLQ $2, R9
	LEAQ (SI)(R9*1), R10
	LEAQ (R10)(R9*1), R11
	LEAQ (R11)(R9*1), R12
	TESTQ CX, CX
	JZ   udone

uloop:
	VMOVUPS (SI), X0
	VMOVUPS (R10), X1
	VMOVUPS (R11), X2
	VMOVUPS (R12), X3
	VUNPCKLPS X1, X0, X4
	VUNPCKHPS X1, X0, X5
	VUNPCKLPS X3, X2, X6
	VUNPCKHPS X3, X2, X7
	VUNPCKLPD X6, X4, X0
	VUNPCKHPD X6, X4, X1
	VUNPCKLPD X7, X5, X2
	VUNPCKHPD X7, X5, X3
	VMOVUPS X0, (DI)
	VMOVUPS X1, (DI)(R8*1)
	LEAQ (DI)(R8*2), DI
	VMOVUPS X2, (DI)
	VMOVUPS X3, (DI)(R8*1)
	LEAQ (DI)(R8*2), DI
	ADDQ $16, SI
	ADDQ $16, R10
	ADDQ $16, R11
	ADDQ $16, R12
	DECQ CX
	JNZ  uloop

udone:
	RET

// func moveRowsAVX(dst []float32, width int, src []float32, lds, n int)
//
// The rows of a wide matrix are too far apart for the processor to see where
// the next one is: both ends of the one six rows on are fetched ahead.
TEXT ·moveRowsAVX(SB), NOSPLIT, $0-72
	MOVQ dst_base+0(FP), DI
	MOVQ width+24(FP), R10
	MOVQ src_base+32(FP), SI
	MOVQ lds+56(FP), R9
	MOVQ n+64(FP), CX
	SHLQ $2, R9
	SHLQ $2, R10
	MOVQ R10, R11
	ANDQ $~31, R11
	LEAQ (R9)(R9*2), R12
	SHLQ $1, R12
	TESTQ CX, CX
	JZ   mdone

mloop:
	LEAQ (SI)(R12*1), R8
	PREFETCHT0 (R8)
	PREFETCHT0 -4(R8)(R10*1)
	XORQ AX, AX
	TESTQ R11, R11
	JZ   mfour

minner:
	VMOVUPS (SI)(AX*1), Y0
	VMOVUPS Y0, (DI)(AX*1)
	ADDQ $32, AX
	CMPQ AX, R11
	JLT  minner

mfour:
	CMPQ AX, R10
	JGE  mnext
	VMOVUPS (SI)(AX*1), X0
	VMOVUPS X0, (DI)(AX*1)

mnext:
	ADDQ R9, SI
	ADDQ R10, DI
	DECQ CX
	JNZ  mloop

mdone:
	VZEROUPPER
	RET

// func fetchLines(s []float32)
TEXT ·fetchLines(SB), NOSPLIT, $0-24
	MOVQ s_base+0(FP), SI
	MOVQ s_len+8(FP), CX
	LEAQ (SI)(CX*4), CX
	CMPQ SI, CX
	JGE  fdone

floop:
	PREFETCHT0 (SI)
	ADDQ $64, SI
	CMPQ SI, CX
	JLT  floop

fdone:
	RET

DATA sixteen<>+0(SB)/8, $0x0000000100000000
DATA sixteen<>+8(SB)/8, $0x0000000300000002
DATA sixteen<>+16(SB)/8, $0x0000000500000004
DATA sixteen<>+24(SB)/8, $0x0000000700000006
DATA sixteen<>+32(SB)/8, $0x0000000900000008
DATA sixteen<>+40(SB)/8, $0x0000000b0000000a
DATA sixteen<>+48(SB)/8, $0x0000000d0000000c
DATA sixteen<>+56(SB)/8, $0x0000000f0000000e
GLOBL sixteen<>(SB), RODATA|NOPTR, $64

// func reachingAVX512(at []int32, g []float32, limit uint32) int
//
// Z3 is the places of sixteen numbers.
TEXT ·reachingAVX512(SB), NOSPLIT, $0-64
	MOVQ at_base+0(FP), DI
	MOVQ g_base+24(FP), SI
	MOVQ g_len+32(FP), CX
	MOVL limit+48(FP), AX
	VPBROADCASTD AX, Z1
	MOVL $0x7fffffff, AX
	VPBROADCASTD AX, Z2
	VMOVDQU32 sixteen<>(SB), Z3
	MOVL $16, AX
	VPBROADCASTD AX, Z4
	XORQ BX, BX
	TESTQ CX, CX
	JZ   reached

reach:
	VPANDD (SI), Z2, Z0
	VPCMPUD $5, Z1, Z0, K1
	KORTESTW K1, K1
	JZ   none
	VPCOMPRESSD Z3, K1, Z5
	VMOVDQU32 Z5, (DI)(BX*4)
	KMOVW K1, AX
	POPCNTL AX, AX
	ADDQ AX, BX

none:
	VPADDD Z4, Z3, Z3
	ADDQ $64, SI
	SUBQ $16, CX
	JNZ  reach

reached:
	MOVQ BX, ret+56(FP)
	VZEROUPPER
	RET
