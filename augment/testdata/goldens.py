#!/usr/bin/env python3
"""What PIL makes of a few images with each operation: the goldens of pil_test.go.

Usage: python3 goldens.py     (needs Pillow and numpy; made with Pillow 9.4.0)

Writes beside itself images.bin.gz, the 3x32x32 images in planes, and
goldens.csv.gz with a row for each case: operation, value as the operation
gets it (its sign drawn already), centre x and y (Cutout only), image, and the
first 16 hex digits of the SHA-256 of the result in planes.

The values are those of both policies, each with both signs where a sign is
drawn, and a ladder of levels.
"""
import csv, gzip, hashlib, os, random

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

HERE = os.path.dirname(os.path.abspath(__file__))
SIDE = 32

RANGES = {
    "ShearX": (-0.3, 0.3), "ShearY": (-0.3, 0.3),
    "TranslateX": (-0.45, 0.45), "TranslateY": (-0.45, 0.45), "Rotate": (-30, 30),
    "AutoContrast": (0, 1), "Invert": (0, 1), "Equalize": (0, 1),
    "Solarize": (0, 256), "Posterize": (4, 8),
    "Contrast": (0.1, 1.9), "Color": (0.1, 1.9), "Brightness": (0.1, 1.9), "Sharpness": (0.1, 1.9),
    "Cutout": (0, 0.2),
}
SIGNED = {"ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate"}
NO_VALUE = {"AutoContrast", "Invert", "Equalize"}


def cutout(img, v, x, y):
    """The rectangle of the reference: side v of the image's, around (x, y)."""
    if v <= 0:
        return img
    v *= SIDE
    left, top = int(max(0, x - v / 2)), int(max(0, y - v / 2))
    out = img.copy()
    ImageDraw.Draw(out).rectangle((left, top, min(SIDE, left + v), min(SIDE, top + v)), (125, 123, 114))
    return out


def affine(img, *a):
    return img.transform(img.size, Image.AFFINE, a)


OPS = {
    "ShearX": lambda i, v, x, y: affine(i, 1, v, 0, 0, 1, 0),
    "ShearY": lambda i, v, x, y: affine(i, 1, 0, 0, v, 1, 0),
    "TranslateX": lambda i, v, x, y: affine(i, 1, 0, v * SIDE, 0, 1, 0),
    "TranslateY": lambda i, v, x, y: affine(i, 1, 0, 0, 0, 1, v * SIDE),
    "Rotate": lambda i, v, x, y: i.rotate(v),
    "AutoContrast": lambda i, v, x, y: ImageOps.autocontrast(i),
    "Invert": lambda i, v, x, y: ImageOps.invert(i),
    "Equalize": lambda i, v, x, y: ImageOps.equalize(i),
    "Solarize": lambda i, v, x, y: ImageOps.solarize(i, v),
    "Posterize": lambda i, v, x, y: ImageOps.posterize(i, int(v)),
    "Contrast": lambda i, v, x, y: ImageEnhance.Contrast(i).enhance(v),
    "Color": lambda i, v, x, y: ImageEnhance.Color(i).enhance(v),
    "Brightness": lambda i, v, x, y: ImageEnhance.Brightness(i).enhance(v),
    "Sharpness": lambda i, v, x, y: ImageEnhance.Sharpness(i).enhance(v),
    "Cutout": cutout,
}


def images():
    """Rows of [32, 32, 3]: shades, noise, shapes, a flat one, few values, dim."""
    rng = np.random.RandomState(1)
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    shades = np.stack([x * 8 + y // 4, y * 8, (x + y) * 4], 2)
    noise = rng.randint(0, 256, (SIDE, SIDE, 3))
    shapes = np.zeros((SIDE, SIDE, 3)) + (40, 90, 160)
    shapes[(x - 12) ** 2 + (y - 18) ** 2 < 60] = (250, 220, 30)
    shapes[4:11, 18:30] = (10, 10, 12)
    shapes += rng.normal(0, 9, shapes.shape)
    flat = np.zeros((SIDE, SIDE, 3)) + (0, 128, 255)
    flat[5, 7] = (1, 128, 254)
    few = rng.choice([0, 1, 127, 128, 254, 255], (SIDE, SIDE, 3))
    few[..., 1] = np.where(rng.rand(SIDE, SIDE) < 0.6, 255, few[..., 1])
    dim = 60 + 25 * np.sin(x / 3.1)[..., None] * np.cos(y / 4.7)[..., None] + rng.normal(0, 3, (SIDE, SIDE, 3)) + (0, 20, 60)
    return [np.clip(i, 0, 255).astype(np.uint8) for i in (shades, noise, shapes, flat, few, dim)]


def values(op):
    lo, hi = RANGES[op]
    if op in NO_VALUE:
        return [0.0]
    levels = [i / 12 for i in range(13)]
    for name in ("cifar", "svhn"):
        with open(os.path.join(HERE, "..", "policies", name + ".csv")) as f:
            for row in csv.DictReader(f):
                levels += [float(row["level" + k]) for k in "12" if row["op" + k] == op]
    vs = {l * (hi - lo) + lo for l in levels}
    if op in SIGNED:
        vs |= {-v for v in vs}
    return sorted(vs)


def pack(name, data):
    with open(os.path.join(HERE, name), "wb") as f:
        f.write(gzip.compress(data, 9, mtime=0))


def main():
    random.seed(2)
    imgs = images()
    pack("images.bin.gz", b"".join(i.transpose(2, 0, 1).tobytes() for i in imgs))
    rows = []
    for op, f in OPS.items():
        for n, v in enumerate(values(op)):
            for k, img in enumerate(imgs):
                if op not in NO_VALUE and (n + k) % 3:  # a third of them says as much
                    continue
                x = y = 0.0
                if op == "Cutout":
                    x, y = random.uniform(SIDE, 1), random.uniform(SIDE, 1)
                out = np.asarray(f(Image.fromarray(img), v, x, y))
                assert out.shape == (SIDE, SIDE, 3)
                h = hashlib.sha256(out.transpose(2, 0, 1).tobytes()).hexdigest()[:16]
                rows.append(f"{op},{v!r},{x!r},{y!r},{k},{h}\n")
    pack("goldens.csv.gz", "".join(rows).encode())


if __name__ == "__main__":
    main()
