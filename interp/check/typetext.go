package check

import (
	"fmt"
	"go/types"
	"strconv"
	"strings"
)

// TypeWriter writes types as Go text for compiled code: session types by their
// key, packages by an import name of the writer's own choosing.
type TypeWriter struct {
	Scope *Scope
	// Import returns the name under which path is imported in the text's file.
	Import func(path, name string) string
	// Use is told of each session type that the text names.
	Use func(*Decl)
	// Plain writes session types by their names, for text that is checked again.
	Plain bool
	// Hidden, where given, writes types that their package does not export.
	Hidden func(*types.TypeName) string
	err    error
}

// Text is t as Go text. It fails for types that no text outside their package or
// function can name.
func (w *TypeWriter) Text(t types.Type) (string, error) {
	var b strings.Builder
	w.err = nil
	w.write(&b, t)
	return b.String(), w.err
}

func (w *TypeWriter) write(b *strings.Builder, t types.Type) {
	switch t := t.(type) {
	case *types.Basic:
		w.basic(b, t)
	case *types.Alias:
		w.write(b, types.Unalias(t))
	case *types.Named:
		w.named(b, t)
	case *types.TypeParam:
		b.WriteString(t.Obj().Name())
	case *types.Pointer:
		b.WriteByte('*')
		w.write(b, t.Elem())
	case *types.Slice:
		b.WriteString("[]")
		w.write(b, t.Elem())
	case *types.Array:
		b.WriteString("[" + strconv.FormatInt(t.Len(), 10) + "]")
		w.write(b, t.Elem())
	case *types.Map:
		b.WriteString("map[")
		w.write(b, t.Key())
		b.WriteByte(']')
		w.write(b, t.Elem())
	case *types.Chan:
		b.WriteString([...]string{"chan ", "chan<- ", "<-chan "}[t.Dir()])
		b.WriteByte('(')
		w.write(b, t.Elem())
		b.WriteByte(')')
	case *types.Signature:
		b.WriteString("func")
		w.signature(b, t)
	case *types.Struct:
		w.structure(b, t)
	case *types.Interface:
		w.iface(b, t)
	case *types.Union:
		for i := range t.Len() {
			if i > 0 {
				b.WriteString(" | ")
			}
			if t.Term(i).Tilde() {
				b.WriteByte('~')
			}
			w.write(b, t.Term(i).Type())
		}
	default:
		w.fail(t)
	}
}

func (w *TypeWriter) fail(t types.Type) {
	if w.err == nil {
		w.err = fmt.Errorf("no other cell can name its type, %s; an interface that it implements would do: var x io.Reader = …", t)
	}
}

func (w *TypeWriter) basic(b *strings.Builder, t *types.Basic) {
	switch t.Kind() {
	case types.UnsafePointer:
		b.WriteString(w.Import("unsafe", "unsafe") + ".Pointer")
	case types.Invalid, types.UntypedNil:
		w.fail(t)
	default:
		b.WriteString(types.Default(t).String())
	}
}

func (w *TypeWriter) named(b *strings.Builder, t *types.Named) {
	obj := t.Obj()
	d := w.Scope.DeclOf(obj)
	switch {
	case d != nil:
		if w.Use != nil {
			w.Use(d)
		}
		if w.Plain {
			b.WriteString(d.Name)
		} else {
			b.WriteString(d.Key)
		}
	case obj.Pkg() == nil:
		b.WriteString(obj.Name())
	case obj.Pkg().Path() == PkgPath || !obj.Exported():
		name := ""
		if w.Hidden != nil && obj.Pkg().Path() != PkgPath && t.TypeArgs().Len() == 0 {
			name = w.Hidden(obj)
		}
		if name == "" {
			w.fail(t)
		}
		b.WriteString(name)
	default:
		b.WriteString(w.Import(obj.Pkg().Path(), obj.Pkg().Name()) + "." + obj.Name())
	}
	if args := t.TypeArgs(); args.Len() > 0 {
		b.WriteByte('[')
		for i := range args.Len() {
			if i > 0 {
				b.WriteString(", ")
			}
			w.write(b, args.At(i))
		}
		b.WriteByte(']')
	}
}

// signature writes parameters as p0, p1 … so that a caller can pass them on.
func (w *TypeWriter) signature(b *strings.Builder, t *types.Signature) {
	b.WriteByte('(')
	for i := range t.Params().Len() {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(b, "p%d ", i)
		typ := t.Params().At(i).Type()
		if s, ok := typ.(*types.Slice); ok && t.Variadic() && i == t.Params().Len()-1 {
			b.WriteString("...")
			typ = s.Elem()
		}
		w.write(b, typ)
	}
	b.WriteByte(')')
	if n := t.Results().Len(); n > 0 {
		b.WriteString(" (")
		for i := range n {
			if i > 0 {
				b.WriteString(", ")
			}
			w.write(b, t.Results().At(i).Type())
		}
		b.WriteByte(')')
	}
}

func (w *TypeWriter) structure(b *strings.Builder, t *types.Struct) {
	b.WriteString("struct{")
	for i := range t.NumFields() {
		f := t.Field(i)
		if !f.Exported() && f.Pkg() != nil && f.Pkg().Path() != PkgPath {
			w.fail(t)
		}
		if !f.Embedded() {
			b.WriteString(f.Name() + " ")
		}
		w.write(b, f.Type())
		if tag := t.Tag(i); tag != "" {
			b.WriteString(" " + strconv.Quote(tag))
		}
		b.WriteString("; ")
	}
	b.WriteByte('}')
}

func (w *TypeWriter) iface(b *strings.Builder, t *types.Interface) {
	b.WriteString("interface{")
	for i := range t.NumExplicitMethods() {
		m := t.ExplicitMethod(i)
		b.WriteString(m.Name())
		w.signature(b, m.Type().(*types.Signature))
		b.WriteString("; ")
	}
	for i := range t.NumEmbeddeds() {
		w.write(b, t.EmbeddedType(i))
		b.WriteString("; ")
	}
	b.WriteByte('}')
}

// Walk calls f for every type that t is built of, named types not entered.
func Walk(t types.Type, f func(types.Type)) {
	seen := map[types.Type]bool{}
	var walk func(types.Type)
	tuple := func(t *types.Tuple) {
		for i := range t.Len() {
			walk(t.At(i).Type())
		}
	}
	walk = func(t types.Type) {
		if t == nil || seen[t] {
			return
		}
		seen[t] = true
		f(t)
		switch t := t.(type) {
		case *types.Alias:
			walk(types.Unalias(t))
		case *types.Named:
			for i := range t.TypeArgs().Len() {
				walk(t.TypeArgs().At(i))
			}
		case *types.Pointer:
			walk(t.Elem())
		case *types.Slice:
			walk(t.Elem())
		case *types.Array:
			walk(t.Elem())
		case *types.Chan:
			walk(t.Elem())
		case *types.Map:
			walk(t.Key())
			walk(t.Elem())
		case *types.Signature:
			tuple(t.Params())
			tuple(t.Results())
		case *types.Struct:
			for i := range t.NumFields() {
				walk(t.Field(i).Type())
			}
		case *types.Interface:
			for i := range t.NumMethods() {
				walk(t.Method(i).Type())
			}
			for i := range t.NumEmbeddeds() {
				walk(t.EmbeddedType(i))
			}
		case *types.Union:
			for i := range t.Len() {
				walk(t.Term(i).Type())
			}
		}
	}
	walk(t)
}
