"""Runs one framework's reference: `worker.py FRAMEWORK OUTPUT [--random NUMBER COUNT] [--fanin PROGRAM]`.

Without --fanin, a row of the output is a case and the framework's values, shortened. With it, the program draws the same
case, and a row lists the comparison and its differences.
"""

import argparse
import hashlib
import importlib
import importlib.metadata
import json
import math
import os
import platform
import subprocess

import numpy
from frameworks import FRAMEWORKS, ROOT, packages
from grid import Fixed, Random

RECIPES = ROOT / "tests" / "data" / "parity"
HEAD, CLOSE_HEAD = 4, 16
DTYPES = {"float32": "f32", "float64": "f64", "float16": "f16", "bfloat16": "bf16", "uint16": "bf16"}
SAFETENSORS = {"F32": "<f4", "F64": "<f8", "F16": "<f2", "BF16": "<u2"}


def versions(name):
    # A package may come under another name: tensorflow as tensorflow_cpu.
    given = importlib.metadata.packages_distributions()
    wanted = dict.fromkeys([*packages(name), "numpy"])
    found = {package: importlib.metadata.version(given[package][0]) for package in wanted}
    if "torch" in found:
        import torch

        found["torch"] += f" ({torch.backends.cpu.get_cpu_capability()} kernels)"
    return {**found, "Python": platform.python_version()}


def cases(name, grid):
    """(words, arrays, tolerance) of every case. A case that is there twice must be the same twice."""
    seen = {}
    for arguments, draw, *rest in importlib.import_module(FRAMEWORKS[name][0]).cases(grid):
        words = [str(word) for word in arguments]
        if bad := [word for word in words if not word or set(word) & set(" \n\t")]:
            raise ValueError(f"a word of a case that a line cannot hold: {bad}")
        arrays = {tensor: plain(array) for tensor, array in draw().items()}
        if not arrays:
            raise ValueError(f"{' '.join(words)}: no tensors")
        told, line = digest(arrays), " ".join(words)
        if line in seen:
            if seen[line] != told:
                raise ValueError(f"{line}: other values the second time")
            continue
        seen[line] = told
        yield words, arrays, rest[0] if rest else by_nature(words, arrays)


def by_nature(words, arrays):
    """The tolerance of a distribution that rests on a QR decomposition, which every LAPACK rounds in its own way; else None."""
    if "orthogonal" not in words[1].lower():
        return None
    rank = max(max(min(a.size // side, side) for side in (a.shape[0], a.shape[-1])) for a in arrays.values() if a.size)
    unit = {"f64": 1e-13, "f32": 2e-5, "f16": 2e-5 + 2**-11, "bf16": 2e-5 + 2**-8}
    return max(unit[kind(array)] for array in arrays.values()) * math.sqrt(rank)


def plain(array):
    """An array as fanin writes it: little-endian, C order, bfloat16 as 16-bit words."""
    array = numpy.asarray(array)
    if array.dtype.name not in DTYPES:
        raise ValueError(f"an array of {array.dtype}")
    if DTYPES[array.dtype.name] == "bf16":
        array = array.view(numpy.uint16)
    return numpy.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).reshape(array.shape)


def digest(arrays):
    return {name: hashlib.sha256(array.tobytes()).hexdigest()[:32] for name, array in arrays.items()}


def kind(array):
    return DTYPES[array.dtype.name]


def described(array, tolerance):
    """`SHAPE DTYPE HASH HEAD,...`; of a close distribution no hash, but more values."""
    shape = "x".join(map(str, array.shape)) or "scalar"
    bits = array.reshape(-1)[: HEAD if tolerance is None else CLOSE_HEAD].view(f"<u{array.itemsize}")
    head = ",".join(f"{word:0{2 * array.itemsize}x}" for word in bits.tolist())
    digested = hashlib.sha256(array.tobytes()).hexdigest()[:32] if tolerance is None else "-"
    return f"{shape} {kind(array)} {digested} {head}".rstrip()


def golden(words, arrays, tolerance):
    """A line of tests/data/parity."""
    close = "" if tolerance is None else f"close {tolerance:g}; "
    return {"case": " ".join(words), "drawn": close + "; ".join(f"{n}={described(a, tolerance)}" for n, a in arrays.items())}


# --- live -----------------------------------------------------------------------------------------------------------------


def fanin(program, words):
    """The tensors that the program draws, by name, and what it says."""
    command = [os.path.abspath(program), *words, "--format", "safetensors", "-o", "-"]
    done = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL, cwd=RECIPES)
    said = done.stderr.decode(errors="replace")
    if done.returncode != 0:
        return None, said.strip()
    length = int.from_bytes(done.stdout[:8], "little")
    header, data = json.loads(done.stdout[8 : 8 + length]), done.stdout[8 + length :]
    header.pop("__metadata__", None)
    arrays = {}
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        arrays[name] = numpy.frombuffer(data[start:end], SAFETENSORS[entry["dtype"]]).reshape(entry["shape"])
    return arrays, said


def numbers(array):
    """As f64; bfloat16 from its words."""
    if array.dtype == numpy.uint16:
        array = (array.astype(numpy.uint32) << 16).view(numpy.float32)
    return array.astype(numpy.float64)


def compared(program, words, arrays, tolerance):
    """How many tensors and values of a case were compared, how many differ, and the first of them."""
    row = {"case": " ".join(words), "tensors": len(arrays), "values": sum(a.size for a in arrays.values())}
    drawn, said = fanin(program, words)
    row |= {"close": tolerance is not None, "different": 0, "farthest": 0.0}
    if drawn is None:
        return row | {"different": row["values"] or 1, "told": said}
    if drawn.keys() != arrays.keys():
        return row | {"different": row["values"] or 1, "told": f"tensors {list(drawn)}, not {list(arrays)}"}
    for name, wanted in arrays.items():
        got = drawn[name]
        if (got.shape, got.dtype) != (wanted.shape, wanted.dtype):
            told = f"`{name}` is {got.dtype} {got.shape}, not {wanted.dtype} {wanted.shape}"
            return row | {"different": row["values"] or 1, "told": told}
        bits = f"<u{wanted.itemsize}"
        if tolerance is None:
            wrong = got.reshape(-1).view(bits) != wanted.reshape(-1).view(bits)
        else:
            apart = abs(numbers(got) - numbers(wanted)).reshape(-1)
            wrong = ~(apart <= tolerance)
            row["farthest"] = max(row["farthest"], float(apart.max(initial=0)))
        if wrong.any() and "told" not in row:
            place = int(wrong.argmax())
            one, other = (numbers(array).reshape(-1)[place].item() for array in (got, wanted))
            row["told"] = f"`{name}` element {place}: {one!r}, not {other!r}"
        row["different"] += int(wrong.sum())
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("framework", choices=FRAMEWORKS)
    parser.add_argument("output")
    parser.add_argument("--random", nargs=2, type=int, metavar=("NUMBER", "COUNT"))
    parser.add_argument("--fanin")
    given = parser.parse_args()
    grid = Random(*given.random) if given.random else Fixed()
    with open(given.output, "w", encoding="utf-8") as output:
        print(json.dumps(versions(given.framework)), file=output)
        for words, arrays, tolerance in cases(given.framework, grid):
            if tolerance is not None and not math.isfinite(tolerance):
                raise ValueError(f"{' '.join(words)}: a tolerance of {tolerance}")
            row = compared(given.fanin, words, arrays, tolerance) if given.fanin else golden(words, arrays, tolerance)
            print(json.dumps(row), file=output)


if __name__ == "__main__":
    main()
