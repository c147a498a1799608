"""S-FC with β-lasso in PyTorch on a GPU, to learn which settings pay before a CPU spends hours on them.

    go run ./bench/2026-11-26-h100/pool CIFAR 150 POOL            # 150 epochs of Fast AutoAugment, 23 GB
    python3 bench/2026-11-26-h100/train.py full SECONDS CIFAR bench/2026-11-26-h100/settings.jsonl POOL
    python3 bench/2026-11-26-h100/train.py check 90               # the two kernels against PyTorch's own operations

CIFAR is the six files of CIFAR-10's binary version, one after the other, the test images last. A line of settings.jsonl is one training:
l1 and l2 are λ of the first layer and of the others, regrowth N lets zero weights return in every Nth step, faa the share of images that come from POOL, the others are cropped and mirrored. The last
5,000 training images are held out. A whole step is one CUDA graph; weights are float32, products and gradients bfloat16.
Appends to scout.jsonl in $OUT, or here.
"""
import json
import math
import os
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

dev = "cuda" if torch.cuda.is_available() else "cpu"
half = torch.bfloat16
MEAN = [0.4914, 0.4822, 0.4465]
STD = [0.2023, 0.1994, 0.2010]
B = 512

if dev == "cuda":
    import triton
    import triton.language as tl

    @triton.jit
    def update_kernel(w, wb, g, lr, look, lam, cut, n, BLOCK: tl.constexpr):
        i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
        m = i < n
        eta = tl.load(lr)
        returns = tl.load(look) > 0
        v = tl.load(w + i, mask=m, other=0.0)
        stays = (v == 0) & (returns == 0)
        d = tl.load(g + i, mask=m, other=0.0).to(tl.float32)
        s = tl.where(v > 0, 1.0, tl.where(v < 0, -1.0, 0.0))
        v = v - eta * (d + lam * s)
        v = tl.where((tl.abs(v) >= cut) & (stays == 0), v, 0.0)
        tl.store(w + i, v, mask=m)
        tl.store(wb + i, v.to(tl.bfloat16), mask=m)

    @triton.jit
    def augment_kernel(src, index, rand, out, cutout: tl.constexpr, crop: tl.constexpr, m0, m1, m2, s0, s1, s2):
        b = tl.program_id(0)
        c = tl.program_id(1)
        k = tl.arange(0, 1024)
        i = k // 32
        j = k % 32
        row = tl.load(index + b)
        base = row * 3072 + c * 1024
        plain = row < 50000  # the others come from the pool, with their crop and cutout
        r0 = tl.load(rand + b * 5 + 0)
        r1 = tl.load(rand + b * 5 + 1)
        r2 = tl.load(rand + b * 5 + 2)
        r3 = tl.load(rand + b * 5 + 3)
        r4 = tl.load(rand + b * 5 + 4)
        dy = tl.where(plain, (r0 * (2 * crop + 1)).to(tl.int32) - crop, 0)
        dx = tl.where(plain, (r1 * (2 * crop + 1)).to(tl.int32) - crop, 0)
        jj = tl.where(r2 < 0.5, 31 - j, j)
        y = i + dy
        x = jj + dx
        ok = (y >= 0) & (y < 32) & (x >= 0) & (x < 32)
        v = tl.load(src + base + y * 32 + x, mask=ok, other=0).to(tl.float32) / 255
        mean = tl.where(c == 0, m0, tl.where(c == 1, m1, m2))
        std = tl.where(c == 0, s0, tl.where(c == 1, s1, s2))
        v = (v - mean) / std
        if cutout > 0:
            cy = (r3 * 32).to(tl.int32)
            cx = (r4 * 32).to(tl.int32)
            hole = (i >= cy - cutout // 2) & (i < cy + cutout // 2) & (j >= cx - cutout // 2) & (j < cx + cutout // 2)
            v = tl.where(hole & plain, 0.0, v)
        tl.store(out + b * 3072 + c * 1024 + k, v.to(tl.bfloat16))


def update(w, wb, g, lr, look, lam, cut, fused):
    """A step; zero weights stay zero where look is 0."""
    if fused:
        update_kernel[(triton.cdiv(w.numel(), 4096),)](w, wb, g, lr, look, lam, cut, w.numel(), BLOCK=4096, num_warps=8)
        return
    stays = (w == 0) & (look == 0)
    w -= lr * (g.float() + lam * w.sign())
    w *= (w.abs() >= cut) & ~stays
    wb.copy_(w)


def augment(src, index, rand, out, cutout, crop, fused):
    if fused:
        augment_kernel[(len(index), 3)](src, index, rand, out, cutout, crop, *MEAN, *STD)
        return
    n = len(index)
    k = torch.arange(32, device=src.device)
    plain = index < 50000
    dy = ((rand[:, 0] * (2 * crop + 1)).int() - crop) * plain
    dx = ((rand[:, 1] * (2 * crop + 1)).int() - crop) * plain
    j = torch.where(rand[:, 2, None] < 0.5, 31 - k[None], k[None])
    y = k[None] + dy[:, None]
    x = j + dx[:, None]
    ok = ((y >= 0) & (y < 32))[:, :, None] & ((x >= 0) & (x < 32))[:, None]
    at = y.clamp(0, 31)[:, :, None] * 32 + x.clamp(0, 31)[:, None]
    v = torch.stack([src.view(-1)[(index * 3072 + c * 1024)[:, None, None] + at] for c in range(3)], 1).float() / 255 * ok[:, None]
    mean, std = (torch.tensor(t, device=src.device)[None, :, None, None] for t in (MEAN, STD))
    v = (v - mean) / std
    if cutout:
        cy, cx = (rand[:, 3] * 32).int()[:, None], (rand[:, 4] * 32).int()[:, None]
        hole = ((k >= cy - cutout // 2) & (k < cy + cutout // 2))[:, :, None] & ((k >= cx - cutout // 2) & (k < cx + cutout // 2))[:, None]
        v = torch.where((hole & plain[:, None, None])[:, None], torch.zeros_like(v), v)
    out.copy_(v.reshape(n, -1))


def train(cfg, data, deadline, log, fused=dev == "cuda"):
    """Trains with the settings cfg and logs scores; crop is in pixels, cutout the side of the hole in images that are not from the pool."""
    c = dict(alpha=28, epochs=400, lr=0.1, l1=2e-5, l2=4e-6, beta=50, cutout=0, faa=0.0, dropout=0.0, crop=4, seed=1, val=5000, regrowth=1)
    c.update(cfg)
    torch.manual_seed(c["seed"])
    a = c["alpha"]
    n = min(50000 - c["val"], len(data["train_y"]))
    steps = n // B
    total = steps * c["epochs"]
    sizes = [(256 * a, 3072), (24 * a, 256 * a), (10, 24 * a)]
    W = [(torch.rand(s, device=dev) * 2 - 1) / s[1] ** 0.5 for s in sizes]
    Wb = [w.to(half).requires_grad_() for w in W]
    lam = [c["l1"], c["l2"], c["l2"]]
    small = []
    for h, _ in sizes[:2]:
        small += [torch.ones(h, device=dev, requires_grad=True), torch.zeros(h, device=dev, requires_grad=True)]
    small.append(torch.zeros(10, device=dev, requires_grad=True))
    stats = [(torch.zeros(h, device=dev), torch.ones(h, device=dev)) for h, _ in sizes[:2]]
    lr = torch.full((1,), c["lr"], device=dev)
    t = torch.zeros(1, device=dev)
    look = torch.zeros(1, device=dev)
    at = torch.zeros(1, dtype=torch.long, device=dev)
    perm = torch.arange(n, device=dev)
    base = torch.zeros(1, dtype=torch.long, device=dev)  # of the pool's present epoch
    lanes = torch.arange(B, device=dev)
    x = torch.zeros(B, 3072, device=dev, dtype=half)
    sums = torch.zeros(2, device=dev)

    def forward(x, training):
        for i in range(2):
            if training and c["dropout"] and i == 1:
                x = F.dropout(x, c["dropout"])
            x = F.relu(F.batch_norm(F.linear(x, Wb[i]), *stats[i], small[2 * i], small[2 * i + 1], training, 0.1))
        if training and c["dropout"]:
            x = F.dropout(x, c["dropout"])
        return F.linear(x, Wb[2]).float() + small[4]

    def step():
        with torch.no_grad():
            lr.copy_(0.5 * c["lr"] * (1 + torch.cos(math.pi * t / total)))
            look.copy_(torch.remainder(t, c["regrowth"]) == 0)
            rows = perm[at * B + lanes]
            rand = torch.rand(B, 6, device=dev)
            at_rows = torch.where(rand[:, 5] < c["faa"], base + rows, rows)
            augment(data["all_x"], at_rows, rand[:, :5].contiguous(), x, c["cutout"], c["crop"], fused)
            labels = data["train_y"][rows]
        out = forward(x, True)
        loss = F.cross_entropy(out, labels)
        loss.backward()
        with torch.no_grad():
            sums[0] += loss
            sums[1] += (out.argmax(1) == labels).sum()
            for w, wb, l in zip(W, Wb, lam):
                update(w, wb.detach(), wb.grad, lr, look, l, c["beta"] * l, fused)
            for p in small:
                p -= lr * p.grad
            t.add_(1)
            at.add_(1)

    def zero():
        for p in Wb + small:
            p.grad = None

    if dev == "cuda":
        saved = [p.clone() for p in W + [s for pair in stats for s in pair]], [p.detach().clone() for p in small]
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                zero()
                step()
        torch.cuda.current_stream().wait_stream(side)
        zero()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            step()
        with torch.no_grad():
            for p, s in zip(W + [s for pair in stats for s in pair], saved[0]):
                p.copy_(s)
            for p, s in zip(small, saved[1]):
                p.copy_(s)
            for w, wb in zip(W, Wb):
                wb.data.copy_(w)
            t.zero_()
            at.zero_()
            sums.zero_()
        go = graph.replay
    else:
        def go():
            zero()
            step()

    @torch.no_grad()
    def score(xs, ys):
        right = 0
        out = torch.zeros(1000, 3072, device=dev, dtype=half)
        rand = torch.full((1000, 5), 0.5, device=dev)
        for i in range(0, len(ys), 1000):
            k = min(1000, len(ys) - i)
            augment(xs, torch.arange(i, i + k, device=dev), rand[:k], out[:k], 0, 0, fused)
            right += (forward(out[:k], False).argmax(1) == ys[i:i + k]).sum().item()
        return right / len(ys)

    def sync():
        if dev == "cuda":
            torch.cuda.synchronize()

    begin = time.time()
    gen = torch.Generator(device=dev)
    gen.manual_seed(c["seed"])
    for e in range(1, c["epochs"] + 1):
        perm.copy_(torch.randperm(n, device=dev, generator=gen))
        at.zero_()
        pools = len(data["all_x"]) // 50000 - 1
        if pools > 0:
            base.fill_(50000 * (1 + (e - 1) % pools))
        if e == c["epochs"]:
            sums.zero_()  # the last epoch's training accuracy alone
        for _ in range(steps):
            go()
        if e in (1, 5) or e % max(1, c["epochs"] // 16) == 0 or e == c["epochs"]:
            sync()
            took = time.time() - begin
            r = dict(cfg=cfg, epoch=e, s=round(took, 1), val=round(100 * score(data["val_x"], data["val_y"]), 2), test=round(100 * score(data["test_x"], data["test_y"]), 2),
                     left=[int(w.count_nonzero()) for w in W], density=[round(100 * w.count_nonzero().item() / w.numel(), 3) for w in W], lr=lr.item())
            log(r)
        if e % max(1, c["epochs"] // 16) == 0 or e in (1, 5):
            sync()
            if time.time() > deadline:
                log(dict(cfg=cfg, stopped=e))
                return
    sync()
    log(dict(cfg=cfg, end=True, s=round(time.time() - begin, 1), train=round(100 * sums[1].item() / (steps * B), 2), loss=round(sums[0].item() / steps, 4)))


def main():
    out = os.environ.get("OUT", ".")
    f = open(out + "/scout.jsonl", "a")

    def log(r):
        print(json.dumps(r), flush=True)
        print(json.dumps(r), file=f, flush=True)

    start = time.time()
    deadline = start + float(sys.argv[2])
    if sys.argv[1] == "check":
        gen = torch.Generator().manual_seed(0)
        n = 5120 if dev == "cpu" else 50000
        data = dict(train_x=torch.randint(0, 256, (n, 3072), dtype=torch.uint8, generator=gen).to(dev))
        data["train_y"] = (data["train_x"][:, :1500].float().mean(1) > 127.5).long()
        data.update(val_x=data["train_x"][:1500], val_y=data["train_y"][:1500], test_x=data["train_x"][:1000], test_y=data["train_y"][:1000])
        data["all_x"] = torch.cat([data["train_x"]] * 3)
        if dev == "cuda":
            idx = torch.arange(512, device=dev)
            rand = torch.rand(512, 5, device=dev)
            p, q = (torch.zeros(512, 3072, device=dev, dtype=half) for _ in range(2))
            for cut, crop in ((0, 4), (16, 4), (0, 0)):
                augment(data["train_x"], idx, rand, p, cut, crop, True)
                augment(data["train_x"], idx, rand, q, cut, crop, False)
                log(dict(augment=(p.float() - q.float()).abs().max().item()))
            w = torch.rand(1000, 777, device=dev) - 0.5
            g = (torch.rand(1000, 777, device=dev) - 0.5).to(half)
            a, b = w.clone(), w.clone()
            ab, bb = w.to(half), w.to(half)
            lr = torch.full((1,), 0.1, device=dev)
            for look in (1.0, 0.0):
                update(a, ab, g, lr, torch.full((1,), look, device=dev), 1e-3, 0.05, True)
                update(b, bb, g, lr, torch.full((1,), look, device=dev), 1e-3, 0.05, False)
                log(dict(update=(a - b).abs().max().item(), different=int((a != b).sum()), zero=int((b == 0).sum())))
            for alpha in (28, 64, 150):
                train(dict(alpha=alpha, epochs=2, cutout=16), data, deadline, log)
            train(dict(epochs=2, faa=1.0), data, deadline, log)
            train(dict(epochs=2, dropout=0.5), data, deadline, log)
        else:
            train(dict(alpha=1, epochs=3, dropout=0.5, cutout=16, l1=1e-4, crop=0), data, deadline, log)
            train(dict(alpha=1, epochs=3, l1=1e-4, faa=1.0, regrowth=4), data, deadline, log)
        return
    raw = torch.from_numpy(np.fromfile(sys.argv[3], np.uint8).reshape(-1, 3073))
    raw = raw.to(dev)
    xs, ys = raw[:, 1:].contiguous(), raw[:, 0].long()
    data = dict(train_x=xs[:50000], all_x=xs[:50000], train_y=ys[:50000], val_x=xs[45000:50000], val_y=ys[45000:50000], test_x=xs[50000:], test_y=ys[50000:])
    if len(sys.argv) > 5:
        t0 = time.time()
        pool = np.memmap(sys.argv[5], np.uint8, "r").reshape(-1, 3072)
        data["all_x"] = torch.empty((50000 + len(pool), 3072), dtype=torch.uint8, device=dev)
        data["all_x"][:50000] = data["train_x"]
        for i in range(0, len(pool), 500000):
            part = torch.from_numpy(np.ascontiguousarray(pool[i:i + 500000])).to(dev)
            data["all_x"][50000 + i:50000 + i + len(part)] = part
        log(dict(pool=len(pool) // 50000, s=round(time.time() - t0, 1)))
    for line in open(sys.argv[4]):
        if line.strip() and time.time() < deadline - 15:
            try:
                train(json.loads(line), data, deadline, log)
            except Exception as e:
                log(dict(cfg=line.strip(), error=repr(e)))
                torch.cuda.empty_cache()


main()
