// Package logo owns the kernel's pictures, which front ends show beside its
// name: a tuning fork, its tone going out in two colours. The drawing is
// logo-svg.svg; the two PNG files are made from it by
//
//	rsvg-convert -w 32 -h 32 logo-svg.svg -o logo-32x32.png
//	rsvg-convert -w 64 -h 64 logo-svg.svg -o logo-64x64.png
//
// It imports the standard library only.
package logo

import "embed"

// Files holds logo-32x32.png, logo-64x64.png and logo-svg.svg, under the names
// that a kernelspec's folder must give them (jupyter_client, "Kernel specs").
//
//go:embed logo-32x32.png logo-64x64.png logo-svg.svg
var Files embed.FS
