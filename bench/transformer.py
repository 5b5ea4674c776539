"""A character transformer's training step beside PyTorch's on the CPU, in turns within one
run.

    python3 bench/transformer.py [--threads N] [--rounds N] [--write]

6 blocks of width 128, 4 heads, 16 sequences of 128 characters, float32, Adam. Needs Go,
and torch of PyPI. With one thread the times are CPU times, which other load on the machine
disturbs least; with more they are wall times. Each figure is the best step of all rounds.
--write puts the table into bench/RESULTS.md.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "RESULTS.md"
BLOCKS, WIDTH, HEADS, LENGTH, BATCH, CLASSES = 6, 128, 4, 128, 16, 96
STEPS = 10
FORMS = {"nn": "through stdlib/nn", "gpu": "over gpu's primitives, no tape between"}


class Attune:
    """The Go program, kept running."""

    def __init__(self, folder, threads, form):
        binary = os.path.join(folder, "transformer")
        subprocess.run(["go", "build", "-o", binary, "./bench/transformer"], cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
        self.wall = threads > 1
        self.child = subprocess.Popen([binary, str(threads), form], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def seconds(self):
        self.child.stdin.write(f"{STEPS}\n")
        self.child.stdin.flush()
        cpu, wall, _ = self.child.stdout.readline().split()
        return float(wall if self.wall else cpu)

    def close(self):
        self.child.stdin.close()
        self.child.wait()


def torch_step(torch):
    from torch import nn
    from torch.nn import functional

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
            self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
            self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

        def forward(self, x):
            parts = self.qkv(self.norm1(x)).view(BATCH, LENGTH, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
            y = functional.scaled_dot_product_attention(*parts, is_causal=True)
            x = x + self.out(y.transpose(1, 2).reshape(BATCH, LENGTH, WIDTH))
            return x + self.down(functional.gelu(self.up(self.norm2(x)), approximate="tanh"))

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.table, self.pos = nn.Embedding(CLASSES, WIDTH), nn.Parameter(torch.zeros(LENGTH, WIDTH))
            self.blocks, self.norm, self.head = nn.Sequential(*(Block() for _ in range(BLOCKS))), nn.LayerNorm(WIDTH), nn.Linear(WIDTH, CLASSES)

        def forward(self, ids):
            return self.head(self.norm(self.blocks(self.table(ids) + self.pos)))

    model = Model()
    adam = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    ids = torch.randint(CLASSES, (BATCH, LENGTH))
    labels = (ids + 1) % CLASSES

    def step():
        adam.zero_grad(set_to_none=True)
        loss = functional.cross_entropy(model(ids).view(-1, CLASSES), labels.view(-1))
        loss.backward()
        adam.step()
        return loss.item()
    return step


def best(step, clock):
    shortest = float("inf")
    for _ in range(STEPS):
        start = clock()
        step()
        shortest = min(shortest, clock() - start)
    return shortest


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    import torch
    torch.set_num_threads(args.threads)
    step, clock = torch_step(torch), time.process_time if args.threads == 1 else time.perf_counter
    ours, theirs = dict.fromkeys(FORMS, float("inf")), float("inf")
    with tempfile.TemporaryDirectory() as folder:
        children = {form: Attune(folder, args.threads, form) for form in FORMS}
        for _ in range(args.rounds):
            for form, child in children.items():
                ours[form] = min(ours[form], child.seconds())
            theirs = min(theirs, best(step, clock))
        for child in children.values():
            child.close()
    text = pathlib.Path("/proc/cpuinfo").read_text()
    lines = [
        f"Measured {time.strftime('%Y-%m-%d')} by `python3 bench/transformer.py --threads {args.threads}` on "
        f"{re.search(r'model name.*: (.*)', text).group(1)}{' with AVX-512' if 'avx512f' in text else ''}: best of {args.rounds * STEPS} steps in turn, "
        f"{'CPU' if args.threads == 1 else 'wall'} time, load {os.getloadavg()[0]:.0f}, PyTorch {torch.__version__}.",
        "",
        "| 6 blocks, width 128, 4 heads, T 128, batch 16 | attune, ms | PyTorch, ms | attune over it | to reach |",
        "|---|---|---|---|---|",
    ] + [f"| {name} | {ours[form] * 1e3:.0f} | {theirs * 1e3:.0f} | {ours[form] / theirs:.2f} | 1 |" for form, name in FORMS.items()]
    print("\n".join(lines))
    if args.write:
        mark = f"transformer.py {args.threads}"
        old = RESULTS.read_text()
        pattern = re.compile(rf"(<!-- {mark}: begin -->\n).*?(<!-- {mark}: end -->)", re.S)
        if not pattern.search(old):
            sys.exit(f"bench/RESULTS.md has no place for {mark}")
        RESULTS.write_text(pattern.sub(lambda m: m.group(1) + "\n".join(lines) + "\n" + m.group(2), old))


if __name__ == "__main__":
    main()
