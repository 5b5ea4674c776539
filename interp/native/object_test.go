package native

import "testing"

func TestLocalTypeNames(t *testing.T) {
	for name, want := range map[string]bool{
		"type:main.local·1":                       true,
		"type:map[string][]main.local·12":         true,
		"go:itab.main.local·1,error":              true,
		"main.(*local·2).Lock":                    true,
		"main..dict.Map[main.local·1]":            true,
		"type:*main.local[int]·1":                 true,
		"type:main.local[go.shape.[]int]·3":       true,
		"type:pkg.local[main.Point]·1":            false,
		"type:main.Point":                         false,
		"main.Ξf_f_0123456789abcdef·f":            false,
		"type:func(main.Point) other/pkg.local·1": false,
		"type:[]main.PointΞ2":                     false,
	} {
		if got := localType.MatchString(name); got != want {
			t.Errorf("%s belongs to a function: %v, want %v", name, got, want)
		}
	}
}

// FuzzHideLocalTypes: a damaged archive is refused or left alone.
func FuzzHideLocalTypes(f *testing.F) {
	f.Add([]byte(objMagic + "fingerprint and so on, long enough to hold all offsets of the blocks"))
	f.Fuzz(func(_ *testing.T, archive []byte) { _ = hideLocalTypes(archive) })
}
