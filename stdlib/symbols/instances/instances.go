// Package instances holds compiled instances of the standard library's generic
// functions, and of the built-in min and max, for the instant engine: those over
// basic types that notebooks use. Only the worker imports it; the front asks
// symbols/list which there are. It imports the standard library only.
package instances

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
)

// Table holds instances by their names, as "slices.Sort[[]int,int]".
type Table map[string]any

// All makes the table.
func All() Table {
	t := Table{}
	addOrdered[int](t)
	addOrdered[float64](t)
	addOrdered[string](t)
	addOrdered[byte](t)
	addOrdered[rune](t)
	addOrdered[int64](t)
	addOrdered[float32](t)
	addComparable[bool](t)
	addSlices[any](t)
	addMaps[string](t)
	addMaps[int](t)
	addExtreme[int8](t)
	addExtreme[int16](t)
	addExtreme[uint](t)
	addExtreme[uint16](t)
	addExtreme[uint32](t)
	addExtreme[uint64](t)
	addExtreme[uintptr](t)
	return t
}

// Find is the instance called name, the zero Value if there is none.
func (t Table) Find(name string) reflect.Value { return reflect.ValueOf(t[name]) }

// nameOf is T as types writes it.
func nameOf[T any]() string {
	t := reflect.TypeFor[T]()
	if t.Kind() == reflect.Interface {
		return "any"
	}
	return t.String()
}

// addExtreme adds the built-in min and max of any number of values.
func addExtreme[T cmp.Ordered](t Table) {
	n := nameOf[T]()
	t["min["+n+"]"] = func(x T, more ...T) T {
		for _, y := range more {
			x = min(x, y)
		}
		return x
	}
	t["max["+n+"]"] = func(x T, more ...T) T {
		for _, y := range more {
			x = max(x, y)
		}
		return x
	}
}

func addOrdered[T cmp.Ordered](t Table) {
	addComparable[T](t)
	addExtreme[T](t)
	n := nameOf[T]()
	of := "[[]" + n + "," + n + "]"
	t["slices.Sort"+of] = slices.Sort[[]T]
	t["slices.IsSorted"+of] = slices.IsSorted[[]T]
	t["slices.Max"+of] = slices.Max[[]T]
	t["slices.Min"+of] = slices.Min[[]T]
	t["slices.BinarySearch"+of] = slices.BinarySearch[[]T]
	t["slices.Compare"+of] = slices.Compare[[]T]
	t["slices.Sorted["+n+"]"] = slices.Sorted[T]
	t["cmp.Compare["+n+"]"] = cmp.Compare[T]
	t["cmp.Less["+n+"]"] = cmp.Less[T]
}

func addComparable[T comparable](t Table) {
	addSlices[T](t)
	n := nameOf[T]()
	of := "[[]" + n + "," + n + "]"
	t["slices.Contains"+of] = slices.Contains[[]T]
	t["slices.Index"+of] = slices.Index[[]T]
	t["slices.Equal"+of] = slices.Equal[[]T]
	t["slices.Compact"+of] = slices.Compact[[]T]
	t["cmp.Or["+n+"]"] = cmp.Or[T]
}

func addSlices[T any](t Table) {
	n := nameOf[T]()
	of := "[[]" + n + "," + n + "]"
	t["slices.Clone"+of] = slices.Clone[[]T]
	t["slices.Clip"+of] = slices.Clip[[]T]
	t["slices.Grow"+of] = slices.Grow[[]T]
	t["slices.Concat"+of] = slices.Concat[[]T]
	t["slices.Delete"+of] = slices.Delete[[]T]
	t["slices.Insert"+of] = slices.Insert[[]T]
	t["slices.Replace"+of] = slices.Replace[[]T]
	t["slices.Repeat"+of] = slices.Repeat[[]T]
	t["slices.Reverse"+of] = slices.Reverse[[]T]
	t["slices.SortFunc"+of] = slices.SortFunc[[]T]
	t["slices.SortStableFunc"+of] = slices.SortStableFunc[[]T]
	t["slices.MaxFunc"+of] = slices.MaxFunc[[]T]
	t["slices.MinFunc"+of] = slices.MinFunc[[]T]
	t["slices.ContainsFunc"+of] = slices.ContainsFunc[[]T]
	t["slices.IndexFunc"+of] = slices.IndexFunc[[]T]
	t["slices.DeleteFunc"+of] = slices.DeleteFunc[[]T]
	t["slices.Values"+of] = slices.Values[[]T]
	t["slices.Collect["+n+"]"] = slices.Collect[T]
}

func addMaps[K cmp.Ordered](t Table) {
	addMap[K, int](t)
	addMap[K, string](t)
	addMap[K, float64](t)
	addMap[K, bool](t)
	addMap[K, any](t)
	addMap[K, []string](t)
	addMap[K, []int](t)
}

func addMap[K cmp.Ordered, V any](t Table) {
	k, v := nameOf[K](), nameOf[V]()
	m := "map[" + k + "]" + v
	of := "[" + m + "," + k + "," + v + "]"
	t["maps.Keys"+of] = maps.Keys[map[K]V]
	t["maps.Values"+of] = maps.Values[map[K]V]
	t["maps.Clone"+of] = maps.Clone[map[K]V]
	t["maps.Copy["+m+","+m+","+k+","+v+"]"] = maps.Copy[map[K]V, map[K]V]
}
