package nvml

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The environment variable that makes the test binary a child: the path of the
// library to open. A library once loaded stays, so each fake needs a process.
const childLibrary = "NVML_TEST_LIBRARY"

func TestMain(m *testing.M) {
	if path := os.Getenv(childLibrary); path != "" {
		report(path)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// report prints everything that the package can say about a library.
func report(path string) {
	l, err := OpenPath(path)
	if err != nil {
		fmt.Println("open:", err, "| no driver:", errors.Is(err, ErrNoDriver))
		return
	}
	v, err := l.DriverVersion()
	fmt.Println("driver:", v, err)
	devices, err := l.Devices()
	fmt.Println("devices:", len(devices), err)
	for _, d := range devices {
		fmt.Println(d.Index, d.Name, d.UUID)
		for range 2 {
			m, err := d.Memory()
			fmt.Println(" memory:", m.Total>>30, m.Used>>30, m.Free>>30, m.Reserved>>30, err, errors.Is(err, ErrLost))
		}
		u, err := d.Utilization()
		fmt.Println(" utilisation:", u.KernelResident, u.MemoryBusy, err)
		p, err := d.Processes()
		fmt.Println(" processes:", p, err)
		t, err := d.Temperature()
		w, err2 := d.Power()
		fmt.Println(" heat:", t, w, err, err2)
		sm, m, err := d.Clocks()
		limit, err2 := d.PowerLimit()
		fmt.Println(" clocks:", sm, m, err, "limit:", limit, err2)
		why, err := d.Throttled()
		fmt.Println(" throttled:", why, err)
		g, n, err := d.Link()
		mig, err2 := d.MIG()
		fmt.Println(" link:", g, n, err, "MIG:", mig, err2)
		was, err := d.Traffic()
		now, err2 := d.Traffic()
		fmt.Println(" crossed:", moved(was.PCIeOut, now.PCIeOut), moved(was.PCIeIn, now.PCIeIn), moved(was.NVLinkOut, now.NVLinkOut), moved(was.NVLinkIn, now.NVLinkIn), err, err2)
		out, in, err := d.PCIeRate()
		fmt.Println(" PCIe:", out, in, err)
		parts, err := d.Instances()
		fmt.Print(" instances: ", err)
		for _, p := range parts {
			m, err := p.Memory()
			fmt.Print(" ", p.Name, " ", m.Used>>30, " of ", m.Total>>30, " ", err)
		}
		fmt.Println()
	}
	fmt.Println("close:", l.Close())
	if l, err = OpenPath(path); err == nil {
		_, err = l.DriverVersion()
	}
	fmt.Println("again:", err)
}

// moved is what a counter did, in MiB.
func moved(was, now Counter) string {
	n, ok := now.Since(was)
	return fmt.Sprint(n>>20, ok)
}

// fake builds the C stand-in, less what the defines leave out.
func fake(t *testing.T, defines ...string) string {
	t.Helper()
	cc := os.Getenv("CC")
	if cc == "" {
		cc = "cc"
	}
	path := filepath.Join(t.TempDir(), "libnvidia-ml.so.1")
	args := []string{"-shared", "-fPIC", "-o", path, filepath.Join("testdata", "fake_nvml.c")}
	for _, d := range defines {
		args = append(args, strings.Fields("-D"+d)...)
	}
	if out, err := exec.Command(cc, args...).CombinedOutput(); err != nil {
		t.Fatalf("build the fake: %v\n%s", err, out)
	}
	return path
}

// child runs report in a process of its own.
func child(t *testing.T, path, mode string) string {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), childLibrary+"="+path, "FAKE_NVML="+mode)
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("the child ended: %v\n%s", err, out)
	}
	return string(out)
}

func TestRealBindingOverAFakeLibrary(t *testing.T) {
	const first = "0 Fake GPU GPU-a\n" +
		" memory: 80 3 76 1 <nil> false\n memory: 80 3 76 1 <nil> false\n" +
		" utilisation: 42 7 <nil>\n processes: [{100 1073741824 true} {200 0 false}] <nil>\n heat: 55 123.456 <nil> <nil>\n" +
		" clocks: 1980 2619 <nil> limit: 700 <nil>\n throttled: power cap, too hot <nil>\n" +
		" link: 5 16 <nil> MIG: false read MIG mode of GPU 0: not supported (NVML error 3)\n" +
		" crossed: 1 true 2 true 1024 true 1024 true <nil> <nil>\n PCIe: 1.5e+06 3e+06 <nil>\n instances: <nil>\n"
	const second = "1 Fake GPU GPU-b\n" +
		" memory: 80 3 76 1 <nil> false\n memory: 80 3 76 1 <nil> false\n" +
		" utilisation: 0 0 read utilisation of GPU 1: not supported (NVML error 3)\n" +
		" processes: [{100 1073741824 true} {200 0 false}] <nil>\n heat: 55 123.456 <nil> <nil>\n" +
		" clocks: 1980 2619 <nil> limit: 700 <nil>\n throttled:  <nil>\n link: 5 16 <nil> MIG: true <nil>\n" +
		" crossed: 0 false 0 false 0 false 0 false <nil> <nil>\n PCIe: 1.5e+06 3e+06 <nil>\n" +
		" instances: <nil> Fake GPU MIG 3g.40gb 1 of 40 <nil> Fake GPU MIG 1g.10gb 1 of 40 <nil>\n"
	const end = "close: <nil>\nagain: <nil>\n"
	whole := fake(t)
	if got, want := child(t, whole, ""), "driver: 570.00 <nil>\ndevices: 2 <nil>\n"+first+second+end; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got, want := child(t, whole, "second is gone"), "driver: 570.00 <nil>\ndevices: 1 open GPU 1: GPU is lost (NVML error 15)\n"+first+end; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestADeviceVanishesWhileItIsRead(t *testing.T) {
	got := child(t, fake(t), "vanishes")
	want := " memory: 0 0 0 0 read memory of GPU 1: GPU is lost (NVML error 15) true\n"
	if strings.Count(got, want) != 2 || !strings.HasSuffix(got, "again: <nil>\n") {
		t.Errorf("got\n%s", got)
	}
}

func TestALibraryThatWillNotStart(t *testing.T) {
	whole := fake(t)
	for mode, want := range map[string]string{
		"no driver loaded": "open: initialise NVML: no NVIDIA driver (NVML error 9) | no driver: true\n",
		"no permission":    "open: initialise NVML: no permission (NVML error 4) | no driver: false\n",
	} {
		if got := child(t, whole, mode); got != want {
			t.Errorf("%s: got %s", mode, got)
		}
	}
}

func TestALibraryThatAsksForRoomItDoesNotName(t *testing.T) {
	if got := child(t, fake(t), "asks for room"); !strings.Contains(got, "processes: [] list processes of GPU 0: ") {
		t.Errorf("got\n%s", got)
	}
}

func TestMissingFunctionsAreErrors(t *testing.T) {
	for define, want := range map[string]string{
		"WITHOUT_INIT":          "open: initialise NVML: not supported: the driver's NVML has no nvmlInit_v2 | no driver: false\n",
		"WITHOUT_MOST":          "devices: 0 count GPUs: not supported: the driver's NVML has no nvmlDeviceGetCount_v2\n",
		"WITHOUT_MEMORY_V2":     " memory: 80 4 76 0 <nil> false\n",
		"WITHOUT_EVENT_REASONS": " throttled: hardware slowdown <nil>\n",
		"WITHOUT_EVENT_REASONS -DWITHOUT_THROTTLE_REASONS": " throttled:  read throttle reasons of GPU 0: not supported: the driver's NVML has no nvmlDeviceGetCurrentClocksEventReasons\n",
		"WITHOUT_FIELDS":   " crossed: 0 false 0 false 0 false 0 false read link counters of GPU 0: not supported: the driver's NVML has no nvmlDeviceGetFieldValues",
		"WITHOUT_PCIE":     " PCIe: 0 0 read PCIe throughput of GPU 0: not supported: the driver's NVML has no nvmlDeviceGetPcieThroughput\n",
		"WITHOUT_SHUTDOWN": "close: shut NVML down: not supported: the driver's NVML has no nvmlShutdown\n",
	} {
		if got := child(t, fake(t, define), ""); !strings.Contains(got, want) {
			t.Errorf("%s: got\n%s\nwant\n%s", define, got, want)
		}
	}
}

// A function that go-nvml refers to and trampoline.S does not define would end the
// process at its start, where plugins are loaded, or at its call.
func TestNoFunctionIsLeftUndefined(t *testing.T) {
	f, err := elf.Open(os.Args[0])
	if err != nil {
		t.Skip("not an ELF system: ", err)
	}
	defer f.Close()
	symbols, err := f.ImportedSymbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range symbols {
		if strings.HasPrefix(s.Name, "nvml") {
			t.Errorf("%s is undefined; add it to z_names.h", s.Name)
		}
	}
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), childLibrary+"=/nonexistent", "LD_BIND_NOW=1")
	if out, err := c.CombinedOutput(); err != nil || !strings.Contains(string(out), "no NVIDIA driver") {
		t.Errorf("bound at start: %v\n%s", err, out)
	}
}

func TestNoDriver(t *testing.T) {
	got := child(t, filepath.Join(t.TempDir(), "libnvidia-ml.so.1"), "")
	if !strings.HasPrefix(got, "open: open NVML: no NVIDIA driver: ") || !strings.HasSuffix(got, "no driver: true\n") {
		t.Errorf("got %s", got)
	}
}
