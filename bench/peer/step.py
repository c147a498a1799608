"""Times one training step in PyTorch: the networks, batch and β-lasso update of
`betalasso bench`, on images that are there already. Prints one JSON object with the
same keys.

    /usr/bin/python3 step.py --model s-fc --alpha 28 --threads 2
"""

import argparse
import json
import resource
import statistics
import time

import torch
from torch import nn


class Local(nn.Module):
    """A locally connected layer: patches by unfold, one product per position."""

    def __init__(self, channels, out, side, size, stride):
        super().__init__()
        self.fold = dict(kernel_size=size, stride=stride, padding=size // 2)
        self.out, self.side = out, side // stride
        bound = (channels * size * size) ** -0.5
        shape = (self.side**2, channels * size * size, out)
        self.weight = nn.Parameter(torch.empty(shape).uniform_(-bound, bound))

    def forward(self, x):
        patches = nn.functional.unfold(x, **self.fold).permute(2, 0, 1)  # position, n, tap
        y = torch.bmm(patches, self.weight)  # position, n, out
        return y.permute(1, 2, 0).reshape(x.shape[0], self.out, self.side, self.side)


class Block(nn.Module):
    """A block of ResNet-18."""

    def __init__(self, channels, out, size, stride):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, out, size, stride, size // 2, bias=False), nn.BatchNorm2d(out), nn.ReLU(inplace=True),
            nn.Conv2d(out, out, size, 1, size // 2, bias=False), nn.BatchNorm2d(out))
        self.shortcut = nn.Sequential()
        if stride > 1:
            self.shortcut = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x):
        return nn.functional.relu(self.body(x) + self.shortcut(x), inplace=True)


def network(name, alpha, width, kernel, classes=10):
    if name == "resnet18":
        layers = [nn.Conv2d(3, alpha, kernel, 1, kernel // 2, bias=False), nn.BatchNorm2d(alpha), nn.ReLU(inplace=True)]
        for stage in range(4):
            out = alpha << stage
            layers += [Block(out >> (stage > 0), out, kernel, 1 + (stage > 0)), Block(out, out, kernel, 1)]
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8 * alpha, classes))
    if name == "3-fc":
        return nn.Sequential(
            nn.Flatten(),
            nn.Linear(3072, width, bias=False), nn.BatchNorm1d(width), nn.ReLU(),
            nn.Linear(width, width, bias=False), nn.BatchNorm1d(width), nn.ReLU(),
            nn.Linear(width, classes),
        )
    first = {
        "s-fc": lambda: [nn.Flatten(), nn.Linear(3072, 256 * alpha, bias=False), nn.BatchNorm1d(256 * alpha)],
        "s-conv": lambda: [nn.Conv2d(3, alpha, 9, 2, 4, bias=False), nn.BatchNorm2d(alpha)],
        "s-local": lambda: [Local(3, alpha, 32, 9, 2), nn.BatchNorm2d(alpha)],
    }[name]()
    return nn.Sequential(
        *first, nn.ReLU(), nn.Flatten(),
        nn.Linear(256 * alpha, 24 * alpha, bias=False), nn.BatchNorm1d(24 * alpha), nn.ReLU(),
        nn.Linear(24 * alpha, classes),
    )


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--model", default="s-fc")
    p.add_argument("--alpha", type=int, default=28)
    p.add_argument("--width", type=int, default=3750)
    p.add_argument("--kernel", type=int, default=3)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--batch", type=int, default=512)
    p.add_argument("--steps", type=int, default=5)
    p.add_argument("--precision", choices=["fp32", "bf16"], default="fp32", help="bf16 is autocast")
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(1)
    net = network(a.model, a.alpha, a.width, a.kernel)
    weights = [q for q in net.parameters() if q.dim() > 1]
    rest = [q for q in net.parameters() if q.dim() == 1]
    x = torch.randn(a.batch, 3, 32, 32)
    labels = torch.arange(a.batch) % 10
    lr, lam, beta = 1e-3, 1e-5, 50.0

    def step():
        for q in net.parameters():
            q.grad = None
        with torch.autocast("cpu", torch.bfloat16, enabled=a.precision == "bf16"):
            loss = nn.functional.cross_entropy(net(x).float(), labels)
        loss.backward()
        with torch.no_grad():
            for q in weights:
                q.grad.add_(q.sign(), alpha=lam)
                q.add_(q.grad, alpha=-lr)
                q.mul_(q.abs() >= beta * lam)
            for q in rest:
                q.add_(q.grad, alpha=-lr)

    for _ in range(2):
        step()
    times = []
    for _ in range(a.steps):
        t = time.perf_counter()
        step()
        times.append(1e3 * (time.perf_counter() - t))
    took = statistics.median(times)
    quarters = statistics.quantiles(times, method="inclusive") if len(times) > 1 else [took] * 3
    print(json.dumps({
        "model": a.model, "alpha": 0 if a.model == "3-fc" else a.alpha,
        "width": a.width if a.model == "3-fc" else 0, "precision": a.precision, "threads": a.threads,
        "params": sum(q.numel() for q in weights), "step_ms": round(took, 2),
        "gflops": round(flops(a.model, a.alpha, a.width, a.kernel) * a.batch / took / 1e6, 2), "peak_gflops": 0,
        "examples_per_second": round(a.batch / took * 1e3, 1),
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "spread_ms": round(quarters[2] - quarters[0], 2), "batch": a.batch,
        "versions": {"torch": torch.__version__},
    }))


def flops(name, alpha, width, kernel, classes=10):
    """The arithmetic of a step in the products, for one example: no input gradient for the first layer."""
    if name == "resnet18":
        area, first = kernel**2, 1024 * 3 * alpha * kernel**2
        macs = first + 4 * 1024 * alpha**2 * area + 8 * alpha * classes
        for stage in (1, 2, 3):  # positions x channels² are as many in each
            macs += (1024 >> 2 * stage) * (alpha << stage) ** 2 * (3 * area + area / 2 + 1 / 2)
        return 6 * macs - 2 * first
    if name == "3-fc":
        first, rest = 3072 * width, width * width + classes * width
    else:
        first = 256 * alpha * (3072 if name == "s-fc" else 243)
        rest = 256 * alpha * 24 * alpha + 24 * alpha * classes
    return 4 * first + 6 * rest


if __name__ == "__main__":
    main()
