#!/usr/bin/env python3
"""Records what PyTorch's optimizers and schedules do: python3 record.py > torch.json

Needs PyTorch, which the tests that read the file do not. Parameters and gradients
come from a generator that the tests repeat (see sequence): two tensors, 1,000
steps, in float64; and how far PyTorch's own float32 is off, relative to the norm.
"""
import json
import math
import warnings

import torch

STEPS = 1000
SHAPES = [(4, 12), (16,)]


def sequence():
    """Uniform numbers in [-1, 1): the top 24 bits of Knuth's MMIX generator."""
    x = 1
    while True:
        x = (x * 6364136223846793005 + 1442695040888963407) % 2**64
        yield (x >> 40) / 2**23 - 1


def values(numbers, shape, scale):
    n = math.prod(shape)
    return torch.tensor([scale * next(numbers) for _ in range(n)], dtype=torch.float64).reshape(shape)


def run(make, dtype, clip=None):
    numbers = sequence()
    params = [torch.nn.Parameter(values(numbers, s, 2.0).to(dtype)) for s in SHAPES]
    opt = make(params)
    for step in range(STEPS):
        for p, s in zip(params, SHAPES):
            # A slow drift under the noise, so that the running means matter.
            drift = math.sin(step / 100) / 4
            p.grad = (values(numbers, s, 1.0) + drift).to(dtype)
        if clip:
            torch.nn.utils.clip_grad_norm_(params, clip)
        opt.step()
    return [p.detach().double().flatten().tolist() for p in params]


O = torch.optim
CASES = {
    "sgd": (O.SGD, dict(lr=1e-2)),
    "sgd momentum": (O.SGD, dict(lr=1e-3, momentum=0.9, weight_decay=1e-2)),
    "sgd nesterov": (O.SGD, dict(lr=1e-3, momentum=0.9, nesterov=True)),
    "adam": (O.Adam, dict(lr=1e-3)),
    "adam decay": (O.Adam, dict(lr=1e-3, betas=(0.8, 0.99), eps=1e-6, weight_decay=1e-2)),
    "adamw": (O.AdamW, dict(lr=1e-3, weight_decay=1e-2)),
    "adagrad": (O.Adagrad, dict(lr=1e-2, lr_decay=1e-3, weight_decay=1e-3)),
    "rmsprop": (O.RMSprop, dict(lr=1e-3)),
    "rmsprop momentum": (O.RMSprop, dict(lr=1e-3, momentum=0.9, weight_decay=1e-2)),
    "rmsprop centered": (O.RMSprop, dict(lr=1e-3, centered=True, momentum=0.5)),
    "adam clipped": (O.Adam, dict(lr=1e-3, clip=1.0)),
}


def optimizers():
    out = []
    for name, (cls, options) in CASES.items():
        options = dict(options)
        clip = options.pop("clip", None)
        make = lambda params: cls(params, **options)
        exact = run(make, torch.float64, clip)
        flat, single = (torch.tensor(sum(r, []), dtype=torch.float64) for r in (exact, run(make, torch.float32, clip)))
        out.append({"name": name, "float64": exact, "float32_off": float((single - flat).norm() / flat.norm())})
    return out


def schedule(make, losses=None):
    opt = O.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    s, rates = make(opt), []
    for step in range(60):
        rates.append(opt.param_groups[0]["lr"])
        opt.step()
        s.step(losses[step]) if losses else s.step()
    return rates


def losses():
    """Falls, stays, falls a little, rises: what a plateau scheduler must tell apart."""
    return [1 / (1 + i) if i < 15 else 0.0625 - 1e-7 * i if i < 30 else 0.05 + 0.001 * (i % 7) for i in range(60)]


def main():
    warnings.simplefilter("ignore")
    torch.manual_seed(0)
    torch.set_num_threads(1)
    L = O.lr_scheduler
    warm = lambda o: L.SequentialLR(o, [L.LinearLR(o, 0.1, 1.0, 10), L.CosineAnnealingLR(o, 49, 0.05)], [10])
    print(json.dumps({
        "torch": torch.__version__,
        "steps": STEPS,
        "optimizers": optimizers(),
        "cosine": schedule(lambda o: L.CosineAnnealingLR(o, 59, 0.01)),
        "warmup": schedule(warm),
        "losses": losses(),
        "plateau": schedule(lambda o: L.ReduceLROnPlateau(o, factor=0.5, patience=3, threshold=1e-3, cooldown=2, min_lr=0.01), losses()),
    }, indent=1))


if __name__ == "__main__":
    main()
