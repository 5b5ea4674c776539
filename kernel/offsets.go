package kernel

import "unicode/utf8"

// byteOffset turns a cursor in code points into a byte offset. A cursor past the
// end is the end, as is none at all.
func byteOffset(code string, cursor *int) int {
	if cursor == nil {
		return len(code)
	}
	points := *cursor
	for i := range code {
		if points <= 0 {
			return i
		}
		points--
	}
	return len(code)
}

// pointOffset turns a byte offset into code points. An offset inside a rune
// counts the bytes before it as they stand.
func pointOffset(code string, offset int) int {
	return utf8.RuneCountInString(code[:min(max(offset, 0), len(code))])
}
