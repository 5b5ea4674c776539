package check

import "maps"

// layers is a map that is cheap to copy: a base that copies share and never write
// to, and what was changed since. A session's names grow with every cell, and each
// check works on a copy of them.
type layers[K comparable, V any] struct {
	base map[K]V
	top  map[K]entry[V]
}

// entry is a value, or that there is none any more.
type entry[V any] struct {
	value V
	gone  bool
}

// Get is the value of key, the zero value if it has none.
func (l *layers[K, V]) Get(key K) V {
	v, _ := l.lookup(key)
	return v
}

func (l *layers[K, V]) lookup(key K) (V, bool) {
	if e, ok := l.top[key]; ok {
		return e.value, !e.gone
	}
	v, ok := l.base[key]
	return v, ok
}

// Set gives key a value.
func (l *layers[K, V]) Set(key K, v V) { l.put(key, entry[V]{value: v}) }

// Delete takes key out.
func (l *layers[K, V]) Delete(key K) { l.put(key, entry[V]{gone: true}) }

func (l *layers[K, V]) put(key K, e entry[V]) {
	if l.top == nil {
		l.top = map[K]entry[V]{}
	}
	l.top[key] = e
}

// All yields all keys with their values, in no order. The map must not change
// meanwhile.
func (l *layers[K, V]) All() func(yield func(K, V) bool) {
	return func(yield func(K, V) bool) {
		for k, e := range l.top {
			if !e.gone && !yield(k, e.value) {
				return
			}
		}
		for k, v := range l.base {
			if _, changed := l.top[k]; !changed && !yield(k, v) {
				return
			}
		}
	}
}

func (l *layers[K, V]) clone() layers[K, V] {
	return layers[K, V]{base: l.base, top: maps.Clone(l.top)}
}

// settle makes one layer of two when the upper has grown, so that copies stay cheap:
// a copy of everything, each time that a part of it has changed.
func (l *layers[K, V]) settle() {
	if len(l.top) < 16+len(l.base)/16 {
		return
	}
	base := make(map[K]V, len(l.base)+len(l.top))
	maps.Insert(base, l.All())
	l.base, l.top = base, nil
}
