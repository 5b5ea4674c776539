package gpu

import "attune/gpu/host"

// bounds are the least and the largest of the integers that the host put into a whole
// storage, with their places: what a device computes by them can be refused without
// asking it for them.
type bounds struct {
	least, most     int32
	leastAt, mostAt int
}

// put notes what the host writes to t, row-major; nothing is known of a part, nor on the
// CPU, where everybody may write.
func (t *Tensor) put(src []byte) {
	if t.dtype != Int32 {
		return
	}
	t.store.known.Store(nil)
	if _, ok := t.store.dev.back.(cpu); ok || len(src) == 0 || int64(len(src)) != t.store.block.Size() {
		return
	}
	ids := host.As[int32](src)
	b := bounds{least: ids[0], most: ids[0]}
	for i, id := range ids {
		if id < b.least {
			b.least, b.leastAt = id, i
		}
		if id > b.most {
			b.most, b.mostAt = id, i
		}
	}
	t.store.known.Store(&b)
}

// overwritten forgets what the host put into t.
func (t *Tensor) overwritten() {
	if t.dtype == Int32 {
		t.store.known.Store(nil)
	}
}

// beyond says which of the ids a table lacks, as far as the host knows them.
func beyond(ids, table *Tensor) string {
	b := ids.store.known.Load()
	rows := table.shape[0]
	switch {
	case b == nil || int64(ids.Len())*4 != ids.store.block.Size():
		return ""
	case b.least < 0:
		return host.NoRow(b.least, b.leastAt, rows).Error()
	case int(b.most) >= rows:
		return host.NoRow(b.most, b.mostAt, rows).Error()
	}
	return ""
}
