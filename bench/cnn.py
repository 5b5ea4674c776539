"""A convolutional network's training step on the CPU: attune beside PyTorch and gorgonia,
in turns within one run.

    python3 bench/cnn.py [--threads N] [--rounds N] [--write]

The model: two times convolution by 3 (16 and 32 channels), ReLU and max pooling by 2, a
dense layer, cross-entropy, gradients and Adam, for a batch of 32 images (3, 32, 32).
Needs Go, and torch of PyPI where its column is to be filled. gorgonia is built with the
tag for its vectors in AVX, which it leaves out by itself. Times are the best of all rounds:
processor time of one thread, wall time of several. --write puts the table into
bench/RESULTS.md.
"""

import argparse
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from compute import ROOT, RESULTS, best, machine

MARK = "<!-- cnn.py {}: begin -->", "<!-- cnn.py {}: end -->"


def torch_step(threads):
    """A function that does one step, or None without PyTorch."""
    try:
        import torch
    except ImportError:
        print("torch is not installed: no PyTorch figures", file=sys.stderr)
        return None, ""
    torch.set_num_threads(threads)
    model = torch.nn.Sequential(
        torch.nn.Conv2d(3, 16, 3, padding=1), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
        torch.nn.Conv2d(16, 32, 3, padding=1), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
        torch.nn.Flatten(), torch.nn.Linear(32 * 8 * 8, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    x, labels = torch.randn(32, 3, 32, 32), torch.arange(32) % 10

    def step():
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x), labels).backward()
        optimizer.step()
    return step, torch.__version__


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    step, version = torch_step(args.threads)
    clock, kind = (time.process_time, "processor time") if args.threads == 1 else (time.perf_counter, "wall time")
    times = {"attune": math.inf, "gorgonia": math.inf, "PyTorch": math.inf}
    with tempfile.TemporaryDirectory() as folder:
        binary = os.path.join(folder, "cnn")
        subprocess.run(["go", "build", "-tags", "avx", "-o", binary, "./bench/cnn"], cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
        child = subprocess.Popen([binary, str(args.threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(args.rounds):
            for name in ("attune", "gorgonia"):
                child.stdin.write(name + "\n")
                child.stdin.flush()
                seconds, first, last = (float(v) for v in child.stdout.readline().split())
                if last != last or last > first + 0.01:
                    sys.exit(f"{name}'s loss went from {first} to {last}")
                times[name] = min(times[name], seconds)
            if step:
                times["PyTorch"] = min(times["PyTorch"], best(step, clock))
        child.stdin.close()
        child.wait()
    lines = [f"Measured {time.strftime('%Y-%m-%d')} by `python3 bench/cnn.py --threads {args.threads}` on {machine()[0]}"
             f"{' with AVX-512' if machine()[1] else ''}{', PyTorch ' + version if version else ''}: best of {args.rounds} rounds in turn, "
             f"{kind}, load {os.getloadavg()[0]:.0f}.", "", "| step | ms | over attune's |", "|---|---|---|"]
    lines += [f"| {name} | {1000 * t:.2f} | {t / times['attune']:.2f} |" for name, t in times.items() if t < math.inf]
    print("\n".join(lines))
    if args.write:
        text = RESULTS.read_text()
        begin, end = (m.format(args.threads) for m in MARK)
        block = "\n".join([begin, *lines, end])
        if begin in text:
            text = text[:text.index(begin)] + block + text[text.index(end) + len(end):]
        else:
            text = text.rstrip("\n") + "\n\n" + block + "\n"
        RESULTS.write_text(text)


if __name__ == "__main__":
    main()
