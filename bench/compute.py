"""attune's CPU kernels beside PyTorch and OpenBLAS, in turns within one run.

    python3 bench/compute.py [--threads N] [--rounds N] [--write]

Needs Go, and numpy and torch of PyPI where their columns are to be filled. With one
thread the times are CPU times, which other load on the machine disturbs least; with
more they are wall times. Each figure is the best of all rounds. --write puts the table
into bench/RESULTS.md.
"""

import argparse
import math
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "RESULTS.md"

# What to reach: of the core's peak for attention, of OpenBLAS for the product.
CASES = [("attention", t, 64, causal, direction, goal)
         for direction, goals in (("forward", (0.75, 0.65)), ("backward", (0.60, 0.60)))
         for causal, goal in enumerate(goals)
         for t in (1024, 2048, 4096)] + [("gemm", n, 0, 0, "", 0.85) for n in (512, 1024, 2048)]
HEADS = 2


def flops(case):
    kind, t, d, causal, direction, _ = case
    if kind == "gemm":
        return 2 * t ** 3
    f = 4 * HEADS * t * t * d / (2 if causal else 1)
    return f * 2.5 if direction == "backward" else f


class Attune:
    """The Go program, kept running."""

    def __init__(self, folder, threads):
        binary = os.path.join(folder, "compute")
        subprocess.run(["go", "build", "-o", binary, "./bench/compute"], cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
        self.wall = threads > 1
        self.child = subprocess.Popen([binary, str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, line):
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()
        cpu, wall = self.child.stdout.readline().split()
        return float(wall if self.wall else cpu)

    def seconds(self, case):
        kind, t, d, causal, direction, _ = case
        if kind == "gemm":
            return self.ask(f"gemm {t}")
        return self.ask(f"attention {t} {d} {causal} {direction} {HEADS}")


def best(f, clock):
    shortest, begin, n = math.inf, time.perf_counter(), 0
    while n < 3 or time.perf_counter() - begin < 1 / 3:
        start = clock()
        f()
        shortest, n = min(shortest, clock() - start), n + 1
    return shortest


def torch_case(torch, case):
    _, t, d, causal, direction, _ = case
    q, k, v, g = (torch.randn(1, HEADS, t, d, requires_grad=direction == "backward") for _ in range(4))
    attend = torch.nn.functional.scaled_dot_product_attention
    if direction == "forward":
        def forward():
            with torch.no_grad():
                attend(q, k, v, is_causal=bool(causal))
        return forward
    out, g = attend(q, k, v, is_causal=bool(causal)), g.detach()
    return lambda: torch.autograd.grad(out, (q, k, v), g, retain_graph=True)


def peers(threads):
    """For each case a function to time, of PyTorch or OpenBLAS; {} where they are not."""
    out = {}
    try:
        import numpy
        for case in CASES:
            if case[0] == "gemm":
                n = case[1]
                a, b, c = (numpy.random.rand(n, n).astype(numpy.float32) for _ in range(3))
                out[case] = lambda a=a, b=b, c=c: numpy.matmul(a, b, out=c)
    except ImportError:
        print("numpy is not installed: no OpenBLAS figures", file=sys.stderr)
    try:
        import torch
        torch.set_num_threads(threads)
        for case in CASES:
            if case[0] == "attention":
                out[case] = torch_case(torch, case)
        print("PyTorch", torch.__version__, file=sys.stderr)
    except ImportError:
        print("torch is not installed: no PyTorch figures", file=sys.stderr)
    return out


def machine():
    text = pathlib.Path("/proc/cpuinfo").read_text()
    return re.search(r"model name\s*: (.*)", text).group(1), re.search(r"flags.*avx512f", text) is not None


def table(args, times, other, peak):
    name, wide = machine()
    yield (f"Measured {time.strftime('%Y-%m-%d')} by `python3 bench/compute.py --threads {args.threads}` on {name}"
           f"{' with AVX-512' if wide else ''}: best of {args.rounds} rounds in turn, {'CPU' if args.threads == 1 else 'wall'} time, "
           f"load {os.getloadavg()[0]:.0f}. Peak: {peak:.0f} GFLOP/s a core, measured by multiply-adds in registers.")
    yield ""
    yield "| case | GFLOP/s | of peak | PyTorch or OpenBLAS, GFLOP/s | attune over it | to reach |"
    yield "|---|---|---|---|---|---|"
    for case in CASES:
        kind, t, d, causal, direction, goal = case
        rate = flops(case) / times[case] / 1e9
        beside = flops(case) / other[case] / 1e9 if case in other else None
        label = f"attention {direction}, T {t}, D {d}{', causal' if causal else ''}" if kind == "attention" else f"matrix product {t}³"
        reach = f"{goal} of OpenBLAS" if kind == "gemm" else f"{goal} of peak"
        if direction == "forward":
            reach += ", PyTorch"
        cells = [label, f"{rate:.1f}", f"{rate / peak / args.threads:.2f}", f"{beside:.1f}" if beside else "", f"{rate / beside:.2f}" if beside else "", reach]
        yield "| " + " | ".join(cells) + " |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    for key in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[key] = str(args.threads)
    for key in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):  # a forced kernel is no fair peer
        os.environ.pop(key, None)
    beside = peers(args.threads)
    clock = time.process_time if args.threads == 1 else time.perf_counter
    times, other, peak = {}, {}, math.inf
    with tempfile.TemporaryDirectory() as folder:
        attune = Attune(folder, args.threads)
        for _ in range(args.rounds):
            peak = min(peak, attune.ask("peak"))
            for case in CASES:
                times[case] = min(times.get(case, math.inf), attune.seconds(case))
                if case in beside:
                    other[case] = min(other.get(case, math.inf), best(beside[case], clock))
        attune.child.stdin.close()
        attune.child.wait()
    lines = list(table(args, times, other, 2 / peak))
    print("\n".join(lines))
    if args.write:
        mark = f"compute.py {args.threads}"
        text = RESULTS.read_text()
        pattern = re.compile(rf"(<!-- {mark}: begin -->\n).*?(<!-- {mark}: end -->)", re.S)
        if not pattern.search(text):
            sys.exit(f"bench/RESULTS.md has no place for {mark}")
        RESULTS.write_text(pattern.sub(lambda m: m.group(1) + "\n".join(lines) + "\n" + m.group(2), text))


if __name__ == "__main__":
    main()
