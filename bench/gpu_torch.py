"""PyTorch's side of gpu/gpucheck: measures what attune has just measured, in turns with it.

    gpucheck -torch bench/gpu_torch.py        (which starts this with python3)

Needs torch with CUDA. A case a line comes in as JSON, and for each a line goes out: the
seconds of each way that PyTorch has, and why a way has none. Times are medians of many
runs by CUDA events, inputs are normal and rotate so that no run finds its own in the cache.
With --tiny it runs on a CPU at any size, to see that it works.
"""

import json
import statistics
import sys
import time

TINY = "--tiny" in sys.argv
STEPS = 10


def cases(torch, device):
    """The function of each kind of case: its ways, as (name, how much it reads, function)."""
    functional = torch.nn.functional
    types = {"bf16": torch.bfloat16, "f16": torch.float16, "f32": torch.float32}

    def normal(*shape, dtype):
        return torch.randn(*shape, device=device, dtype=dtype)

    def backends():
        from torch.nn import attention
        names = {"flash": "FLASH_ATTENTION", "cuDNN": "CUDNN_ATTENTION", "efficient": "EFFICIENT_ATTENTION"}
        if TINY:
            names = {"math": "MATH"}
        return attention.sdpa_kernel, {name: getattr(attention.SDPBackend, key) for name, key in names.items()}

    cache = 0 if TINY else torch.cuda.get_device_properties(0).L2_cache_size

    def sets_of(size):
        """How many sets of so many bytes are well beyond the second level cache."""
        return max(2, min(128, 3 * cache // size))

    def rotating(sets, make):
        """make gives the inputs of one set; the result cycles through them."""
        all_sets = [make() for _ in range(sets)]
        turn = [0]

        def following():
            turn[0] = (turn[0] + 1) % sets
            return all_sets[turn[0]]
        return following

    def attend(case, queries):
        kernel, kinds = backends()
        b, h, kv, t, d = (case[k] for k in ("B", "H", "KV", "T", "D"))
        dtype, causal, backward = types[case["dtype"]], case.get("Causal", False), case.get("Backward", False)
        grouped = {"enable_gqa": True} if kv != h else {}

        def make():
            shapes = ((b, h, queries or t, d), (b, kv, t, d), (b, kv, t, d))
            return [normal(*s, dtype=dtype).requires_grad_(backward) for s in shapes]
        sets = sets_of((b * kv * t + b * h * (queries or t)) * d * 4)
        following = rotating(sets, make)
        for name, kind in kinds.items():
            def forward(kind=kind):
                with kernel([kind]), torch.no_grad():
                    functional.scaled_dot_product_attention(*following(), is_causal=causal, **grouped)
            if not backward:
                yield name, forward
                continue

            def ready(kind=kind):
                out = []
                with kernel([kind]):
                    for _ in range(sets):
                        inputs = following()
                        result = functional.scaled_dot_product_attention(*inputs, is_causal=causal, **grouped)
                        out.append((result, inputs, torch.randn_like(result)))
                turn = [0]

                def run():
                    turn[0] = (turn[0] + 1) % sets
                    result, inputs, grad = out[turn[0]]
                    torch.autograd.grad(result, inputs, grad, retain_graph=True)
                return run
            yield name, Late(ready)

    def product(case):
        m, k, n, dtype = case["M"], case["K"], case["N"], types[case["dtype"]]
        sets = sets_of((m * k + k * n + m * n) * 2)
        following = rotating(sets, lambda: (normal(m, k, dtype=dtype), normal(k, n, dtype=dtype), normal(m, n, dtype=dtype)))

        def run():
            a, b, c = following()
            torch.matmul(a, b, out=c)
        yield "cuBLAS", run

    def copy(case):
        a, b = normal(case["N"], dtype=torch.float32), normal(case["N"], dtype=torch.float32)
        yield "copy_", lambda: b.copy_(a)

    def adamw(case):
        params = [normal(case["N"] // 50, dtype=torch.float32).requires_grad_() for _ in range(50)]
        for p in params:
            p.grad = torch.randn_like(p)
        yield "fused", torch.optim.AdamW(params, lr=1e-3, weight_decay=0.1, fused=True).step

    steps = {}  # compiling one takes half a minute: gpucheck asks twice

    def step(case):
        key = json.dumps(case, sort_keys=True)
        if key not in steps:
            steps.clear()
            steps[key] = list(stepping(case))
        yield from steps[key]

    def stepping(case):
        b, heads, t, width, blocks, classes = (case[k] for k in ("B", "H", "T", "D", "M", "N"))
        dtype = types[case["dtype"]]
        model = transformer(torch, t, width, heads, blocks, classes).to(device)
        adam = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.1, fused=True)
        ids = torch.randint(classes, (b, t), device=device)
        labels = (ids + 1) % classes

        def loss_of():
            with torch.autocast(device, dtype=torch.bfloat16, enabled=dtype != torch.float32):
                return functional.cross_entropy(model(ids).view(-1, classes), labels.view(-1))

        def trained(loss):
            def run():
                adam.zero_grad(set_to_none=True)
                loss().backward()
                adam.step()
            return run
        yield "eager", trained(loss_of)
        if not TINY:
            yield "compile", Late(lambda: trained(torch.compile(loss_of)))

    return {"attention": lambda c: attend(c, 0), "decode": lambda c: attend(c, 1), "product": product, "copy": copy, "adamw": adamw, "step": step}


class Late:
    """A way that has something to do first which may fail."""

    def __init__(self, ready):
        self.make, self.run = ready, None

    def ready(self):
        self.run = self.run or self.make()
        return self.run


def transformer(torch, length, width, heads, blocks, classes):
    from torch import nn

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

        def forward(self, x):
            b, t, _ = x.shape
            parts = self.qkv(self.norm1(x)).view(b, t, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
            y = nn.functional.scaled_dot_product_attention(*parts, is_causal=True)
            x = x + self.out(y.transpose(1, 2).reshape(b, t, width))
            return x + self.down(nn.functional.gelu(self.up(self.norm2(x)), approximate="tanh"))

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.table, self.place = nn.Embedding(classes, width), nn.Parameter(torch.zeros(length, width))
            self.blocks, self.norm, self.head = nn.Sequential(*(Block() for _ in range(blocks))), nn.LayerNorm(width), nn.Linear(width, classes)

        def forward(self, ids):
            return self.head(self.norm(self.blocks(self.table(ids) + self.place)))

    return Model()


def median(torch, run, device):
    """Seconds of a run: of so many as take a tenth of a second, a hundred at the most."""
    run = run.ready() if isinstance(run, Late) else run
    if device == "cpu":
        begin = time.perf_counter()
        run()
        return time.perf_counter() - begin
    for _ in range(3):
        run()
    torch.cuda.synchronize()
    begin = time.perf_counter()
    run()
    torch.cuda.synchronize()
    took = time.perf_counter() - begin
    n = min(100, max(5, int(0.1 / max(took, 1e-6))))
    for _ in range(n // 2):  # the clocks rise
        run()
    events = [torch.cuda.Event(enable_timing=True) for _ in range(n + 1)]
    events[0].record()
    for event in events[1:]:
        run()
        event.record()
    torch.cuda.synchronize()
    return statistics.median(a.elapsed_time(b) for a, b in zip(events, events[1:])) / 1e3


def answer(torch, kinds, case, device):
    seconds, errors = {}, {}
    try:
        for name, run in kinds[case["what"]](case):
            try:
                seconds[name] = median(torch, run, device)
            except Exception as e:  # a backend that does not take the case, or no memory
                errors[name] = (str(e).splitlines() or [type(e).__name__])[0][:200]
    except Exception as e:
        errors[case.get("what", "")] = (str(e).splitlines() or [type(e).__name__])[0][:200]
    if device == "cuda":
        try:
            torch.cuda.empty_cache()
        except Exception as e:  # the device is lost: no later figure would come
            errors["device"] = str(e).splitlines()[0][:200]
    return {"seconds": seconds, "errors": errors}


def say(what):
    print(json.dumps(what), flush=True)


def main():
    try:
        import torch
    except ImportError as e:
        sys.exit(str(e))
    device = "cpu" if TINY else "cuda"
    if not TINY and not torch.cuda.is_available():
        sys.exit("torch sees no CUDA device")
    say({"about": f"{torch.__version__} on {device if TINY else torch.cuda.get_device_name()}"})
    kinds = cases(torch, device)
    for line in sys.stdin:
        say(answer(torch, kinds, json.loads(line), device))


if __name__ == "__main__":
    main()
