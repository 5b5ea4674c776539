package monitor

import "testing"

func TestHostRooms(t *testing.T) {
	free, total := HostRoom()
	if free <= 0 || total < free {
		t.Skipf("the system does not tell: %d of %d", free, total)
	}
	m := New()
	was := Session()
	Use(m)
	defer Use(was)
	for _, r := range HostRooms() {
		if r.Own <= 0 || r.Free < 0 || r.All < r.Free || r.Others() > r.All {
			t.Errorf("room %+v, others %d", r, r.Others())
		}
	}
	// A session that may hold little more than it does is the tightest of all.
	limit := residentSet() + 64<<20
	m.SetLimit(limit)
	if free, total := HostRoom(); total != limit || free <= 0 || free > 64<<20 {
		t.Errorf("under a limit of %d: %d of %d", limit, free, total)
	}
	m.SetLimit(1)
	if free, _ := HostRoom(); free != 0 {
		t.Errorf("over the limit %d are free", free)
	}
}
