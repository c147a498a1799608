//go:build !purego

#include "textflag.h"
#include "bfloat16_amd64.h"

// ROUND makes the low half of Z2 the numbers of Z0, and the high half those of Z1.
#define ROUND \
	VCVTNEPS2BF16_2_0; \
	VCVTNEPS2BF16_3_1; \
	VINSERTI64X4 $1, Y3, Z2, Z2

// interleave says where VPERMW takes the words of joined rows from: 0, 16, 1, 17, ...
DATA interleave<>+0(SB)/8, $0x0011000100100000
DATA interleave<>+8(SB)/8, $0x0013000300120002
DATA interleave<>+16(SB)/8, $0x0015000500140004
DATA interleave<>+24(SB)/8, $0x0017000700160006
DATA interleave<>+32(SB)/8, $0x0019000900180008
DATA interleave<>+40(SB)/8, $0x001b000b001a000a
DATA interleave<>+48(SB)/8, $0x001d000d001c000c
DATA interleave<>+56(SB)/8, $0x001f000f001e000e
GLOBL interleave<>(SB), RODATA|NOPTR, $64

// func joinAcrossAVX512BF16(dst []float32, apart int, src []float32, lds, panels int)
//
// Two rows, 32 columns a panel. The same of the next two rows comes into the cache.
TEXT ·joinAcrossAVX512BF16(SB), NOSPLIT, $0-72
	MOVQ dst_base+0(FP), DI
	MOVQ apart+24(FP), R8
	MOVQ src_base+32(FP), AX
	MOVQ lds+56(FP), R9
	MOVQ panels+64(FP), CX
	SHLQ $2, R8
	SHLQ $2, R9
	LEAQ (AX)(R9*1), BX
	VMOVDQU64 interleave<>(SB), Z5

across:
	DECQ CX
	JLT  acrossDone
	PREFETCHT0 (AX)(R9*2)
	PREFETCHT0 64(AX)(R9*2)
	PREFETCHT0 (BX)(R9*2)
	PREFETCHT0 64(BX)(R9*2)
	VMOVUPS (AX), Z0
	VMOVUPS (BX), Z1
	ROUND
	VPERMW Z2, Z5, Z4
	VMOVUPS Z4, (DI)
	VMOVUPS 64(AX), Z0
	VMOVUPS 64(BX), Z1
	ROUND
	VPERMW Z2, Z5, Z4
	VMOVUPS Z4, 64(DI)
	ADDQ $128, AX
	ADDQ $128, BX
	ADDQ R8, DI
	JMP  across

acrossDone:
	VZEROUPPER
	RET

// func joinAVX512BF16(dst []float32, ldd int, src []float32, lds, width, n int)
//
// Two rows at a time, sixteen words at once; K1 masks what is left over of width.
TEXT ·joinAVX512BF16(SB), NOSPLIT, $0-80
	MOVQ dst_base+0(FP), DI
	MOVQ ldd+24(FP), R8
	MOVQ src_base+32(FP), SI
	MOVQ lds+56(FP), R9
	MOVQ width+64(FP), R10
	MOVQ n+72(FP), DX
	SHLQ $2, R8
	SHLQ $2, R9
	MOVQ R10, CX
	ANDQ $15, CX
	MOVQ $1, AX
	SHLQ CX, AX
	DECQ AX
	KMOVW AX, K1
	MOVQ CX, R11
	SHRQ $4, R10
	VMOVDQU64 interleave<>(SB), Z5
	TESTQ DX, DX
	JZ   jdone

jrow:
	MOVQ SI, AX
	LEAQ (SI)(R9*1), BX
	MOVQ DI, R12
	MOVQ R10, CX
	TESTQ CX, CX
	JZ   jrest

jloop:
	VMOVUPS (AX), Z0
	VMOVUPS (BX), Z1
	ROUND
	VPERMW Z2, Z5, Z4
	VMOVUPS Z4, (R12)
	ADDQ $64, AX
	ADDQ $64, BX
	ADDQ $64, R12
	DECQ CX
	JNZ  jloop

jrest:
	TESTQ R11, R11
	JZ   jnext
	VMOVUPS.Z (AX), K1, Z0
	VMOVUPS.Z (BX), K1, Z1
	ROUND
	VPERMW Z2, Z5, Z4
	VMOVUPS Z4, K1, (R12)

jnext:
	LEAQ (SI)(R9*2), SI
	ADDQ R8, DI
	DECQ DX
	JNZ  jrow

jdone:
	VZEROUPPER
	RET

// func halveAVX512BF16(dst []float32, ldd int, src []float32, lds, lines, n int)
//
// 32 numbers at once; K1 and K2 mask what is left over of them, K3 of the words.
// The next line is fetched meanwhile.
TEXT ·halveAVX512BF16(SB), NOSPLIT, $0-80
	MOVQ dst_base+0(FP), DI
	MOVQ ldd+24(FP), R8
	MOVQ src_base+32(FP), SI
	MOVQ lds+56(FP), R9
	MOVQ lines+64(FP), R11
	MOVQ n+72(FP), R10
	SHLQ $2, R8
	SHLQ $2, R9
	MOVQ R10, CX
	ANDQ $31, CX
	MOVQ CX, DX
	MOVQ $1, AX
	SHLQ CX, AX
	DECQ AX
	KMOVW AX, K1
	SHRQ $16, AX
	KMOVW AX, K2
	INCQ CX
	SHRQ $1, CX
	MOVQ $1, AX
	SHLQ CX, AX
	DECQ AX
	KMOVW AX, K3
	SHRQ $5, R10
	TESTQ R11, R11
	JZ   hdone

hline:
	MOVQ SI, AX
	MOVQ DI, BX
	LEAQ (SI)(R9*1), R12
	MOVQ R10, CX
	TESTQ CX, CX
	JZ   hrest

hloop:
	VMOVUPS (AX), Z0
	VMOVUPS 64(AX), Z1
	PREFETCHT0 (R12)
	PREFETCHT0 64(R12)
	ROUND
	VMOVUPS Z2, (BX)
	ADDQ $128, AX
	ADDQ $128, R12
	ADDQ $64, BX
	DECQ CX
	JNZ  hloop

hrest:
	TESTQ DX, DX
	JZ   hnext
	VMOVUPS.Z (AX), K1, Z0
	VMOVUPS.Z 64(AX), K2, Z1
	ROUND
	VMOVUPS Z2, K3, (BX)

hnext:
	ADDQ R9, SI
	ADDQ R8, DI
	DECQ R11
	JNZ  hline

hdone:
	VZEROUPPER
	RET
