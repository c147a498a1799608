"""S-FC with β-lasso in PyTorch on a GPU: whitened pixels and other changes of the recipe.

    go run ./bench/2026-11-26-h100/pool CIFAR 120 POOL
    python3 bench/2026-11-26-whitening/train.py CIFAR bench/2026-11-26-whitening/settings.jsonl POOL

CIFAR is the six files of CIFAR-10's binary version, one after the other, the test images last. A line of settings.jsonl is one training: white is ε of the ZCA, relative to the mean eigenvalue;
faa the share of images that come from POOL, the others are cropped and mirrored; faa_stop the part of the steps after which none does, faa_end the share at the end of a line to it; lr is η, lrm factors of it
for each layer; l1 and l2 are λ of the first layer and of the others; mom momentum, smooth label smoothing, init factors of the first weights, ema the decay of an average of the weights in every step.
The last 5,000 training images are held out. Appends to scout.jsonl in $OUT, or here.
"""
import gc
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
    def update_kernel(w, wb, g, vel, lr, look, lamf, mult, lam, cut, mom, n, MOM: tl.constexpr, DENSE: tl.constexpr, BLOCK: tl.constexpr):
        i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
        m = i < n
        eta = tl.load(lr) * mult
        lf = tl.load(lamf)
        returns = tl.load(look) > 0
        v = tl.load(w + i, mask=m, other=0.0)
        zero = v == 0
        stays = zero & (returns == 0)
        d = tl.load(g + i, mask=m, other=0.0).to(tl.float32)
        s = tl.where(v > 0, 1.0, tl.where(v < 0, -1.0, 0.0))
        d = d + lam * lf * s
        if MOM:
            u = tl.load(vel + i, mask=m, other=0.0)
            if DENSE:
                d = mom * u + d
                v = v - eta * d
            else:
                d = tl.where(zero, d, mom * u + d)
                v = v - eta * tl.where(zero, d / (1 - mom), d)
        else:
            v = v - eta * d
        v = tl.where((tl.abs(v) >= cut * lf) & (stays == 0), v, 0.0)
        if MOM:
            if DENSE:
                tl.store(vel + i, d, mask=m)
            else:
                tl.store(vel + i, tl.where(v == 0, 0.0, d), mask=m)
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


def update(w, wb, g, vel, lr, look, lamf, mult, lam, cut, mom, dense):
    update_kernel[(triton.cdiv(w.numel(), 4096),)](w, wb, g, w if vel is None else vel, lr, look, lamf, mult, lam, cut, mom, w.numel(), MOM=vel is not None, DENSE=dense, BLOCK=4096, num_warps=8)


SPECTRUM = []


def whitening(data, eps, n):
    """ZCA of the normalised training images: x @ Z + shift has a mean variance of 1."""
    if not SPECTRUM:
        x = data["train_x"][:n].view(n, 3, 1024).float() / 255
        mean, std = (torch.tensor(t, device=dev)[None, :, None] for t in (MEAN, STD))
        x = ((x - mean) / std).view(n, 3072)
        mu = x.mean(0)
        x = x - mu
        cov = x.T @ x / n
        l, u = torch.linalg.eigh(cov)
        SPECTRUM.extend([mu, l.clamp(min=0), u])
    mu, l, u = SPECTRUM
    e = eps * l.mean()
    gain = (l + e).rsqrt()
    gain = gain / (l * gain * gain).mean().sqrt()
    z = (u * gain) @ u.T
    return z.to(half), (-(mu @ z)).to(half)


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
    c = dict(alpha=28, epochs=400, lr=0.1, l1=2e-5, l2=4e-6, beta=50, cutout=0, faa=0.0, dropout=0.0, crop=4, seed=1, val=5000, regrowth=1, white=0.0, mom=0.0, dense=False, smooth=0.0, cutmix=0.0, mixup=0.0, faa_end=None, faa_stop=2.0, init=[1, 1, 1], lrm=[1.0, 1.0, 1.0], lsched=None, dropl=0.0, ema=0.0)
    c.update(cfg)
    torch.manual_seed(c["seed"])
    a = c["alpha"]
    n = min(50000 - c["val"], len(data["train_y"]))
    steps = n // B
    total = steps * c["epochs"]
    sizes = [(256 * a, 3072), (24 * a, 256 * a), (10, 24 * a)]
    W = [k * (torch.rand(s, device=dev) * 2 - 1) / s[1] ** 0.5 for s, k in zip(sizes, c["init"])]
    Wb = [w.to(half).requires_grad_() for w in W]
    vel = [torch.zeros_like(w) if c["mom"] else None for w in W]
    Z, shift = whitening(data, c["white"], n) if c["white"] else (None, None)
    lam = [c["l1"], c["l2"], c["l2"]]
    small = []
    for h, _ in sizes[:2]:
        small += [torch.ones(h, device=dev, requires_grad=True), torch.zeros(h, device=dev, requires_grad=True)]
    small.append(torch.zeros(10, device=dev, requires_grad=True))
    stats = [(torch.zeros(h, device=dev), torch.ones(h, device=dev)) for h, _ in sizes[:2]]
    lr = torch.full((1,), c["lr"], device=dev)
    t = torch.zeros(1, device=dev)
    look = torch.zeros(1, device=dev)
    lamf = torch.ones(1, device=dev)
    faa = torch.full((1,), c["faa"], device=dev)
    side = torch.arange(32, device=dev) + 0.5
    svel = [torch.zeros_like(p) for p in small]
    at = torch.zeros(1, dtype=torch.long, device=dev)
    perm = torch.arange(n, device=dev)
    base = torch.zeros(1, dtype=torch.long, device=dev)  # of the pool's present epoch
    lanes = torch.arange(B, device=dev)
    x = torch.zeros(B, 3072, device=dev, dtype=half)
    sums = torch.zeros(2, device=dev)

    def white(x):
        return x if Z is None else torch.addmm(shift, x, Z)

    def forward(x, training):
        for i in range(2):
            if training and c["dropout"] and i == 1:
                x = F.dropout(x, c["dropout"])
            x = F.relu(F.batch_norm(F.linear(x, Wb[i]), *stats[i], small[2 * i], small[2 * i + 1], training, 0.1))
        if training and (c["dropout"] or c["dropl"]):
            x = F.dropout(x, max(c["dropout"], c["dropl"]))
        return F.linear(x, Wb[2]).float() + small[4]

    def step():
        with torch.no_grad():
            lr.copy_(0.5 * c["lr"] * (1 + torch.cos(math.pi * t / total)))
            look.copy_(torch.remainder(t, c["regrowth"]) == 0)
            if c["lsched"]:
                f0, t0, t1 = c["lsched"]
                lamf.copy_(f0 + (1 - f0) * ((t / total - t0) / (t1 - t0)).clamp(0, 1))
            if c["faa_end"] is not None:
                faa.copy_(c["faa"] + (c["faa_end"] - c["faa"]) * t / total)
            if c["faa_stop"] < 1:
                faa.copy_(c["faa"] * (t < c["faa_stop"] * total))
            rows = perm[at * B + lanes]
            rand = torch.rand(B, 6, device=dev)
            at_rows = torch.where(rand[:, 5] < faa, base + rows, rows)
            augment(data["all_x"], at_rows, rand[:, :5].contiguous(), x, c["cutout"], c["crop"], fused)
            labels = data["train_y"][rows]
            xin = x
            if c["cutmix"] or c["mixup"]:
                r = torch.rand(4, device=dev)
                v = x.view(B, 3, 32, 32)
                if c["cutmix"]:
                    extent = (1 - r[0]).sqrt() * 16
                    box = ((side - 32 * r[1]).abs() < extent)[:, None] & ((side - 32 * r[2]).abs() < extent)[None] & (r[3] < c["cutmix"])
                    xin = torch.where(box, v.flip(0), v).view(B, 3072)
                    keep = 1 - box.float().mean()
                else:
                    keep = torch.where(r[3] < c["mixup"], r[0], torch.ones_like(r[0]))
                    xin = (keep * v + (1 - keep) * v.flip(0)).to(half).view(B, 3072)
            xin = white(xin)
        out = forward(xin, True)
        loss = F.cross_entropy(out, labels, label_smoothing=c["smooth"])
        if c["cutmix"] or c["mixup"]:
            loss = keep * loss + (1 - keep) * F.cross_entropy(out, labels.flip(0), label_smoothing=c["smooth"])
        loss.backward()
        with torch.no_grad():
            sums[0] += loss
            sums[1] += (out.argmax(1) == labels).sum()
            for w, wb, l, vl, k in zip(W, Wb, lam, vel, c["lrm"]):
                update(w, wb.detach(), wb.grad, vl, lr, look, lamf, float(k), l, c["beta"] * l, c["mom"], c["dense"])
            for p, u in zip(small, svel):
                if c["mom"]:
                    u.copy_(c["mom"] * u + p.grad)
                    p -= lr * u
                else:
                    p -= lr * p.grad
            t.add_(1)
            at.add_(1)

    def zero():
        for p in Wb + small:
            p.grad = None

    if dev == "cuda":
        saved = [p.clone() for p in W + [s for pair in stats for s in pair]], [p.detach().clone() for p in small]
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                zero()
                step()
        torch.cuda.current_stream().wait_stream(stream)
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
            for u in svel + [u for u in vel if u is not None]:
                u.zero_()
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
            right += (forward(white(out[:k]), False).argmax(1) == ys[i:i + k]).sum().item()
        return right / len(ys)

    def scores(tag):
        return {tag + "val": round(100 * score(data["val_x"], data["val_y"]), 2), tag + "test": round(100 * score(data["test_x"], data["test_y"]), 2)}

    @torch.no_grad()
    def precise(augmented, tag):
        kept = [p.clone() for pair in stats for p in pair]
        batches = min(20, steps)
        for i in range(2):
            s = q = 0
            for b in range(batches):
                rows = perm[b * B + lanes]
                xb = torch.zeros(B, 3072, device=dev, dtype=half)
                if augmented:
                    rand = torch.rand(B, 6, device=dev)
                    augment(data["all_x"], torch.where(rand[:, 5] < faa, base + rows, rows), rand[:, :5].contiguous(), xb, c["cutout"], c["crop"], fused)
                else:
                    augment(data["all_x"], rows, torch.full((B, 5), 0.5, device=dev), xb, 0, 0, fused)
                h = white(xb)
                for j in range(i):
                    h = F.relu(F.batch_norm(F.linear(h, Wb[j]), *stats[j], small[2 * j], small[2 * j + 1], False, 0.1))
                h = F.linear(h, Wb[i]).float()
                s = s + h.sum(0)
                q = q + h.square().sum(0)
            mean = s / (batches * B)
            stats[i][0].copy_(mean)
            stats[i][1].copy_(q / (batches * B) - mean * mean)
        r = scores(tag)
        for p, k in zip([p for pair in stats for p in pair], kept):
            p.copy_(k)
        return r

    averaged = W + [s for pair in stats for s in pair] + small
    ema = []

    @torch.no_grad()
    def average(count):
        if not ema:
            ema.extend(p.detach().clone() for p in averaged)
        for p, k in zip(averaged, ema):
            k.lerp_(p.detach(), 1 - c["ema"] ** count)

    @torch.no_grad()
    def averaged_scores():
        kept = [p.detach().clone() for p in averaged]
        for p, k in zip(averaged, ema):
            p.copy_(k)
        for w, wb in zip(W, Wb):
            wb.data.copy_(w)
        r = scores("ema_")
        for p, k in zip(averaged, kept):
            p.copy_(k)
        for w, wb in zip(W, Wb):
            wb.data.copy_(w)
        return r

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
        for i in range(steps):
            go()
            if c["ema"] and i % 22 == 21:
                average(22)
        if e in (1, 5) or e % max(1, c["epochs"] // 16) == 0 or e == c["epochs"]:
            sync()
            took = time.time() - begin
            r = dict(cfg=cfg, epoch=e, s=round(took, 1), val=round(100 * score(data["val_x"], data["val_y"]), 2), test=round(100 * score(data["test_x"], data["test_y"]), 2),
                     left=[int(w.count_nonzero()) for w in W], density=[round(100 * w.count_nonzero().item() / w.numel(), 3) for w in W], lr=lr.item(), faa=faa.item(), lamf=lamf.item())
            if ema:
                r.update(averaged_scores())
            log(r)
        if e % max(1, c["epochs"] // 16) == 0 or e in (1, 5):
            sync()
            if time.time() > deadline:
                log(dict(cfg=cfg, stopped=e))
                return
    sync()
    r = scores("")
    r.update(precise(False, "plain_"))
    r.update(precise(True, "aug_"))
    log(dict(cfg=cfg, end=True, **r, density=[round(100 * w.count_nonzero().item() / w.numel(), 3) for w in W], s=round(time.time() - begin, 1), train=round(100 * sums[1].item() / (steps * B), 2), loss=round(sums[0].item() / steps, 4)))


def main():
    f = open(os.environ.get("OUT", ".") + "/scout.jsonl", "a")

    def log(r):
        print(json.dumps(r), file=f, flush=True)

    raw = torch.from_numpy(np.fromfile(sys.argv[1], np.uint8).reshape(-1, 3073)).to(dev)
    xs, ys = raw[:, 1:].contiguous(), raw[:, 0].long()
    data = dict(train_x=xs[:50000], train_y=ys[:50000], val_x=xs[45000:50000], val_y=ys[45000:50000], test_x=xs[50000:], test_y=ys[50000:])
    pool = np.memmap(sys.argv[3], np.uint8, "r")
    rows = len(pool) // 3072
    data["all_x"] = torch.empty((50000 + rows, 3072), dtype=torch.uint8, device=dev)
    data["all_x"][:50000] = data["train_x"]
    flat = data["all_x"].view(-1)[50000 * 3072:]
    for i in range(0, len(pool), 1 << 30):
        part = torch.from_numpy(np.array(pool[i:i + (1 << 30)])).to(dev)
        flat[i:i + len(part)] = part
    for line in open(sys.argv[2]):
        try:
            train(json.loads(line), data, math.inf, log)
        except Exception as e:
            log(dict(cfg=line.strip(), error=repr(e)))
        gc.collect()
        torch.cuda.empty_cache()


main()
