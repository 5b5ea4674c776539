// Command gpucheck checks every CUDA kernel on a real GPU beside the CPU, measures how
// fast attune is there, beside PyTorch where python3 has it, and writes what it found
// as a section of bench/RESULTS.md. It is one binary and needs the NVIDIA driver
// alone; run.sh beside it runs it with all that it can use:
//
//	go build ./gpu/gpucheck && ./gpucheck [-limit 9m] [-torch bench/gpu_torch.py] [cuda:0]
//	./gpucheck -from gpu.md -write bench/RESULTS.md
//
// Each section runs in a process of its own, which goes row by row. A kernel that ends
// the context, hangs or crashes costs its row: another process goes on behind it.
// Rows are written as they come, the plan with its times before.
//
// Exit status 0: all agrees and all goals that were measured are met; 2: not so; 1: there
// was nothing to check. It imports gpu and gpu/kernels, gpu/mem and gpu/nvml.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// options are the command line's. A process for a section gets them again.
type options struct {
	device, torch, python, logs, only, match, variants string
	limit, item                                        time.Duration
	tiny                                               bool // sizes, to see that it works
	list                                               bool // the plan alone

	section string // in a process for one
	after   int    // of its rows, where to begin
	shard   string // which of them: "2/8"
}

func main() {
	var o options
	var write, from string
	flag.DurationVar(&o.limit, "limit", 9*time.Minute, "the time for all")
	flag.DurationVar(&o.item, "item", 20*time.Second, "the time for a row, after which its kernels count as hanging")
	flag.BoolVar(&o.tiny, "tiny", false, "measure at tiny sizes, to see that it works")
	flag.BoolVar(&o.list, "list", false, "tell the plan and do nothing")
	flag.StringVar(&o.only, "only", "", "sections to run, by their names with commas between")
	flag.StringVar(&o.match, "match", "", "compare only what has this in its name")
	flag.StringVar(&o.variants, "variants", "", "a folder of kernels with other constants (go run ./gpu/gpucheck/variants), to measure beside")
	flag.StringVar(&o.torch, "torch", "", "bench/gpu_torch.py, to measure PyTorch in turns with attune")
	flag.StringVar(&o.python, "python", "python3", "the Python for it")
	flag.StringVar(&o.logs, "logs", "", "a folder for each row in full and for the tools' output")
	flag.StringVar(&write, "write", "", "the bench/RESULTS.md to put the section into")
	flag.StringVar(&from, "from", "", "with -write: a section that an earlier run wrote, instead of a new one")
	flag.StringVar(&o.section, "section", "", "used by gpucheck itself")
	flag.IntVar(&o.after, "after", 0, "used by gpucheck itself")
	flag.StringVar(&o.shard, "shard", "", "used by gpucheck itself")
	flag.Parse()
	o.device = "cuda:0"
	if flag.NArg() > 0 {
		o.device = flag.Arg(0)
	}
	os.Exit(start(o, from, write))
}

func start(o options, from, write string) (status int) {
	if o.section != "" {
		if err := child(o, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 3
		}
		return 0
	}
	var text []byte
	var err error
	if from != "" {
		text, err = os.ReadFile(from)
	} else {
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
		var r *run
		if r, err = newRun(o, os.Stdout); err == nil {
			status = r.all(stop)
			text = r.text.Bytes()
		}
	}
	if err == nil && write != "" {
		err = paste(write, text)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gpucheck:", err)
		return 1
	}
	return status
}
