package instances_test

import (
	"flag"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"attune/stdlib/symbols/instances"
)

var update = flag.Bool("update", false, "write the list anew")

// TestList holds the list that the front reads to what there is.
func TestList(t *testing.T) {
	const file = "../list/instances.txt"
	want := strings.Join(slices.Sorted(maps.Keys(instances.All())), "\n") + "\n"
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("the list differs: run go test ./stdlib/symbols/instances -update")
	}
}

// TestNames compares each function's type with its name.
func TestNames(t *testing.T) {
	all := instances.All()
	for name, want := range map[string]string{
		"slices.Sort[[]int,int]":                        "func([]int)",
		"slices.Contains[[]string,string]":              "func([]string, string) bool",
		"slices.Max[[]float64,float64]":                 "func([]float64) float64",
		"slices.Index[[]uint8,uint8]":                   "func([]uint8, uint8) int",
		"slices.Insert[[]any,any]":                      "func([]interface {}, int, ...interface {}) []interface {}",
		"maps.Keys[map[string][]int,string,[]int]":      "func(map[string][]int) iter.Seq[string]",
		"maps.Copy[map[int]bool,map[int]bool,int,bool]": "func(map[int]bool, map[int]bool)",
		"min[int32]": "func(int32, ...int32) int32",
	} {
		v := all.Find(name)
		if !v.IsValid() || v.Type().String() != want {
			t.Errorf("%s is %v, want %s", name, v, want)
		}
	}
	if all.Find("slices.Sort").IsValid() {
		t.Error("found what is not there")
	}
}
