package native

import (
	"context"
	"testing"
)

func TestWarmTmp(t *testing.T) {
	if err := Warm(context.Background(), "/work/main", "/tmp/lib", func(s string) { t.Log(s) }); err != nil {
		t.Fatal(err)
	}
}
