// Package yaegi is the instant engine: it runs straight-line cells over the
// session's memory by interpreting them.
package yaegi
