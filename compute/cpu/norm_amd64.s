//go:build !purego

#include "textflag.h"

// func momentsAVX2(x []float32, s1, s2 []float64)
TEXT ·momentsAVX2(SB), NOSPLIT, $0-72
	MOVQ x_base+0(FP), SI
	MOVQ x_len+8(FP), CX
	MOVQ s1_base+24(FP), R8
	MOVQ s2_base+48(FP), R9
	SHRQ $3, CX
	JZ   momentsDone

momentsLoop:
	VCVTPS2PD (SI), Y0
	VCVTPS2PD 16(SI), Y1
	VADDPD (R8), Y0, Y2
	VADDPD 32(R8), Y1, Y3
	VMULPD Y0, Y0, Y0
	VMULPD Y1, Y1, Y1
	VADDPD (R9), Y0, Y0
	VADDPD 32(R9), Y1, Y1
	VMOVUPD Y2, (R8)
	VMOVUPD Y3, 32(R8)
	VMOVUPD Y0, (R9)
	VMOVUPD Y1, 32(R9)
	ADDQ $32, SI
	ADDQ $64, R8
	ADDQ $64, R9
	DECQ CX
	JNZ  momentsLoop

momentsDone:
	VZEROUPPER
	RET

// func normaliseAVX2(y, x []float32, c columns, limit float32)
TEXT ·normaliseAVX2(SB), NOSPLIT, $0-172
	MOVQ y_base+0(FP), DI
	MOVQ y_len+8(FP), CX
	MOVQ x_base+24(FP), SI
	MOVQ c_mean_base+48(FP), R8
	MOVQ c_scale_base+72(FP), R9
	MOVQ c_shift_base+96(FP), R10
	VBROADCASTSS limit+168(FP), Y15
	XORQ AX, AX
	SHRQ $3, CX
	JZ   normaliseDone

normaliseLoop:
	VMOVUPS (SI)(AX*1), Y0
	VSUBPS (R8)(AX*1), Y0, Y0
	VMULPS (R9)(AX*1), Y0, Y0
	VADDPS (R10)(AX*1), Y0, Y0
	VCMPPS $0x12, Y15, Y0, Y1    // ≤ limit
	VANDNPS Y0, Y1, Y0
	VMOVUPS Y0, (DI)(AX*1)
	ADDQ $32, AX
	DECQ CX
	JNZ  normaliseLoop

normaliseDone:
	VZEROUPPER
	RET

// func gradMomentsAVX2(dy, x []float32, c columns, limit float32, s1, s2 []float64)
TEXT ·gradMomentsAVX2(SB), NOSPLIT, $0-224
	MOVQ dy_base+0(FP), DI
	MOVQ dy_len+8(FP), CX
	MOVQ x_base+24(FP), SI
	MOVQ c_mean_base+48(FP), R8
	MOVQ c_scale_base+72(FP), R9
	MOVQ c_shift_base+96(FP), R10
	VBROADCASTSS limit+168(FP), Y15
	MOVQ s1_base+176(FP), R11
	MOVQ s2_base+200(FP), R12
	XORQ AX, AX
	SHRQ $3, CX
	JZ   gradMomentsDone

gradMomentsLoop:
	VMOVUPS (SI)(AX*1), Y0
	VSUBPS (R8)(AX*1), Y0, Y0
	VMULPS (R9)(AX*1), Y0, Y1
	VADDPS (R10)(AX*1), Y1, Y1
	VCMPPS $0x12, Y15, Y1, Y1    // ≤ limit
	VANDNPS Y0, Y1, Y0           // x − mean
	VANDNPS (DI)(AX*1), Y1, Y1   // g
	VCVTPS2PD X0, Y2
	VCVTPS2PD X1, Y3
	VEXTRACTF128 $1, Y0, X0
	VEXTRACTF128 $1, Y1, X1
	VCVTPS2PD X0, Y4
	VCVTPS2PD X1, Y5
	VMULPD Y2, Y3, Y2
	VMULPD Y4, Y5, Y4
	VADDPD (R11)(AX*2), Y3, Y3
	VADDPD 32(R11)(AX*2), Y5, Y5
	VADDPD (R12)(AX*2), Y2, Y2
	VADDPD 32(R12)(AX*2), Y4, Y4
	VMOVUPD Y3, (R11)(AX*2)
	VMOVUPD Y5, 32(R11)(AX*2)
	VMOVUPD Y2, (R12)(AX*2)
	VMOVUPD Y4, 32(R12)(AX*2)
	ADDQ $32, AX
	DECQ CX
	JNZ  gradMomentsLoop

gradMomentsDone:
	VZEROUPPER
	RET

// func normaliseGradAVX2(dx, dy, x []float32, c columns, limit float32)
TEXT ·normaliseGradAVX2(SB), NOSPLIT, $0-196
	MOVQ dx_base+0(FP), DX
	MOVQ dx_len+8(FP), CX
	MOVQ dy_base+24(FP), DI
	MOVQ x_base+48(FP), SI
	MOVQ c_mean_base+72(FP), R8
	MOVQ c_scale_base+96(FP), R9
	MOVQ c_shift_base+120(FP), R10
	MOVQ c_k1_base+144(FP), R11
	MOVQ c_k2_base+168(FP), R12
	VBROADCASTSS limit+192(FP), Y15
	XORQ AX, AX
	SHRQ $3, CX
	JZ   normaliseGradDone

normaliseGradLoop:
	VMOVUPS (SI)(AX*1), Y0
	VSUBPS (R8)(AX*1), Y0, Y0
	VMOVUPS (R9)(AX*1), Y2
	VMULPS Y0, Y2, Y1
	VADDPS (R10)(AX*1), Y1, Y1
	VCMPPS $0x12, Y15, Y1, Y1    // ≤ limit
	VMULPS (DI)(AX*1), Y2, Y2
	VANDNPS Y2, Y1, Y2           // scale·g
	VMULPS (R12)(AX*1), Y0, Y0
	VADDPS (R11)(AX*1), Y0, Y0
	VSUBPS Y0, Y2, Y2
	VMOVUPS Y2, (DX)(AX*1)
	ADDQ $32, AX
	DECQ CX
	JNZ  normaliseGradLoop

normaliseGradDone:
	VZEROUPPER
	RET
