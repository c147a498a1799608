"""Writes golden.json: ten training steps of tiny networks, in PyTorch.

    python3 golden.py > golden.json        (PyTorch 1.13, float64, a few seconds)

Images, labels and first weights are a hash of their place, so that the Go test
makes the same ones. The arithmetic is float64; what Go computes in float32 is
to come near it.
"""

import json
import math

import torch
import torch.nn.functional as F

SIDE, CLASSES, BATCH, STEPS = 8, 5, 24, 10
CUT_FACTOR = 50  # β
MASK = (1 << 64) - 1


def uniform(stream, n):
    """n numbers in [-1, 1): splitmix64 of the stream and the place."""
    out = []
    for i in range(n):
        z = (stream * 0x632BE59BD9B4E019 + (i + 1) * 0x9E3779B97F4A7C15) & MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        z ^= z >> 31
        out.append((z >> 40) / (1 << 23) - 1)
    return torch.tensor(out, dtype=torch.float64)


def batch(step):
    """Noise, with a bright stripe where the label says."""
    x = uniform(100 + step, BATCH * 3 * SIDE * SIDE).reshape(BATCH, 3, SIDE, SIDE)
    y = torch.tensor([(i * 7 + step) % CLASSES for i in range(BATCH)])
    for i in range(BATCH):
        x[i, :, int(y[i]), :] += 1
    return x, y


class Net:
    """layers: (kind, name, out, kernel, stride), the last without batch norm."""

    def __init__(self, layers):
        self.layers, self.params, self.groups, self.running = layers, {}, {}, {}
        c, side = 3, SIDE
        stream = 0
        for i, (kind, name, out, size, stride) in enumerate(layers):
            stream += 1
            side_out = (side + 2 * (size // 2) - size) // stride + 1 if size else 1
            if kind == "conv":
                shape, fan = (out, c, size, size), c * size * size
            elif kind == "local":
                shape, fan = (side_out * side_out * out, c * size * size), c * size * size
            else:  # fc, or spread: the fully connected layer in place of a convolution
                fan = c * side * side
                shape = (out * side_out * side_out, fan)
            n = math.prod(shape)
            # as float32, for these are what both sides begin with
            w = (uniform(stream, n) / math.sqrt(fan)).float().double().reshape(shape)
            self.add(name + ".weight", w, "conv" if kind != "fc" else "fc")
            if i == len(layers) - 1:
                b = (uniform(stream + 50, out) / math.sqrt(fan)).float().double()
                self.add(name + ".bias", b, None)
            else:
                units = out * side_out * side_out if kind == "spread" else out
                self.add(name + ".gamma", torch.ones(units, dtype=torch.float64), None)
                self.add(name + ".beta", torch.zeros(units, dtype=torch.float64), None)
                self.running[name] = (torch.zeros(units, dtype=torch.float64), torch.ones(units, dtype=torch.float64))
            c, side = out, side_out

    def add(self, name, value, group):
        self.params[name], self.groups[name] = value.requires_grad_(), group

    def forward(self, x, train):
        for i, (kind, name, out, size, stride) in enumerate(self.layers):
            w = self.params[name + ".weight"]
            pad = size // 2
            if kind == "conv":
                x = F.conv2d(x, w, stride=stride, padding=pad)
            elif kind == "local":
                n, side = len(x), (x.shape[2] + 2 * pad - size) // stride + 1
                patches = F.unfold(x, size, stride=stride, padding=pad)  # [n, c·k·k, positions]
                per = w.reshape(side * side, out, -1)  # [positions, out, c·k·k]
                x = torch.einsum("ntp,pkt->nkp", patches, per).reshape(n, out, side, side)
            else:
                side = (x.shape[2] + 2 * pad - size) // stride + 1 if size else 1
                x = x.flatten(1) @ w.t()
            if i == len(self.layers) - 1:
                return x + self.params[name + ".bias"]
            mean, var = self.running[name]
            x = F.batch_norm(x, mean, var, self.params[name + ".gamma"], self.params[name + ".beta"], train, 0.1, 1e-5)
            x = F.relu(x)
            if kind == "spread":
                x = x.reshape(len(x), out, side, side)
            elif kind == "fc":
                x = x.reshape(len(x), out, 1, 1)
        raise AssertionError


class ResNet(Net):
    """ResNet-18 for small images, with kernels of side size."""

    def __init__(self, alpha, size):
        self.params, self.groups, self.running, self.stream = {}, {}, {}, 0
        self.size, self.blocks = size, []
        self.conv("conv1", "bn1", 3, alpha, size)
        c = alpha
        for stage in range(4):
            out = alpha << stage
            for block in range(2):
                name, stride = f"layer{stage + 1}.{block}", 2 if stage > 0 and block == 0 else 1
                self.conv(name + ".conv1", name + ".bn1", c, out, size)
                self.conv(name + ".conv2", name + ".bn2", out, out, size)
                if stride == 2:
                    self.conv(name + ".downsample.0", name + ".downsample.1", c, out, 1)
                self.blocks.append((name, stride))
                c = out
        self.weights("fc", (CLASSES, c), c, "fc")
        b = (uniform(self.stream + 50, CLASSES) / math.sqrt(c)).float().double()
        self.add("fc.bias", b, None)

    def weights(self, name, shape, fan, group):
        self.stream += 1
        w = (uniform(self.stream, math.prod(shape)) / math.sqrt(fan)).float().double().reshape(shape)
        self.add(name + ".weight", w, group)

    def conv(self, name, norm, c, out, size):
        self.weights(name, (out, c, size, size), c * size * size, "conv")
        self.add(norm + ".gamma", torch.ones(out, dtype=torch.float64), None)
        self.add(norm + ".beta", torch.zeros(out, dtype=torch.float64), None)
        self.running[norm] = (torch.zeros(out, dtype=torch.float64), torch.ones(out, dtype=torch.float64))

    def normed(self, name, norm, x, stride, train):
        w, (mean, var) = self.params[name + ".weight"], self.running[norm]
        x = F.conv2d(x, w, stride=stride, padding=w.shape[2] // 2)
        return F.batch_norm(x, mean, var, self.params[norm + ".gamma"], self.params[norm + ".beta"], train, 0.1, 1e-5)

    def forward(self, x, train):
        x = F.relu(self.normed("conv1", "bn1", x, 1, train))
        for name, stride in self.blocks:
            y = F.relu(self.normed(name + ".conv1", name + ".bn1", x, stride, train))
            y = self.normed(name + ".conv2", name + ".bn2", y, 1, train)
            if stride == 2:
                x = self.normed(name + ".downsample.0", name + ".downsample.1", x, stride, train)
            x = F.relu(x + y)
        return x.mean((2, 3)) @ self.params["fc.weight"].t() + self.params["fc.bias"]


def run(net, rule):
    """Trains net and gives its losses, non-zero weights and an evaluation."""
    velocity = {n: torch.zeros_like(p) for n, p in net.params.items()}
    losses, nonzero = [], []
    for step in range(STEPS):
        lr = rule["lr"] * 0.5 * (1 + math.cos(math.pi * step / STEPS))
        x, y = batch(step)
        loss = F.cross_entropy(net.forward(x, True), y)
        losses.append(loss.item())
        grads = torch.autograd.grad(loss, list(net.params.values()))
        count = {}
        with torch.no_grad():
            for (name, p), g in zip(net.params.items(), grads):
                group = net.groups[name]
                lam = {"conv": rule["lambda_conv"], "fc": rule["lambda_fc"], None: 0}[group]
                if group is not None:
                    g = g + rule["weight_decay"] * p + lam * torch.sign(p)
                velocity[name] = rule["momentum"] * velocity[name] + g
                p -= lr * velocity[name]
                if lam > 0:
                    p *= (p.abs() >= CUT_FACTOR * lam).double()
                if group is not None:
                    count[name.rsplit(".", 1)[0]] = int((p != 0).sum())
        nonzero.append(count)
    x, y = batch(STEPS)
    logits = net.forward(x, False)
    return {
        "losses": losses,
        "nonzero": nonzero,
        "eval_loss": F.cross_entropy(logits, y).item(),
        "eval_correct": int((logits.argmax(1) == y).sum()),
    }


def shallow(kind, alpha):
    return [(kind, "conv1", alpha, 9, 2), ("fc", "fc1", 24 * alpha, 0, 1), ("fc", "fc2", CLASSES, 0, 1)]


def deep(kind, alpha):
    widths = [1, 2, 2, 4, 4, 8, 8, 16]
    convs = [(kind, f"conv{i + 1}", w * alpha, 3, 1 + i % 2) for i, w in enumerate(widths)]
    return convs + [("fc", "fc1", 64 * alpha, 0, 1), ("fc", "fc2", CLASSES, 0, 1)]


def plain(width):
    return [("fc", "fc1", width, 0, 1), ("fc", "fc2", width, 0, 1), ("fc", "fc3", CLASSES, 0, 1)]


LASSO = dict(lr=0.1, momentum=0, weight_decay=0, lambda_conv=3e-4, lambda_fc=1e-4)
SGD = dict(lr=0.1, momentum=0.9, weight_decay=5e-4, lambda_conv=0, lambda_fc=0)
RUNS = [
    ("s-fc", 2, shallow("spread", 2), LASSO),
    ("s-conv", 2, shallow("conv", 2), LASSO),
    ("s-local", 2, shallow("local", 2), LASSO),
    ("3-fc", 20, plain(20), SGD),
    ("d-conv", 2, deep("conv", 2), SGD),
    ("d-local", 1, deep("local", 1), LASSO),
    ("d-fc", 1, deep("spread", 1), SGD),
    ("resnet18", 2, 3, dict(LASSO, lr=0.02)),
    ("resnet18", 2, 5, dict(SGD, lr=0.02)),
]

torch.set_num_threads(1)
print("[")
for i, (model, size, layers, rule) in enumerate(RUNS):
    entry = {"model": model, "size": size, "rule": rule}
    if model == "resnet18":
        entry["kernel"] = layers
    entry.update(run(ResNet(size, layers) if model == "resnet18" else Net(layers), rule))
    print(" " + json.dumps(entry) + ("," if i < len(RUNS) - 1 else ""))
print("]")
