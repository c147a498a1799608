//go:build !purego

#include "go_asm.h"
#include "textflag.h"

DATA ·magnitude+0(SB)/4, $0x7fffffff
GLOBL ·magnitude(SB), RODATA|NOPTR, $4
DATA ·tinyBits+0(SB)/4, $0x00800000 // tiny
GLOBL ·tinyBits(SB), RODATA|NOPTR, $4

// func largestVectors(line []float32) uint32
//
// Magnitudes are compared as integers, so that NaN is above Inf.
TEXT ·largestVectors(SB), NOSPLIT, $0-28
	MOVQ line_base+0(FP), SI
	MOVQ line_len+8(FP), CX
	VPBROADCASTD ·magnitude(SB), Y15
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	SHRQ $3, CX
	SUBQ $2, CX
	JLT  lrest

ltwo:
	VPAND (SI), Y15, Y2
	VPAND 32(SI), Y15, Y3
	VPMAXUD Y2, Y0, Y0
	VPMAXUD Y3, Y1, Y1
	ADDQ $64, SI
	SUBQ $2, CX
	JGE  ltwo

lrest:
	ADDQ $2, CX
	JZ   ldone
	VPAND (SI), Y15, Y2
	VPMAXUD Y2, Y0, Y0

ldone:
	VPMAXUD Y1, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPMAXUD X1, X0, X0
	VPSHUFD $0x4e, X0, X1
	VPMAXUD X1, X0, X0
	VPSHUFD $0xb1, X0, X1
	VPMAXUD X1, X0, X0
	VMOVD X0, AX
	MOVL AX, ret+24(FP)
	VZEROUPPER
	RET

// LANES adds the squares of four numbers of a line, in float64, to norm, and
// those of what rounding leaves of them to rest: q are the numbers in X, and x
// the line's.
#define LANES(x, q, norm, rest) \
	VCVTPS2PD x, Y4; \
	VCVTDQ2PD q, Y5; \
	VMULPD Y14, Y5, Y5; \
	VSUBPD Y5, Y4, Y5; \
	VMULPD Y4, Y4, Y4; \
	VMULPD Y5, Y5, Y5; \
	VADDPD Y4, norm, norm; \
	VADDPD Y5, rest, rest

// SUM8 adds up the eight words of a vector, into AX.
#define SUM8(y, x, t) \
	VEXTRACTI128 $1, y, t; \
	VPADDD t, x, x; \
	VPSHUFD $0x4e, x, t; \
	VPADDD t, x, x; \
	VPSHUFD $0xb1, x, t; \
	VPADDD t, x, x; \
	VMOVD x, AX

// func quantiseVectors(dst []float32, stride int, line []float32, inv, scale float32, offset uint8, l *lineLanes)
//
// Y8: Σq, X9: Σq². Y10, Y11: the lanes of norm, Y12, Y13: of rest. Y14: scale,
// Y15: inv, X7: offset.
TEXT ·quantiseVectors(SB), NOSPLIT, $0-80
	MOVQ dst_base+0(FP), DI
	MOVQ stride+24(FP), R8
	SHLQ $2, R8
	MOVQ line_base+32(FP), SI
	MOVQ line_len+40(FP), CX
	VBROADCASTSS inv+56(FP), Y15
	VBROADCASTSS scale+60(FP), X14
	VCVTPS2PD X14, Y14
	VPBROADCASTB offset+64(FP), X7
	MOVQ l+72(FP), DX
	VPXOR Y8, Y8, Y8
	VPXOR X9, X9, X9
	VXORPD Y10, Y10, Y10
	VXORPD Y11, Y11, Y11
	VXORPD Y12, Y12, Y12
	VXORPD Y13, Y13, Y13
	SHRQ $3, CX
	JZ   qdone

qloop:
	VMOVUPS (SI), Y0
	VMULPS Y15, Y0, Y1
	VCVTPS2DQ Y1, Y1
	VPADDD Y1, Y8, Y8
	VEXTRACTI128 $1, Y1, X2
	VPACKSSDW X2, X1, X3
	VPMADDWD X3, X3, X6
	VPADDD X6, X9, X9
	VPACKSSWB X3, X3, X3
	VPADDB X7, X3, X3
	VMOVD X3, (DI)
	VPEXTRD $1, X3, (DI)(R8*1)
	VEXTRACTF128 $1, Y0, X6
	LANES(X0, X1, Y10, Y12)
	LANES(X6, X2, Y11, Y13)
	LEAQ (DI)(R8*2), DI
	ADDQ $32, SI
	DECQ CX
	JNZ  qloop

qdone:
	VMOVUPD Y10, lineLanes_norm(DX)
	VMOVUPD Y11, (lineLanes_norm+32)(DX)
	VMOVUPD Y12, lineLanes_rest(DX)
	VMOVUPD Y13, (lineLanes_rest+32)(DX)
	SUM8(Y8, X8, X0)
	MOVL AX, lineLanes_sum(DX)
	SUM8(Y9, X9, X0)
	MOVL AX, lineLanes_squares(DX)
	VZEROUPPER
	RET

// SCORE16 makes Z1 the scores of the sixteen columns at CX, whose products'
// magnitudes are Z0, and K1 those that are not below the cut. K7 gathers them.
// Z26 to Z28: the row's u, a and c, Z29: tiny, Z31: the cut.
#define SCORE16 \
	VMULPS (R11)(CX*4), Z26, Z1; \
	VADDPS Z29, Z1, Z1; \
	VMULPS Z0, Z1, Z1; \
	VMULPS (R12)(CX*4), Z27, Z2; \
	VADDPS Z2, Z1, Z1; \
	VMULPS (R13)(CX*4), Z28, Z2; \
	VADDPS Z2, Z1, Z1; \
	VCMPPS $0x15, Z31, Z1, K1; \
	KORW K1, K7, K7

// func scoreAVX512(masks []uint64, tile []int32, rows, cols int, u, a, c, v, b, e []float32, cut float32) bool
TEXT ·scoreAVX512(SB), NOSPLIT, $0-217
	MOVQ masks_base+0(FP), DI
	MOVQ tile_base+24(FP), SI
	MOVQ rows+48(FP), DX
	MOVQ cols+56(FP), R9
	MOVQ u_base+64(FP), R8
	MOVQ a_base+88(FP), R10
	MOVQ c_base+112(FP), BX
	MOVQ v_base+136(FP), R11
	MOVQ b_base+160(FP), R12
	MOVQ e_base+184(FP), R13
	VBROADCASTSS ·tinyBits(SB), Z29
	VBROADCASTSS cut+208(FP), Z31
	KXORW K7, K7, K7

rows16:
	VBROADCASTSS (R8), Z26
	VBROADCASTSS (R10), Z27
	VBROADCASTSS (BX), Z28
	XORL CX, CX
	MOVQ DI, AX

columns16:
	VPABSD (SI)(CX*4), Z0
	VCVTDQ2PS Z0, Z0
	SCORE16
	KMOVW K1, (AX)
	ADDQ $2, AX
	ADDQ $16, CX
	CMPQ CX, R9
	JLT  columns16
	LEAQ (SI)(R9*4), SI
	ADDQ $8, DI
	ADDQ $4, R8
	ADDQ $4, R10
	ADDQ $4, BX
	DECQ DX
	JNZ  rows16
	KMOVW K7, AX
	TESTL AX, AX
	SETNE ret+216(FP)
	VZEROUPPER
	RET

// SCORE8 is SCORE16 for eight columns, with bits in AX, and all of them in R15.
// Y10 to Y12: u, a and c, Y13: tiny, Y15: the cut.
#define SCORE8 \
	VMULPS (R11)(CX*4), Y10, Y1; \
	VADDPS Y13, Y1, Y1; \
	VMULPS Y0, Y1, Y1; \
	VMULPS (R12)(CX*4), Y11, Y2; \
	VADDPS Y2, Y1, Y1; \
	VMULPS (R13)(CX*4), Y12, Y2; \
	VADDPS Y2, Y1, Y1; \
	VCMPPS $0x15, Y15, Y1, Y1; \
	VMOVMSKPS Y1, AX; \
	ORL AX, R15

// func scoreAVX2(masks []uint64, tile []int32, rows, cols int, u, a, c, v, b, e []float32, cut float32) bool
TEXT ·scoreAVX2(SB), NOSPLIT, $0-217
	MOVQ masks_base+0(FP), DI
	MOVQ tile_base+24(FP), SI
	MOVQ rows+48(FP), DX
	MOVQ cols+56(FP), R9
	MOVQ u_base+64(FP), R8
	MOVQ a_base+88(FP), R10
	MOVQ c_base+112(FP), BX
	MOVQ v_base+136(FP), R11
	MOVQ b_base+160(FP), R12
	MOVQ e_base+184(FP), R13
	VBROADCASTSS ·tinyBits(SB), Y13
	VBROADCASTSS cut+208(FP), Y15
	XORL R15, R15

rows8:
	VBROADCASTSS (R8), Y10
	VBROADCASTSS (R10), Y11
	VBROADCASTSS (BX), Y12
	XORL CX, CX

columns8:
	VPABSD (SI)(CX*4), Y0
	VCVTDQ2PS Y0, Y0
	SCORE8
	MOVB AX, (DI)
	INCQ DI
	ADDQ $8, CX
	CMPQ CX, R9
	JLT  columns8
	LEAQ (SI)(R9*4), SI
	SHRQ $3, CX
	SUBQ CX, DI
	ADDQ $8, DI
	ADDQ $4, R8
	ADDQ $4, R10
	ADDQ $4, BX
	DECQ DX
	JNZ  rows8
	TESTL R15, R15
	SETNE ret+216(FP)
	VZEROUPPER
	RET
