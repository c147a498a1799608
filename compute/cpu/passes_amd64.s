//go:build !purego

#include "textflag.h"

DATA ·signBit+0(SB)/4, $0x80000000
GLOBL ·signBit(SB), RODATA|NOPTR, $4
DATA ·lowBit+0(SB)/4, $1
GLOBL ·lowBit(SB), RODATA|NOPTR, $4
DATA ·belowHalf+0(SB)/4, $0x7fff
GLOBL ·belowHalf(SB), RODATA|NOPTR, $4
DATA ·highHalf+0(SB)/4, $0xffff0000
GLOBL ·highHalf(SB), RODATA|NOPTR, $4

// func roundAVX2(s []float32)
TEXT ·roundAVX2(SB), NOSPLIT, $0-24
	MOVQ s_base+0(FP), DI
	MOVQ s_len+8(FP), CX
	VBROADCASTSS ·lowBit(SB), Y13
	VBROADCASTSS ·belowHalf(SB), Y14
	VBROADCASTSS ·highHalf(SB), Y15
	SHRQ $3, CX
	JZ   rounded

rounding:
	VMOVUPS (DI), Y0
	VPSRLD $16, Y0, Y1
	VPAND Y13, Y1, Y1
	VPADDD Y14, Y1, Y1
	VPADDD Y0, Y1, Y1
	VPAND Y15, Y1, Y1
	VCMPPS $3, Y0, Y0, Y2        // NaN
	VBLENDVPS Y2, Y0, Y1, Y1
	VMOVUPS Y1, (DI)
	ADDQ $32, DI
	DECQ CX
	JNZ  rounding

rounded:
	VZEROUPPER
	RET

// func stepAVX2(w, dw []float32, u *compute.Update) int
//
// Y10: the counts. Y11: η, Y12: weight decay, Y13: λ, Y14: the threshold, Y15: sign
// bits, Y9: all of them, where a zero may move.
TEXT ·stepAVX2(SB), NOSPLIT, $0-64
	MOVQ w_base+0(FP), DI
	MOVQ w_len+8(FP), CX
	MOVQ dw_base+24(FP), SI
	MOVQ u+48(FP), AX
	VBROADCASTSS (AX), Y11
	VBROADCASTSS 8(AX), Y12
	VBROADCASTSS 12(AX), Y13
	VBROADCASTSS 16(AX), Y14
	MOVBLZX 20(AX), AX
	DECL AX
	VMOVD AX, X9
	VPBROADCASTD X9, Y9
	VBROADCASTSS ·signBit(SB), Y15
	VXORPS Y8, Y8, Y8
	VPXOR Y10, Y10, Y10
	SHRQ $3, CX
	JZ   sdone

sloop:
	VMOVUPS (DI), Y0
	VANDPS Y15, Y0, Y1
	VORPS Y13, Y1, Y1
	VCMPPS $4, Y8, Y0, Y7        // w ≠ 0
	VANDPS Y7, Y1, Y1
	VORPS Y9, Y7, Y7             // may move
	VMULPS Y12, Y0, Y2
	VADDPS (SI), Y2, Y2
	VADDPS Y1, Y2, Y2            // g
	VMULPS Y11, Y2, Y2
	VSUBPS Y2, Y0, Y0
	VANDNPS Y0, Y15, Y1          // |w|
	VCMPPS $0x11, Y14, Y1, Y2    // |w| < threshold
	VANDNPS Y0, Y2, Y0
	VANDPS Y7, Y0, Y0
	VMOVUPS Y0, (DI)
	VCMPPS $4, Y8, Y0, Y1        // −1 where w ≠ 0
	VPSUBD Y1, Y10, Y10
	ADDQ $32, DI
	ADDQ $32, SI
	DECQ CX
	JNZ  sloop

sdone:
	VEXTRACTI128 $1, Y10, X0
	VPADDD X0, X10, X10
	VPSHUFD $0x4e, X10, X0
	VPADDD X0, X10, X10
	VPSHUFD $0xb1, X10, X0
	VPADDD X0, X10, X10
	VMOVD X10, AX
	MOVQ AX, ret+56(FP)
	VZEROUPPER
	RET

// func momentumStepAVX2(w, v, dw []float32, u *compute.Update) int
//
// Y10: the counts. Y11: η, Y12: weight decay, Y13: λ, Y14: the threshold, Y15: sign bits. Y9: momentum.
TEXT ·momentumStepAVX2(SB), NOSPLIT, $0-88
	MOVQ w_base+0(FP), DI
	MOVQ w_len+8(FP), CX
	MOVQ v_base+24(FP), DX
	MOVQ dw_base+48(FP), SI
	MOVQ u+72(FP), AX
	VBROADCASTSS (AX), Y11
	VBROADCASTSS 4(AX), Y9
	VBROADCASTSS 8(AX), Y12
	VBROADCASTSS 12(AX), Y13
	VBROADCASTSS 16(AX), Y14
	VBROADCASTSS ·signBit(SB), Y15
	VXORPS Y8, Y8, Y8
	VPXOR Y10, Y10, Y10
	SHRQ $3, CX
	JZ   mdone

mloop:
	VMOVUPS (DI), Y0
	VANDPS Y15, Y0, Y1
	VORPS Y13, Y1, Y1
	VCMPPS $4, Y8, Y0, Y2        // w ≠ 0
	VANDPS Y2, Y1, Y1
	VMULPS Y12, Y0, Y2
	VADDPS (SI), Y2, Y2
	VADDPS Y1, Y2, Y2            // g
	VMULPS (DX), Y9, Y3
	VADDPS Y2, Y3, Y2            // v
	VMOVUPS Y2, (DX)
	VMULPS Y11, Y2, Y2
	VSUBPS Y2, Y0, Y0
	VANDNPS Y0, Y15, Y1          // |w|
	VCMPPS $0x11, Y14, Y1, Y2    // |w| < threshold
	VANDNPS Y0, Y2, Y0
	VMOVUPS Y0, (DI)
	VCMPPS $4, Y8, Y0, Y1        // −1 where w ≠ 0
	VPSUBD Y1, Y10, Y10
	ADDQ $32, DI
	ADDQ $32, SI
	ADDQ $32, DX
	DECQ CX
	JNZ  mloop

mdone:
	VEXTRACTI128 $1, Y10, X0
	VPADDD X0, X10, X10
	VPSHUFD $0x4e, X10, X0
	VPADDD X0, X10, X10
	VPSHUFD $0xb1, X10, X0
	VPADDD X0, X10, X10
	VMOVD X10, AX
	MOVQ AX, ret+80(FP)
	VZEROUPPER
	RET

// func addAVX2(dst, a, b []float32)
TEXT ·addAVX2(SB), NOSPLIT, $0-72
	MOVQ dst_base+0(FP), DI
	MOVQ dst_len+8(FP), CX
	MOVQ a_base+24(FP), SI
	MOVQ b_base+48(FP), DX
	SHRQ $4, CX
	JZ   added

adding:
	VMOVUPS (SI), Y0
	VMOVUPS 32(SI), Y1
	VADDPS (DX), Y0, Y0
	VADDPS 32(DX), Y1, Y1
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	ADDQ $64, SI
	ADDQ $64, DX
	ADDQ $64, DI
	DECQ CX
	JNZ  adding

added:
	VZEROUPPER
	RET

// func reluAVX2(y, x []float32)
//
// What is not ≤ 0, NaN too, stays.
TEXT ·reluAVX2(SB), NOSPLIT, $0-48
	MOVQ y_base+0(FP), DI
	MOVQ y_len+8(FP), CX
	MOVQ x_base+24(FP), SI
	VXORPS Y15, Y15, Y15
	SHRQ $4, CX
	JZ   cutOff

cutting:
	VMOVUPS (SI), Y0
	VMOVUPS 32(SI), Y1
	VCMPPS $6, Y15, Y0, Y2
	VCMPPS $6, Y15, Y1, Y3
	VANDPS Y0, Y2, Y2
	VANDPS Y1, Y3, Y3
	VMOVUPS Y2, (DI)
	VMOVUPS Y3, 32(DI)
	ADDQ $64, SI
	ADDQ $64, DI
	DECQ CX
	JNZ  cutting

cutOff:
	VZEROUPPER
	RET

// func reluGradAVX2(dx, dy, y []float32)
TEXT ·reluGradAVX2(SB), NOSPLIT, $0-72
	MOVQ dx_base+0(FP), DI
	MOVQ dx_len+8(FP), CX
	MOVQ dy_base+24(FP), SI
	MOVQ y_base+48(FP), DX
	VXORPS Y15, Y15, Y15
	SHRQ $4, CX
	JZ   passedOn

passing:
	VCMPPS $1, (DX), Y15, Y0 // 0 < y
	VCMPPS $1, 32(DX), Y15, Y1
	VANDPS (SI), Y0, Y0
	VANDPS 32(SI), Y1, Y1
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	ADDQ $64, SI
	ADDQ $64, DX
	ADDQ $64, DI
	DECQ CX
	JNZ  passing

passedOn:
	VZEROUPPER
	RET
