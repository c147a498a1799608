//go:build !purego

#include "textflag.h"

DATA ·absBits+0(SB)/4, $0x7fffffff
GLOBL ·absBits(SB), RODATA|NOPTR, $4

// func stepRowsAVX512(w []float32, ldw int, dw []float32, ldd, rows, cols int, u *compute.Update) int
//
// compute.Update without momentum of rows x cols weights. Sixteen at a time; the
// end of a row by a mask.
//
// Z8: 0, Z11: η, Z12: weight decay, Z13: λ, Z14: the threshold, Z15: sign bits,
// Z10: the others. K3: all, where a zero may move. K4: the end of a row.
TEXT ·stepRowsAVX512(SB), NOSPLIT, $0-96
	MOVQ w_base+0(FP), DI
	MOVQ ldw+24(FP), R8
	MOVQ dw_base+32(FP), SI
	MOVQ ldd+56(FP), R9
	MOVQ rows+64(FP), R10
	MOVQ cols+72(FP), R11
	MOVQ u+80(FP), AX
	MOVBLZX 20(AX), BX
	DECL BX
	SHLQ $2, R8
	SHLQ $2, R9
	VBROADCASTSS (AX), Z11
	VBROADCASTSS 8(AX), Z12
	VBROADCASTSS 12(AX), Z13
	VBROADCASTSS 16(AX), Z14
	VBROADCASTSS ·signBit(SB), Z15
	VBROADCASTSS ·absBits(SB), Z10
	VPXORD Z8, Z8, Z8
	KMOVW BX, K3
	MOVQ R11, CX
	ANDQ $15, CX
	MOVQ $1, BX
	SHLQ CX, BX
	DECQ BX
	KMOVW BX, K4
	XORQ R12, R12

row:
	TESTQ R10, R10
	JZ   done
	MOVQ DI, AX
	MOVQ SI, DX
	MOVQ R11, CX

vector:
	CMPQ CX, $16
	JLT  end
	KXNORW K5, K5, K5

some:
	VMOVUPS.Z (AX), K5, Z0
	VMOVUPS.Z (DX), K5, Z3
	VCMPPS $4, Z8, Z0, K1        // w ≠ 0
	VPANDD Z15, Z0, Z1
	VPORD Z13, Z1, Z1
	VMULPS Z12, Z0, Z2
	VADDPS Z3, Z2, Z2
	VADDPS Z1, Z2, K1, Z2        // g
	VMULPS Z11, Z2, Z2
	VSUBPS Z2, Z0, Z0
	VPANDD Z10, Z0, Z1           // |w|
	VCMPPS $0x15, Z14, Z1, K2    // not |w| < the threshold
	KORW K3, K1, K1
	KANDW K1, K2, K2
	VMOVUPS.Z Z0, K2, Z0
	VMOVUPS Z0, K5, (AX)
	VCMPPS $4, Z8, Z0, K5, K1
	KMOVW K1, BX
	POPCNTL BX, BX
	ADDQ BX, R12
	ADDQ $64, AX
	ADDQ $64, DX
	SUBQ $16, CX
	JMP  vector

end:
	TESTQ CX, CX
	JLE  next
	KMOVW K4, K5
	JMP  some

next:
	ADDQ R8, DI
	ADDQ R9, SI
	DECQ R10
	JMP  row

done:
	MOVQ R12, ret+88(FP)
	VZEROUPPER
	RET

// func fetchRows(w []float32, ldw, rows, cols int)
TEXT ·fetchRows(SB), NOSPLIT, $0-48
	MOVQ w_base+0(FP), DI
	MOVQ ldw+24(FP), R8
	MOVQ rows+32(FP), R10
	MOVQ cols+40(FP), R11
	SHLQ $2, R8
	SHLQ $2, R11

fetchRow:
	TESTQ R10, R10
	JZ   fetched
	XORQ AX, AX

fetchLine:
	PREFETCHT0 (DI)(AX*1)
	ADDQ $64, AX
	CMPQ AX, R11
	JLT  fetchLine
	PREFETCHT0 -4(DI)(R11*1)
	ADDQ R8, DI
	DECQ R10
	JMP  fetchRow

fetched:
	RET
