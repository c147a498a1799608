// Instructions that Go's assembler for arm64 does not know, as macros of words. An
// operand is the number of a vector register, in the order of Arm's manual: the
// destination first. TestEncodings has LLVM's assembler, where there is one, encode
// the same. Each is a base with its registers in bits 0, 5 and 16; the number of an
// element is split between bit 21, its low bit, and bit 11.

#define THREE(base, d, n, m) WORD $((base) | ((m)<<16) | ((n)<<5) | (d))
#define TWO(base, d, n) WORD $((base) | ((n)<<5) | (d))
#define ELEMENT(base, d, n, m, i) WORD $((base) | (((i)&1)<<21) | (((i)>>1)<<11) | ((m)<<16) | ((n)<<5) | (d))

// Four float32.
#define FADD4(d, n, m) THREE(0x4e20d400, d, n, m) // fadd vd.4s, vn.4s, vm.4s
#define FSUB4(d, n, m) THREE(0x4ea0d400, d, n, m) // fsub vd.4s, vn.4s, vm.4s
#define FMUL4(d, n, m) THREE(0x6e20dc00, d, n, m) // fmul vd.4s, vn.4s, vm.4s
#define FMLA4(d, n, m) THREE(0x4e20cc00, d, n, m) // fmla vd.4s, vn.4s, vm.4s
#define FMLAE(d, n, m, i) ELEMENT(0x4f801000, d, n, m, i) // fmla vd.4s, vn.4s, vm.s[i]
#define FCMEQ4(d, n, m) THREE(0x4e20e400, d, n, m) // fcmeq vd.4s, vn.4s, vm.4s
#define FCMGE4(d, n, m) THREE(0x6e20e400, d, n, m) // fcmge vd.4s, vn.4s, vm.4s
#define FCMGT4(d, n, m) THREE(0x6ea0e400, d, n, m) // fcmgt vd.4s, vn.4s, vm.4s
#define FZERO4(d, n) TWO(0x4ea0d800, d, n) // fcmeq vd.4s, vn.4s, #0.0
#define FABS4(d, n) TWO(0x4ea0f800, d, n) // fabs vd.4s, vn.4s

// Two float64.
#define FADD2(d, n, m) THREE(0x4e60d400, d, n, m) // fadd vd.2d, vn.2d, vm.2d
#define FMLA2(d, n, m) THREE(0x4e60cc00, d, n, m) // fmla vd.2d, vn.2d, vm.2d
#define FCVTL(d, n) TWO(0x0e617800, d, n) // fcvtl vd.2d, vn.2s
#define FCVTL2(d, n) TWO(0x4e617800, d, n) // fcvtl2 vd.2d, vn.4s

// ANDNOT is n with the bits of m taken out.
#define ANDNOT(d, n, m) THREE(0x4e601c00, d, n, m) // bic vd.16b, vn.16b, vm.16b

// FEAT_BF16. BFDOT adds to each word the two products of bfloat16 in the same word
// of n and m, BFMMLA to a 2 x 2 matrix the product of n, two rows of four, and of
// m, two columns of four: it is BFDOT of the first two, and then of the others.
#define BFDOT(d, n, m) THREE(0x6e40fc00, d, n, m) // bfdot vd.4s, vn.8h, vm.8h
#define BFMMLA(d, n, m) THREE(0x6e40ec00, d, n, m) // bfmmla vd.4s, vn.8h, vm.8h
#define BFCVTN(d, n) TWO(0x0ea16800, d, n) // bfcvtn vd.4h, vn.4s
#define BFCVTN2(d, n) TWO(0x4ea16800, d, n) // bfcvtn2 vd.8h, vn.4s

// CLEAR4 makes four registers 0.
#define CLEAR4(a, b, c, d) \
	VEOR a.B16, a.B16, a.B16; \
	VEOR b.B16, b.B16, b.B16; \
	VEOR c.B16, c.B16, c.B16; \
	VEOR d.B16, d.B16, d.B16

// Four int32. SDOTE is FEAT_DotProd: to each word of d it adds the products of the
// four signed bytes of a word of n and of word i of m.
#define SCVTF4(d, n) TWO(0x4e21d800, d, n) // scvtf vd.4s, vn.4s
#define SDOTE(d, n, m, i) ELEMENT(0x4f80e000, d, n, m, i) // sdot vd.4s, vn.16b, vm.4b[i]
