package native

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"regexp"
)

// The parts of a Go object that are read here (cmd/internal/goobj): a header of the
// magic, the fingerprint, flags and the offsets of the blocks, the blocks of symbols
// one after the other, and in each symbol its name and its flags.
const (
	objMagic    = "\x00go120ld"
	objOffsets  = len(objMagic) + 8 + 4
	blkSymbols  = 3 // the first block of defined symbols
	blkRefs     = 8 // what follows the last block of symbols
	symbolSize  = 21
	symbolFlag  = 11
	symbolLocal = 1 << 1
)

// localType is in the name of everything that is made for a type declared inside a
// function, with its number in the text: another text has another type of that name.
var localType = regexp.MustCompile(`main\.(\(\*)?[^][(){} ,;]*(\[.*\])?·[0-9]`)

// object is where the Go object begins in an archive.
func object(archive []byte) (int, error) {
	i := bytes.Index(archive, []byte(objMagic))
	if i < 0 || len(archive) < i+objOffsets+4*(blkRefs+1) {
		return 0, fmt.Errorf("no Go object of the known format in the archive: this Go version is not supported")
	}
	return i, nil
}

// hideLocalTypes makes the types that functions declare this plugin's own: the
// dynamic linker would take another plugin's type of the same name and number for it.
func hideLocalTypes(archive []byte) error {
	at, err := object(archive)
	if err != nil {
		return err
	}
	obj := archive[at:]
	offset := func(block int) int { return int(binary.LittleEndian.Uint32(obj[objOffsets+4*block:])) }
	from, to := offset(blkSymbols), offset(blkRefs)
	if from > to || to > len(obj) || (to-from)%symbolSize != 0 {
		return fmt.Errorf("the symbols of the Go object are not where they were: this Go version is not supported")
	}
	for sym := obj[from:to]; len(sym) > 0; sym = sym[symbolSize:] {
		n, name := int(binary.LittleEndian.Uint32(sym)), int(binary.LittleEndian.Uint32(sym[4:]))
		if name+n > len(obj) {
			return fmt.Errorf("a name of the Go object is not where it was: this Go version is not supported")
		}
		if localType.Match(obj[name : name+n]) {
			sym[symbolFlag] |= symbolLocal
		}
	}
	return nil
}
