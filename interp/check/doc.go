// Package check is the static half of a cell's way: it splits a cell into its
// declarations and statements, type-checks them in the session's scope, and says
// what the cell declares, uses and displays. It runs in the front and never runs a
// user's code. It owns the session's names (Scope) and their history.
//
// A cell is checked by go/types as one package "main" whose scope already holds the
// objects of earlier cells; its statements stand in a function of their own. So the
// rules, and the messages, are the compiler's.
//
// It imports the standard library and golang.org/x/tools only.
package check
