// Package native is the full engine: it turns a checked cell into Go text, has the
// toolchain's compiler and linker make a plugin of it, and keeps built cells.
//
// All cells of a session are one package to the compiler, path check.PkgPath. Each
// plugin holds what its cell declares, and repeats the types that it uses: the
// dynamic linker makes all copies of a type descriptor one. Everything else with a
// name of its own is unique to its plugin (the names carry the hash of the text),
// and reaches variables and functions of other cells through pointers that
// cellrt.Table hands out under a check of their type.
//
// It runs in the front. It imports interp/check and, from the library, go/types.
package native
