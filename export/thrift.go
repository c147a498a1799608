package export

import "encoding/binary"

// thrift is a struct in Thrift's compact protocol, being written: fields in the
// order of their numbers, and end after the last.
type thrift struct {
	b    []byte
	last int // field
}

// The protocol's types.
const (
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftI32    = 5
	thriftI64    = 6
	thriftBinary = 8
	thriftList   = 9
	thriftStruct = 12
)

// field begins a field; its number is at most 15 above the last one's.
func (t *thrift) field(n int, kind byte) {
	t.b = append(t.b, byte(n-t.last)<<4|kind)
	t.last = n
}

func (t *thrift) end() { t.b = append(t.b, 0) }

func (t *thrift) small(n int, v int8) {
	t.field(n, thriftByte)
	t.b = append(t.b, byte(v))
}

func (t *thrift) integer(n int, v int32) {
	t.field(n, thriftI32)
	t.b = binary.AppendVarint(t.b, int64(v)) // zigzag, as the protocol has it
}

func (t *thrift) long(n int, v int64) {
	t.field(n, thriftI64)
	t.b = binary.AppendVarint(t.b, v)
}

func (t *thrift) boolean(n int, v bool) {
	t.field(n, map[bool]byte{true: thriftTrue, false: thriftFalse}[v])
}

func (t *thrift) text(n int, s string) {
	t.field(n, thriftBinary)
	t.raw(s)
}

func (t *thrift) raw(s string) {
	t.b = append(binary.AppendUvarint(t.b, uint64(len(s))), s...)
}

// length begins a list of n elements.
func (t *thrift) length(n int, kind byte) {
	if n < 15 {
		t.b = append(t.b, byte(n)<<4|kind)
		return
	}
	t.b = binary.AppendUvarint(append(t.b, 0xf0|kind), uint64(n))
}

func (t *thrift) integers(n int, list ...int32) {
	t.field(n, thriftList)
	t.length(len(list), thriftI32)
	for _, v := range list {
		t.b = binary.AppendVarint(t.b, int64(v))
	}
}

func (t *thrift) texts(n int, list ...string) {
	t.field(n, thriftList)
	t.length(len(list), thriftBinary)
	for _, s := range list {
		t.raw(s)
	}
}

// structure is a field that is a struct, whose fields write writes.
func (t *thrift) structure(n int, write func(*thrift)) {
	t.field(n, thriftStruct)
	t.inner(write)
}

// list is a field that is a list of structs.
func (t *thrift) list(n int, elements []func(*thrift)) {
	t.field(n, thriftList)
	t.length(len(elements), thriftStruct)
	for _, write := range elements {
		t.inner(write)
	}
}

func (t *thrift) inner(write func(*thrift)) {
	s := thrift{b: t.b}
	write(&s)
	s.end()
	t.b = s.b
}
