package nn

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"attune/gpu"
)

// seedModel is the CNN of the method's text: 167,562 parameters.
func seedModel(net *Net) *Sequential {
	return net.Sequential("cnn",
		net.Conv2D("conv1", 3, 32, 3), ReLU(), MaxPool2D(2),
		net.Conv2D("conv2", 32, 64, 3), ReLU(), MaxPool2D(2),
		Flatten(), net.Linear("dense", 64*6*6, 64), ReLU(), net.Linear("head", 64, 10))
}

func TestSummaryOfAConvolutionalNet(t *testing.T) {
	net := NewNet(open(t), 1)
	model := seedModel(net)
	before := net.Device().Memory().Total.Live
	s, err := Summary(net, model, 32, 3, 32, 32)
	if err != nil {
		t.Fatal(err)
	}
	sum := s.Sum()
	if sum.Parameters != 167562 || sum.Frozen != 0 || !slices.Equal(sum.Result, []int{32, 10}) {
		t.Errorf("sum is %+v, want 167562 parameters and a result of (32, 10)", sum)
	}
	// By hand: 2 N OH OW out in 9 for the first convolution.
	if r := s.Rows()[1]; r.FLOPs != 2*32*30*30*32*27 || r.Parameters != 896 || r.Bytes != 32*32*30*30*4 || !strings.HasSuffix(r.Layer, "conv1") {
		t.Errorf("first convolution is %+v", r)
	}
	if net.Device().Memory().Total.Live != before {
		t.Error("the summary left memory on the device")
	}
	if text := s.String(); !strings.Contains(text, "(32, 64, 6, 6)") || !strings.Contains(text, "167562") {
		t.Errorf("table says\n%s", text)
	}
	if g := s.Graph(); len(g.Nodes) != len(s.Ops) || len(g.Edges) != len(s.Ops)-1 {
		t.Errorf("graph of a chain of %d has %d nodes and %d arrows", len(s.Ops), len(g.Nodes), len(g.Edges))
	}
	if _, err := net.Freeze("conv*"); err != nil {
		t.Fatal(err)
	}
	if s, err = Summary(net, model, 1, 3, 32, 32); err != nil || s.Sum().Frozen != 896+18496 {
		t.Errorf("frozen: %+v, %v", s, err)
	}
	if s, err := Summary(net, net.Sequential("bare", model.Layers[0], net.Linear("tail", 28800, 2)), 1, 3, 32, 32); err == nil || !strings.Contains(err.Error(), "Flatten") {
		t.Errorf("a dense layer on images without Flatten: %v, %v", s, err)
	}
}

// A batch of two images is learned by heart, with BatchNorm, and in use the net knows
// them by its running statistics.
func TestConvolutionalNetLearns(t *testing.T) {
	net := NewNet(open(t), 1)
	model := net.Sequential("cnn", net.Conv2D("conv", 1, 4, 3, gpu.ConvOptions{Padding: 1}), net.BatchNorm("norm", 4), ReLU(), AvgPool2D(2), Flatten(), net.Linear("head", 16, 2))
	x := make([]float32, 32)
	for i := range x {
		x[i] = float32(i*i%7) / 7
	}
	adam := gpu.NewAdam(0.02)
	var first, last float64
	for i := range 120 {
		loss, err := net.Step(adam, func(t *Tape) *Value { return t.CrossEntropy(model.Apply(t, t.Input(x, 2, 1, 4, 4)), []int{0, 1}) })
		if err != nil {
			t.Fatal(err)
		}
		if last = loss; i == 0 {
			first = loss
		}
	}
	scores, err := net.Eval(func(t *Tape) *Value { return model.Apply(t, t.Input(x, 2, 1, 4, 4)) })
	if guess := Argmax(scores, 2); err != nil || last > first/10 || guess[0] != 0 || guess[1] != 1 {
		t.Fatalf("loss %g to %g, guesses %v: %v", first, last, guess, err)
	}
}

// Running statistics move once a pass, also where the layer is computed twice.
func TestCheckpointedBatchNormMovesOnce(t *testing.T) {
	var means [2][]float32
	for i := range means {
		net := NewNet(open(t), 1)
		norm, head := net.BatchNorm("norm", 3), net.Linear("head", 3, 1)
		model := net.Sequential("m", norm, head)
		if i == 1 {
			model.Cuts = []int{1}
		}
		if _, err := net.Step(gpu.NewSGD(.1), func(t *Tape) *Value {
			return t.MSE(model.Apply(t, t.Input([]float32{1, 2, 3, 5, 7, 11}, 2, 3)), []float32{1, -1})
		}); err != nil {
			t.Fatal(err)
		}
		for _, p := range []*Param{norm.Mean, norm.Variance, norm.Gain, head.W} {
			x, err := p.Value.Float32s()
			if err != nil {
				t.Fatal(err)
			}
			means[i] = append(means[i], x...)
		}
	}
	if !slices.Equal(means[0], means[1]) || means[0][0] == 0 {
		t.Errorf("once %v, twice %v", means[0], means[1])
	}
}

func TestSaveAndLoad(t *testing.T) {
	build := func(seed uint64, classes int) *Net {
		net := NewNet(open(t), seed)
		net.Conv2D("conv", 1, 2, 3)
		net.BatchNorm("norm", 2)
		net.Linear("head", 4, classes)
		return net
	}
	values := func(n *Net) (all []float32) {
		for _, p := range n.saved() {
			x, err := p.Value.Float32s()
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, x...)
		}
		return all
	}
	a, b, other := build(1, 3), build(2, 3), build(3, 5)
	name := filepath.Join(t.TempDir(), "net.safetensors")
	if err := errors.Join(a.SaveFile(name), b.LoadFile(name)); err != nil || !slices.Equal(values(a), values(b)) {
		t.Fatalf("what was loaded is not what was saved: %v", err)
	}
	before := values(other)
	if err := other.LoadFile(name); err == nil || !strings.Contains(err.Error(), "head.w is F32 (4, 3) in the file and F32 (4, 5) here") || !slices.Equal(before, values(other)) {
		t.Errorf("loading another head: %v", err)
	}
	if err := other.LoadFile(name, "conv", "norm"); err != nil || !slices.Equal(values(other)[:18], values(a)[:18]) {
		t.Errorf("loading the trunk: %v", err)
	}
	if err := other.LoadFile(name, "trunk"); err == nil {
		t.Error("a pattern that names nothing was taken")
	}
	if err := b.Load(bytes.NewReader([]byte("no file"))); err == nil {
		t.Error("nonsense was loaded")
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(name), ".*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

const readNet = `
import sys
from safetensors.numpy import load_file, save_file
x = load_file(sys.argv[1])
print(*(f"{k} {x[k].dtype} {x[k].shape} {float(x[k].astype('f8').sum()):.5f}" for k in sorted(x)), sep="\n")
save_file({k: v * 2 for k, v in x.items()}, sys.argv[1])
`

// Python reads what Save writes, and Load what Python writes. ATTUNE_PYTHON names the
// Python that has safetensors and numpy.
func TestPythonReadsTheNet(t *testing.T) {
	python := os.Getenv("ATTUNE_PYTHON")
	if python == "" {
		python = "python3"
	}
	if out, err := exec.Command(python, "-c", "import safetensors, numpy").CombinedOutput(); err != nil {
		t.Skipf("%s has no safetensors and numpy (pip install safetensors numpy): %s", python, out)
	}
	net := NewNet(open(t), 1)
	head := net.Linear("head", 2, 3)
	if err := head.W.Value.CopyFrom([]float32{1, 2, 3, 4, 5, 6.5}); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "net.safetensors")
	if err := net.SaveFile(name); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(python, "-c", readNet, name).CombinedOutput()
	if want := "head.b float32 (3,) 0.00000\nhead.w float32 (2, 3) 21.50000\n"; err != nil || string(out) != want {
		t.Fatalf("Python read\n%s\nwant\n%s: %v", out, want, err)
	}
	if err := net.LoadFile(name); err != nil {
		t.Fatal(err)
	}
	if x, err := head.W.Value.Float32s(); err != nil || x[5] != 13 {
		t.Errorf("read back %v: %v", x, err)
	}
}
