"""One step of a PyTorch optimizer on request, timed here.

Reads lines "rule form threads elements tensors" (form: fused, foreach or loop) and
"copy threads elements", answers with seconds. Parameters stay from line to line as
long as rule, form, elements and tensors do.
"""
import sys
import time

import torch

RULES = {
    "sgd": lambda p, **k: torch.optim.SGD(p, lr=1e-3, momentum=0.9, **k),
    "adam": lambda p, **k: torch.optim.Adam(p, lr=1e-3, **k),
    "adamw": lambda p, **k: torch.optim.AdamW(p, lr=1e-3, weight_decay=1e-2, **k),
    "adagrad": lambda p, **k: torch.optim.Adagrad(p, lr=1e-3, **k),
    "rmsprop": lambda p, **k: torch.optim.RMSprop(p, lr=1e-3, **k),
}
FORMS = {"fused": {"fused": True}, "foreach": {"foreach": True}, "loop": {"foreach": False}}


class Steps:
    def __init__(self):
        self.key, self.opt, self.copies = None, None, None

    def prepare(self, rule, form, elements, tensors):
        key = (rule, form, elements, tensors)
        if key == self.key:
            return
        self.opt = self.key = None
        params = [torch.nn.Parameter(torch.randn(elements // tensors)) for _ in range(tensors)]
        for p in params:
            p.grad = torch.randn_like(p)
        self.opt = RULES[rule](params, **FORMS[form])
        self.opt.step()  # makes the state
        self.key = key

    def answer(self, words):
        if words[0] == "copy":
            elements = int(words[2])
            torch.set_num_threads(int(words[1]))
            if self.copies is None:
                self.copies = torch.zeros(elements), torch.zeros(elements)
            begin = time.perf_counter()
            self.copies[0].copy_(self.copies[1])
            return time.perf_counter() - begin
        rule, form, threads, elements, tensors = words[0], words[1], *map(int, words[2:])
        torch.set_num_threads(threads)
        self.prepare(rule, form, elements, tensors)
        begin = time.perf_counter()
        self.opt.step()
        return time.perf_counter() - begin


def main():
    print("torch", torch.__version__, flush=True)
    steps = Steps()
    for line in sys.stdin:
        try:
            print(steps.answer(line.split()), flush=True)
        except (RuntimeError, TypeError) as e:  # a form that this rule lacks
            print("no", str(e).splitlines()[0], flush=True)


if __name__ == "__main__":
    main()
