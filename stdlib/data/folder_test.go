package data

import (
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestFolder(t *testing.T) {
	dir := t.TempDir()
	for class, c := range map[string]color.RGBA{"dog": {200, 100, 50, 255}, "cat": {0, 0, 255, 255}} {
		img := image.NewRGBA(image.Rect(5, 5, 9, 8)) // 4 by 3, not at the origin
		for x := range 4 {
			for y := range 3 {
				img.SetRGBA(5+x, 5+y, c)
				if x < 2 {
					img.SetRGBA(5+x, 5+y, color.RGBA{0, 0, 0, 255})
				}
			}
		}
		if err := os.Mkdir(filepath.Join(dir, class), 0o700); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(filepath.Join(dir, class, "1.PNG"))
		if err == nil {
			err = png.Encode(f, img)
		}
		if err != nil || f.Close() != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(dir, "cat", "notes.txt"), []byte("no picture"))
	p, err := Folder(dir, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(p.Names, []string{"cat", "dog"}) || !slices.Equal(p.Labels, []int{0, 1}) ||
		!slices.Equal(p.One(1), []uint8{0, 200, 0, 100, 0, 50}) || !slices.Equal(p.One(0), []uint8{0, 0, 0, 0, 0, 255}) {
		t.Fatalf("read %s: %v, %v", p, p.Labels, p.Bytes)
	}
	if big, err := Folder(dir, 6, 8); err != nil || big.One(1)[7] != 200 || big.One(1)[0] != 0 {
		t.Errorf("enlarged: %v", err)
	}
	write(t, filepath.Join(dir, "cat", "broken.png"), []byte("\x89PNG"))
	if _, err := Folder(dir, 1, 2); err == nil || !strings.Contains(err.Error(), "broken.png") {
		t.Error("a broken file:", err)
	}
	if _, err := Folder(t.TempDir(), 1, 1); err == nil || !strings.Contains(err.Error(), "a folder of its own") {
		t.Error("an empty folder:", err)
	}
	if _, err := Folder(dir, 0, 1); err == nil {
		t.Error("pictures of no height")
	}
}
