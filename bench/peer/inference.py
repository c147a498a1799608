"""Times the forward pass of S-FC, with the weights of a file that
`betalasso export --sparse --format safetensors` wrote: PyTorch's dense products, its own
sparse ones (CSR, times a dense matrix) and onnxruntime's, of dense weights. Prints one
JSON object: images a second of each, medians.

    /usr/bin/python3 inference.py FILE [--onnx ort.json]
"""

import argparse
import json
import statistics
import time
import warnings

import torch
from torch.nn import functional as F

warnings.filterwarnings("ignore", "Sparse CSR")


def load(path):
    """The tensors by name; a sparse matrix as CSR."""
    with open(path, "rb") as f:
        head = json.loads(f.read(int.from_bytes(f.read(8), "little")))
        body = bytearray(f.read())
    head.pop("__metadata__", None)
    types = {"F32": torch.float32, "I64": torch.int64, "I32": torch.int32, "U8": torch.uint8}
    tensors = {n.replace(".shape", ""): None for n in head if not n.endswith((".values", ".gaps"))}  # in the network's order
    for name, t in head.items():
        begin, end = t["data_offsets"]
        data = torch.frombuffer(body[begin:end], dtype=types[t["dtype"]]) if end > begin else torch.zeros(0, dtype=types[t["dtype"]])
        tensors[name] = data.reshape(t["shape"])
    for name in [n[: -len(".gaps")] for n in tensors if n.endswith(".gaps")]:
        shape, values, gaps = (tensors.pop(name + "." + part) for part in ("shape", "values", "gaps"))
        ends = (gaps.long() + (gaps < 255)).cumsum(0)
        matrix = torch.zeros(shape.prod().item())
        matrix[ends[gaps < 255] - 1] = values
        tensors[name] = matrix.reshape(shape.tolist()).to_sparse_csr()
    return tensors


def main():
    p = argparse.ArgumentParser()
    p.add_argument("file")
    p.add_argument("--batch", type=int, default=512)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--steps", type=int, default=21)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    t = load(a.file)
    names = [n for n, v in t.items() if n.endswith(".weight") and v.dim() == 2]
    norms = [n[: -len(".running_mean")] for n in t if n.endswith(".running_mean")]
    x = torch.randn(a.batch, t[names[0]].shape[1])

    def layers(weights, product):
        y = x.T.contiguous()
        for i, w in enumerate(weights):
            y = product(w, y)
            if i < len(norms):
                n = norms[i]
                scale = t[n + ".weight"] / (t[n + ".running_var"] + 1e-5).sqrt()
                y = F.relu((y - t[n + ".running_mean"][:, None]) * scale[:, None] + t[n + ".bias"][:, None])
        return y

    def timed(run):
        times = []
        for i in range(a.steps + 2):
            began = time.perf_counter()
            run()
            if i > 1:
                times.append(time.perf_counter() - began)
        return round(a.batch / statistics.median(times), 1)

    dense = [t[n].to_dense() if t[n].layout == torch.sparse_csr else t[n] for n in names]
    with torch.no_grad():
        out = {
            "density": [round(float((w != 0).float().mean()), 5) for w in dense],
            "torch_dense": timed(lambda: layers(dense, torch.matmul)),
            "torch_csr": timed(lambda: layers([t[n] for n in names], torch.matmul)),
            "batch": a.batch, "threads": a.threads, "versions": {"torch": torch.__version__},
        }
        out["same"] = float((layers(dense, torch.matmul) - layers([t[n] for n in names], torch.matmul)).abs().max())
    print(json.dumps(out))


if __name__ == "__main__":
    main()
