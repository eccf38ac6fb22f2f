"""Compares a file that fanin writes from a recipe with a real draw of the model."""

from __future__ import annotations

import json
import math
import subprocess
import tempfile
from pathlib import Path

from .tables import fanin
from .tensors import Refusal

SIGMA = 5
SORTED = 1 << 20  # elements of a tensor whose distribution functions are compared
FEW = 8  # values of a tensor whose moments say too little


def run(recipe, *arguments):
    """Runs fanin; the error is its message."""
    done = subprocess.run([fanin(), "model", str(recipe), *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        raise Refusal(done.stderr.strip() or f"fanin: exit status {done.returncode}")
    return done.stdout


def names(model, recipe):
    """The differences in names, shapes and dtypes between a recipe and its model, without a draw."""
    report = json.loads(run(recipe, "--dry-run", "--json", "--yes"))
    found = {row["name"]: (tuple(row["shape"]), row["dtype"]) for row in report["tensors"]}
    wanted = {tensor.name: (tensor.shape, tensor.dtype) for tensor in model.tensors if not tensor.tied}
    for name in wanted.keys() | found.keys():
        if wanted.get(name) != found.get(name):
            yield f"{name}: {found.get(name)} in the recipe, {wanted.get(name)} in the model"


def draws(model, recipe):
    """The tensors of a real draw, and those of fanin's file after the model has taken it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        run(recipe, "-o", str(path), "-q")
        return model.load(model, path)


def table(model, recipe):
    """Name, shape, dtype, mean and standard deviation of each tensor of a real draw; no moments if it is not recorded."""
    drawn, _ = draws(model, recipe)
    for tensor in (one for one in model.tensors if not one.tied):
        real = trimmed(drawn[tensor.name].astype(float))
        known = real.size and not tensor.note
        yield [
            tensor.name,
            list(tensor.shape),
            tensor.dtype,
            *([float(f"{real.mean():.6g}"), float(f"{real.std():.6g}")] if known else []),
        ]


def values(model, recipe):
    """The differences between fanin's values and a real draw."""
    yield from names(model, recipe)
    drawn, written = draws(model, recipe)
    skipped = {tensor.name for tensor in model.tensors if tensor.note}
    for name, real in drawn.items():
        if name not in skipped:
            yield from (f"{name}: {wrong}" for wrong in compare(written[name], real))


def compare(written, real):
    """The differences between two draws of one tensor, given the sampling errors of both."""
    import numpy

    if written.shape != real.shape or written.dtype != real.dtype:
        yield f"{written.shape} {written.dtype}, not {real.shape} {real.dtype}"
        return
    one, other = written.astype(float), real.astype(float)
    if one.size == 0:
        return
    if (other == other.flat[0]).all() or (one == one.flat[0]).all():
        if not numpy.allclose(one, other, rtol=1e-6):
            yield f"{one.flat[0]:g}, not {other.flat[0]:g}" if one.size else "other values"
        return
    if one.ndim > 1:
        zero = [sorted(numpy.flatnonzero(~values.reshape(len(values), -1).any(axis=1)).tolist()) for values in (one, other)]
        if zero[0] != zero[1] and (len(zero[0]) < 3 or len(zero[1]) < 3):
            yield f"rows of zeros: {zero[0][:4]}, not {zero[1][:4]}"
    if one.size < FEW or numpy.array_equal(one, other):
        return
    one, other = trimmed(one), trimmed(other)
    mean, std = other.mean(), other.std()
    kurtosis = ((other - mean) ** 4).mean() / std**4
    error = math.hypot(std, one.std()) / math.sqrt(one.size)
    if abs(one.mean() - mean) > SIGMA * error + 1e-7 * abs(mean):
        yield f"mean {one.mean():.4g}, not {mean:.4g}"
    if one.size >= 8 * FEW and abs(one.std() - std) > SIGMA * error * math.sqrt(max(kurtosis - 1, 0.1) / 4) + 1e-6 * std:
        yield f"std {one.std():.4g}, not {std:.4g}"
    if one.size >= 8 * FEW and (distance := ks(one.ravel(), other.ravel())) > 2.75:
        yield f"another distribution (Kolmogorov-Smirnov {distance:.1f})"


def trimmed(values):
    """Values without very few far ones: timm's truncated normal values are -2 with a probability of 2^-24."""
    import numpy

    middle = numpy.median(values) if values.size else 0.0
    spread = numpy.median(abs(values - middle)) if values.size else 0.0
    near = abs(values - middle) <= 30 * spread
    return values[near] if spread and (~near).sum() <= 2 + 1e-5 * values.size else values


def ks(one, other):
    """The distance of two empirical distribution functions, scaled: above 2.75 with a probability of 6e-7."""
    import numpy

    step = 1 + one.size // SORTED
    one, other = numpy.sort(one[::step]), numpy.sort(other[::step])
    every = numpy.concatenate([one, other])
    gap = numpy.searchsorted(one, every, "right") / one.size - numpy.searchsorted(other, every, "right") / other.size
    return abs(gap).max() * math.sqrt(one.size / 2)
