//go:build !purego

#include "textflag.h"

// The batch norm of a unit whose numbers are one row. x, y, dx and dy are SI, DI
// and DX, the factors are at R8, the sums of sixteen lanes at R9.

// FACTORS broadcasts the mean, the scale, the shift and the limit.
#define FACTORS \
	VBROADCASTSS (R8), Y12; \
	VBROADCASTSS 4(R8), Y13; \
	VBROADCASTSS 8(R8), Y14; \
	VBROADCASTSS 20(R8), Y15

// LOADSUMS and STORESUMS move the lanes of both sums.
#define LOADSUMS \
	VMOVUPD (R9), Y0; \
	VMOVUPD 32(R9), Y1; \
	VMOVUPD 64(R9), Y2; \
	VMOVUPD 96(R9), Y3; \
	VMOVUPD 128(R9), Y4; \
	VMOVUPD 160(R9), Y5; \
	VMOVUPD 192(R9), Y6; \
	VMOVUPD 224(R9), Y7

#define STORESUMS \
	VMOVUPD Y0, (R9); \
	VMOVUPD Y1, 32(R9); \
	VMOVUPD Y2, 64(R9); \
	VMOVUPD Y3, 96(R9); \
	VMOVUPD Y4, 128(R9); \
	VMOVUPD Y5, 160(R9); \
	VMOVUPD Y6, 192(R9); \
	VMOVUPD Y7, 224(R9)

// MOMENT adds four numbers and their squares: the product is exact in float64.
#define MOMENT(at, s1, s2) \
	VCVTPS2PD at, Y8; \
	VADDPD Y8, s1, s1; \
	VFMADD231PD Y8, Y8, s2

// func rowMomentsAVX2(x []float32, s *lanes)
TEXT ·rowMomentsAVX2(SB), NOSPLIT, $0-32
	MOVQ x_base+0(FP), SI
	MOVQ x_len+8(FP), CX
	MOVQ s+24(FP), R9
	SHRQ $4, CX
	JZ   momentsDone
	LOADSUMS

momentsLoop:
	MOMENT((SI), Y0, Y4)
	MOMENT(16(SI), Y1, Y5)
	MOMENT(32(SI), Y2, Y6)
	MOMENT(48(SI), Y3, Y7)
	ADDQ $64, SI
	DECQ CX
	JNZ  momentsLoop
	STORESUMS

momentsDone:
	VZEROUPPER
	RET

#define NORMALISE(off) \
	VMOVUPS off(SI), Y0; \
	VSUBPS Y12, Y0, Y0; \
	VMULPS Y13, Y0, Y0; \
	VADDPS Y14, Y0, Y0; \
	VCMPPS $0x12, Y15, Y0, Y1; \
	VANDNPS Y0, Y1, Y0; \
	VMOVUPS Y0, off(DI)

// func rowNormaliseAVX2(y, x []float32, c *factors)
TEXT ·rowNormaliseAVX2(SB), NOSPLIT, $0-56
	MOVQ y_base+0(FP), DI
	MOVQ y_len+8(FP), CX
	MOVQ x_base+24(FP), SI
	MOVQ c+48(FP), R8
	FACTORS
	SHRQ $4, CX
	JZ   normaliseDone

normaliseLoop:
	NORMALISE(0)
	NORMALISE(32)
	ADDQ $64, SI
	ADDQ $64, DI
	DECQ CX
	JNZ  normaliseLoop

normaliseDone:
	VZEROUPPER
	RET

// GRADMOMENT adds eight numbers of dy, where the output is not 0, and their
// products with x − mean.
#define GRADMOMENT(off, s1, s2, t1, t2) \
	VMOVUPS off(SI), Y8; \
	VSUBPS Y12, Y8, Y8; \
	VMULPS Y13, Y8, Y9; \
	VADDPS Y14, Y9, Y9; \
	VCMPPS $0x12, Y15, Y9, Y9; \
	VANDNPS Y8, Y9, Y8; \
	VANDNPS off(DX), Y9, Y9; \
	VCVTPS2PD X8, Y10; \
	VCVTPS2PD X9, Y11; \
	VADDPD Y11, s1, s1; \
	VFMADD231PD Y10, Y11, s2; \
	VEXTRACTF128 $1, Y8, X8; \
	VEXTRACTF128 $1, Y9, X9; \
	VCVTPS2PD X8, Y10; \
	VCVTPS2PD X9, Y11; \
	VADDPD Y11, t1, t1; \
	VFMADD231PD Y10, Y11, t2

// func rowGradMomentsAVX2(dy, x []float32, c *factors, s *lanes)
TEXT ·rowGradMomentsAVX2(SB), NOSPLIT, $0-64
	MOVQ dy_base+0(FP), DX
	MOVQ dy_len+8(FP), CX
	MOVQ x_base+24(FP), SI
	MOVQ c+48(FP), R8
	MOVQ s+56(FP), R9
	FACTORS
	SHRQ $4, CX
	JZ   gradMomentsDone
	LOADSUMS

gradMomentsLoop:
	GRADMOMENT(0, Y0, Y4, Y1, Y5)
	GRADMOMENT(32, Y2, Y6, Y3, Y7)
	ADDQ $64, SI
	ADDQ $64, DX
	DECQ CX
	JNZ  gradMomentsLoop
	STORESUMS

gradMomentsDone:
	VZEROUPPER
	RET

#define NORMALISEGRAD(off) \
	VMOVUPS off(SI), Y0; \
	VSUBPS Y12, Y0, Y0; \
	VMULPS Y13, Y0, Y1; \
	VADDPS Y14, Y1, Y1; \
	VCMPPS $0x12, Y15, Y1, Y1; \
	VMULPS off(DX), Y13, Y2; \
	VANDNPS Y2, Y1, Y2; \
	VMULPS Y11, Y0, Y0; \
	VADDPS Y10, Y0, Y0; \
	VSUBPS Y0, Y2, Y2; \
	VMOVUPS Y2, off(DI)

// func rowNormaliseGradAVX2(dx, dy, x []float32, c *factors)
TEXT ·rowNormaliseGradAVX2(SB), NOSPLIT, $0-80
	MOVQ dx_base+0(FP), DI
	MOVQ dx_len+8(FP), CX
	MOVQ dy_base+24(FP), DX
	MOVQ x_base+48(FP), SI
	MOVQ c+72(FP), R8
	FACTORS
	VBROADCASTSS 12(R8), Y10
	VBROADCASTSS 16(R8), Y11
	SHRQ $4, CX
	JZ   normaliseGradDone

normaliseGradLoop:
	NORMALISEGRAD(0)
	NORMALISEGRAD(32)
	ADDQ $64, SI
	ADDQ $64, DX
	ADDQ $64, DI
	DECQ CX
	JNZ  normaliseGradLoop

normaliseGradDone:
	VZEROUPPER
	RET

// The same with vectors of sixteen.

#define FACTORS16 \
	VBROADCASTSS (R8), Z12; \
	VBROADCASTSS 4(R8), Z13; \
	VBROADCASTSS 8(R8), Z14; \
	VBROADCASTSS 20(R8), Z15

#define LOADSUMS16 \
	VMOVUPD (R9), Z0; \
	VMOVUPD 64(R9), Z1; \
	VMOVUPD 128(R9), Z2; \
	VMOVUPD 192(R9), Z3

#define STORESUMS16 \
	VMOVUPD Z0, (R9); \
	VMOVUPD Z1, 64(R9); \
	VMOVUPD Z2, 128(R9); \
	VMOVUPD Z3, 192(R9)

// OUTPUTS sets Z8 to x − mean, Z9 to what the batch norm gives and K1 where that
// is above the limit, or no number.
#define OUTPUTS \
	VMOVUPS (SI), Z8; \
	VSUBPS Z12, Z8, Z8; \
	VMULPS Z13, Z8, Z9; \
	VADDPS Z14, Z9, Z9; \
	VCMPPS $0x12, Z15, Z9, K1; \
	KNOTW K1, K1

// func rowMoments16(x []float32, s *lanes)
TEXT ·rowMoments16(SB), NOSPLIT, $0-32
	MOVQ x_base+0(FP), SI
	MOVQ x_len+8(FP), CX
	MOVQ s+24(FP), R9
	SHRQ $4, CX
	JZ   momentsDone16
	LOADSUMS16

momentsLoop16:
	VCVTPS2PD (SI), Z8
	VCVTPS2PD 32(SI), Z9
	VADDPD Z8, Z0, Z0
	VADDPD Z9, Z1, Z1
	VFMADD231PD Z8, Z8, Z2
	VFMADD231PD Z9, Z9, Z3
	ADDQ $64, SI
	DECQ CX
	JNZ  momentsLoop16
	STORESUMS16

momentsDone16:
	VZEROUPPER
	RET

// func rowNormalise16(y, x []float32, c *factors)
TEXT ·rowNormalise16(SB), NOSPLIT, $0-56
	MOVQ y_base+0(FP), DI
	MOVQ y_len+8(FP), CX
	MOVQ x_base+24(FP), SI
	MOVQ c+48(FP), R8
	FACTORS16
	SHRQ $4, CX
	JZ   normaliseDone16

normaliseLoop16:
	OUTPUTS
	VMOVAPS.Z Z9, K1, Z9
	VMOVUPS Z9, (DI)
	ADDQ $64, SI
	ADDQ $64, DI
	DECQ CX
	JNZ  normaliseLoop16

normaliseDone16:
	VZEROUPPER
	RET

// func rowGradMoments16(dy, x []float32, c *factors, s *lanes)
TEXT ·rowGradMoments16(SB), NOSPLIT, $0-64
	MOVQ dy_base+0(FP), DX
	MOVQ dy_len+8(FP), CX
	MOVQ x_base+24(FP), SI
	MOVQ c+48(FP), R8
	MOVQ s+56(FP), R9
	FACTORS16
	SHRQ $4, CX
	JZ   gradMomentsDone16
	LOADSUMS16

gradMomentsLoop16:
	OUTPUTS
	VMOVAPS.Z Z8, K1, Z8
	VMOVUPS.Z (DX), K1, Z9
	VCVTPS2PD Y8, Z10
	VCVTPS2PD Y9, Z11
	VADDPD Z11, Z0, Z0
	VFMADD231PD Z10, Z11, Z2
	VEXTRACTF64X4 $1, Z8, Y8
	VEXTRACTF64X4 $1, Z9, Y9
	VCVTPS2PD Y8, Z10
	VCVTPS2PD Y9, Z11
	VADDPD Z11, Z1, Z1
	VFMADD231PD Z10, Z11, Z3
	ADDQ $64, SI
	ADDQ $64, DX
	DECQ CX
	JNZ  gradMomentsLoop16
	STORESUMS16

gradMomentsDone16:
	VZEROUPPER
	RET

// func rowNormaliseGrad16(dx, dy, x []float32, c *factors)
TEXT ·rowNormaliseGrad16(SB), NOSPLIT, $0-80
	MOVQ dx_base+0(FP), DI
	MOVQ dx_len+8(FP), CX
	MOVQ dy_base+24(FP), DX
	MOVQ x_base+48(FP), SI
	MOVQ c+72(FP), R8
	FACTORS16
	VBROADCASTSS 12(R8), Z10
	VBROADCASTSS 16(R8), Z11
	SHRQ $4, CX
	JZ   normaliseGradDone16

normaliseGradLoop16:
	OUTPUTS
	VMULPS (DX), Z13, Z2
	VMOVAPS.Z Z2, K1, Z2
	VMULPS Z11, Z8, Z8
	VADDPS Z10, Z8, Z8
	VSUBPS Z8, Z2, Z2
	VMOVUPS Z2, (DI)
	ADDQ $64, SI
	ADDQ $64, DX
	ADDQ $64, DI
	DECQ CX
	JNZ  normaliseGradLoop16

normaliseGradDone16:
	VZEROUPPER
	RET
