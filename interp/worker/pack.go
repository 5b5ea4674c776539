package worker

import (
	"encoding/binary"
	"errors"
)

// Pack writes a Straight as the bytes that cross: every length and number as a
// varint, every text behind its length, the fields in their order. It is a fifth of
// gob's work, and the worker knows a cell that runs again by these bytes.
func (s *Straight) Pack() []byte {
	p := make(packer, 0, 128+len(s.Body))
	pack(&p, s.Imports, func(im Import) { p.texts(im.Name, im.Path) })
	pack(&p, s.Vars, func(v Var) {
		p.texts(v.Name, v.Key)
		p.typ(v.Type)
	})
	for _, refs := range [][]Ref{s.Funcs, s.Types, s.Instances} {
		pack(&p, refs, func(r Ref) { p.texts(r.Name, r.Key) })
	}
	pack(&p, s.Stands, func(t string) { p.texts(t) })
	pack(&p, s.Needs, p.typ)
	pack(&p, s.Loops, func(loops []Extent) {
		pack(&p, loops, func(e Extent) {
			p.number(e.N)
			pack(&p, e.Of, func(t string) { p.texts(t) })
		})
	})
	p.texts(s.Body, s.File)
	p.number(int64(s.Line))
	return p
}

// Unpack reads what Pack wrote. An error says that the bytes are not that.
func Unpack(b []byte) (*Straight, error) {
	u := unpacker{rest: b}
	var s Straight
	s.Imports = unpack(&u, func() Import { return Import{u.text(), u.text()} })
	s.Vars = unpack(&u, func() Var { return Var{u.text(), u.text(), u.typ(0)} })
	for _, refs := range []*[]Ref{&s.Funcs, &s.Types, &s.Instances} {
		*refs = unpack(&u, func() Ref { return Ref{u.text(), u.text()} })
	}
	s.Stands = unpack(&u, u.text)
	s.Needs = unpack(&u, func() *TypeRef { return u.typ(0) })
	s.Loops = unpack(&u, func() []Extent {
		return unpack(&u, func() Extent { return Extent{u.number(), unpack(&u, u.text)} })
	})
	s.Body, s.File = u.text(), u.text()
	s.Line = int(u.number())
	if u.bad || len(u.rest) > 0 {
		return nil, errors.New("read a cell for the instant engine: the frame is damaged")
	}
	return &s, nil
}

type packer []byte

func (p *packer) number(n int64) { *p = binary.AppendVarint(*p, n) }

func (p *packer) texts(texts ...string) {
	for _, t := range texts {
		*p = append(binary.AppendUvarint(*p, uint64(len(t))), t...)
	}
}

func pack[T any](p *packer, list []T, each func(T)) {
	*p = binary.AppendUvarint(*p, uint64(len(list)))
	for _, x := range list {
		each(x)
	}
}

// typ writes a type behind a 1, nil as a 0.
func (p *packer) typ(t *TypeRef) {
	if t == nil {
		*p = append(*p, 0)
		return
	}
	varia := int64(0)
	if t.Varia {
		varia = 1
	}
	*p = append(*p, 1)
	p.number(int64(t.Kind))
	p.texts(t.Name, t.Pkg)
	p.number(t.Len)
	p.number(varia)
	p.typ(t.Elem)
	p.typ(t.Key)
	pack(p, t.In, p.typ)
	pack(p, t.Out, p.typ)
}

// unpacker reads from rest; bad says that something was not as it should be, and what
// is read from then on is zero.
type unpacker struct {
	rest []byte
	bad  bool
}

func (u *unpacker) fail() {
	u.rest, u.bad = nil, true
}

func (u *unpacker) number() int64 {
	n, size := binary.Varint(u.rest)
	if size <= 0 {
		u.fail()
		return 0
	}
	u.rest = u.rest[size:]
	return n
}

// length is one of texts or elements, which take a byte each at least.
func (u *unpacker) length() int {
	n, size := binary.Uvarint(u.rest)
	if size <= 0 || n > uint64(len(u.rest)-size) {
		u.fail()
		return 0
	}
	u.rest = u.rest[size:]
	return int(n)
}

func (u *unpacker) text() string {
	n := u.length()
	t := string(u.rest[:n])
	u.rest = u.rest[n:]
	return t
}

func unpack[T any](u *unpacker, each func() T) []T {
	var list []T
	for range u.length() {
		list = append(list, each())
		if u.bad {
			return nil
		}
	}
	return list
}

// maxDepth is how deep types may be nested.
const maxDepth = 1000

func (u *unpacker) typ(depth int) *TypeRef {
	if len(u.rest) == 0 || depth > maxDepth {
		u.fail()
		return nil
	}
	there := u.rest[0]
	if u.rest = u.rest[1:]; there == 0 {
		return nil
	}
	deeper := func() *TypeRef { return u.typ(depth + 1) }
	t := &TypeRef{Kind: TypeKind(u.number()), Name: u.text(), Pkg: u.text(), Len: u.number(), Varia: u.number() == 1}
	t.Elem, t.Key = deeper(), deeper()
	t.In, t.Out = unpack(u, deeper), unpack(u, deeper)
	return t
}
