package monitor

import (
	"os"
	"testing"
)

func TestHostRoom(t *testing.T) {
	if _, err := os.Stat("/proc/meminfo"); err != nil {
		t.Skip("the system does not tell: ", err)
	}
	free, total := HostRoom()
	if free <= 0 || total < free || free == total {
		t.Errorf("%d bytes free of %d", free, total)
	}
}
