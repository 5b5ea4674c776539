// Package yaegi is the instant engine: it runs straight-line cells over the
// session's memory by interpreting them, about half a millisecond after they are
// known. It owns the interpreter github.com/traefik/yaegi/interp, which it alone
// imports; apart from that it imports the standard library only. The symbol tables
// are handed in.
//
// # The normal form
//
// The interpreter is right about the text below and wrong about much else, so a
// planner writes cells in this form, from type-checked syntax:
//
//  1. A session variable x is (*x), for new ones as well: a definition x := e at
//     the top of a cell becomes an assignment. A definition that mixes new session
//     variables with old ones, or with _, is an assignment to all of them.
//  2. A constant expression, as large as it can be taken, is T(literal), T being
//     its type or default type (an untyped one takes the type of its context):
//     time.Duration(2000000000), int32(97), float64(1.5), true, "text". Without
//     this 1/2+x, 7/2*2, 'a' as a map key and consts of cell types go wrong.
//     Array lengths and case lists fold too; const declarations stay.
//  3. An assignment L = R is t := R; L = t, unless R is nil, a name, a session
//     variable's (*x) or a constant. L1, L2 = R1, R2 is t1 := R1; t2 := R2;
//     L1, L2 = t1, t2; x, ok = R and x, y = f() are t1, t2 := R; x, y = t1, t2.
//     L must not call anything then. Without this the interpreter drops struct
//     literals and results of operators on their way into *p, interfaces and map
//     elements, without an error, and leaves x alone in a failing x, ok = m[k].
//     In the init or post statement of if, for and switch there is no room for it:
//     there only := is taken, and x++, x op= e and L = R to a local of R's own type.
//  4. An index i of a slice, array, string or pointer to array may be written
//     attune_index(int(i), len(x)), where x calls nothing: an index out of range
//     then panics with the runtime's own words, index and length included. In the
//     same way x[a:b] is x[attune_slice(int(a), int(b), len(x), cap(x)):int(b)], and
//     of a string x[attune_cut(int(a), int(b), len(x)):int(b)].
//
// # White list
//
// Each kind below is right for all operand types that are named, in every place
// (variable, element, map element, field, field of pointer, *p, local, argument,
// element of a literal), by the snippets of testdata, in this form.
//
// Statements: expression statement that is a call; assignment (3); op= for all
// integer kinds with wrap-around, floats, complex, string; ++ and -- on all
// numeric kinds; := and var of locals; local const; block; if with else and init;
// for with one or more loop variables, conditions, labels, break and continue;
// range over slice, array, string and map with := (no other range); switch over
// basic and named basic types, with no tag, init, fallthrough, default anywhere;
// type switch on any or error with compiled types, nil and several types a case;
// return from the cell; goto. Loops are right but 50 to 100 times slower than
// compiled: short ones only.
//
// Expressions: literals; arithmetic, bit operations and shifts of all integer
// kinds (wrap-around right in every intermediate result), float32 rounded after
// each operation, float64, complex; string +; unary - + ^ ! &; == and < of basic types,
// pointers, structs, arrays, interfaces with each other and with values, all
// with nil; && and || with short circuit; conversions between all numeric kinds,
// named types, string/[]byte/[]rune/rune, slice to array, to func types; composite
// literals of slices, arrays, maps and structs with exported fields, nested, elided,
// keyed, & of them; index and slice of string, slice, array (s[a:b:c] too);
// map index, comma-ok, assignment, op=, delete; len cap make new append copy
// complex real imag panic; fields, embedded ones and through pointers; method
// calls of compiled types with value and pointer receivers, on addressable
// values, results and interfaces; calls of compiled functions, variadic, spread,
// f(g()) with several results; func values in variables, fields and results;
// type assertion with one or two results; implicit conversion to interfaces and
// between named and unnamed types; package variables and types; &x of session
// variables, fields and elements.
//
// # Black list
//
// Wrong, and never to be sent:
//
//   - fields that are not exported, read or written, and literals that set them
//     (panics); methods that are not exported (refused);
//
//   - a method value x.M that is not called at once (it sees later changes of x),
//     method expressions T.M, (*T).M;
//
//   - a loop variable whose address is taken or that a closure captures (one for
//     the whole loop), range with = into variables, range over int, func or chan;
//
//   - a shift by a signed count that is not constant (a negative one does not panic);
//
//   - switch with a tag of interface type and basic cases (panics);
//
//   - nil among the right sides of L1, L2 = R1, R2, or an explicit conversion any(x)
//     there (panics); nil assigned to an interface with methods other than error (refused);
//
//   - append to []any results in a []any literal (panics);
//
//   - channels: send, receive, range, close with v, ok = <-c, select (refused, or panics);
//
//   - go, defer, recover; closures (they outlive the cell and run at a thousandth of
//     the speed, though the few forms tried here were right);
//
//   - type declarations, generic functions and types by their instances (an alias
//     given as a type binding is right), min, max, clear (refused): the planner binds
//     compiled instances instead;
//
//   - names that shadow a package or a predeclared identifier: rename them.
//
//   - unnamed types ([]T, map[K]V …) that no compiled code has had yet: reflection
//     would make them, and they would never be the compiled ones;
//
//   - x.(T) with one result, whose failure is worded differently.
//
// Refused is harmless, as Compile then returns an error and the cell runs natively.
// Also refused: x[a:b], append, real, complex, and p.F through a pointer variable,
// directly as an element of a slice literal; t := e before it helps.
//
// # Panics
//
// Of errors that the runtime raises in compiled Go, division by zero, nil maps,
// nil pointers, nil funcs, nil interfaces, makeslice, slice to array and all that
// happens inside compiled functions read exactly as there. Without attune_index
// an index, and always a slice expression, is reported without its numbers. A
// failed assertion says "interface is" where Go names the interface type, a value
// method on a nil pointer reads as Go words it for interfaces, an unhashable key
// reads "hash of unhashable type: T". os.Exit and log.Fatal end the process:
// nothing of the interpreter's stands between, and the tables hold the originals.
package yaegi
