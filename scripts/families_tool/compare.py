"""Comparison of fanin's plans and values with the facts of the library."""

import re
from collections import Counter

from .tables import fold, relative

FIGURES = 1e-6  # relative; laws have seven digits
LARGEST = 40  # lines of one comparison
DTYPES = re.compile(r"(f|bf|i|u)\d+$|bool$")


class Faults:
    """Faults of tensors; layers with the same fault share a line. `^` is the prefix of the base model's names."""

    def __init__(self, body):
        self.body, self.counts = body, Counter()

    def add(self, name, fault):
        self.counts[fold(relative(name, self.body))[0], fault] += 1

    def lines(self):
        found = [f"{name}: {fault}" + (f" ({count} tensors)" if count > 1 else "") for (name, fault), count in sorted(self.counts.items())]
        return found[:LARGEST] + [f"and {len(found) - LARGEST} more"] * (len(found) > LARGEST)


def plans(report, facts):
    """The faults of a dry run, and the names of tensors of which only the values tell."""
    faults, drawn = Faults(facts.body), []
    planned = {tensor["name"]: tensor for tensor in report["tensors"]}
    for name, (shape, law) in facts.tensors.items():
        tensor = planned.pop(name, None)
        if tensor is None:
            faults.add(name, f"missing, {shape} {law}")
        elif tensor["shape"] != shape:
            faults.add(name, f"shape {tensor['shape']}, not {shape}")
        elif (found := distribution(tensor, law)) is None:
            drawn.append(name)
        elif found:
            faults.add(name, f"{found}; its scheme is {tensor['scheme']}")
    for name in planned:
        faults.add(name, f"not in the library, {planned[name]['shape']}")
    tied = report.get("tied", {})
    for name, target in facts.ties.items():
        if tied.get(name) != target:
            faults.add(name, f"not tied to {target}")
    for name in tied.keys() - facts.ties.keys():
        faults.add(name, "tied, but not in the library")
    return faults, drawn


def changes(before, after):
    """The differences between two facts of a case."""
    faults = Faults(before.body)
    for name in before.tensors.keys() | after.tensors.keys():
        one, other = before.tensors.get(name), after.tensors.get(name)
        if one is None:
            faults.add(name, f"new, {other[0]} {other[1]}")
        elif other is None:
            faults.add(name, f"gone, it was {one[0]} {one[1]}")
        elif one[0] != other[0]:
            faults.add(name, f"{other[0]}, it was {one[0]}")
        elif str(one[1]) != str(other[1]) and not (isinstance(one[1], dict) and isinstance(other[1], dict)):
            faults.add(name, f"{other[1]}, it was {one[1]}")
    for name in before.ties.keys() | after.ties.keys():
        if before.ties.get(name) != after.ties.get(name):
            faults.add(name, f"tied to {after.ties.get(name)}, it was to {before.ties.get(name)}")
    return faults.lines()


def distribution(tensor, law):
    """The difference between a tensor of a report and a law; `None` if only its values tell."""
    if isinstance(law, dict) or "distribution" not in tensor:
        return None
    name, *words = str(law).split()
    if name in ("inf", "-inf"):
        return None
    numbers = [float(word) for word in words[: {"normal": 1, "orthogonal": 1, "uniform": 2, "truncated": 3}.get(name, 0)]]
    mean = float(words[words.index("mean") + 1]) if "mean" in words else 0.0
    if name == "uniform":
        expected = {"low": numbers[0], "high": numbers[1]}
    elif name == "truncated":
        expected = {"mean": mean, "std": numbers[0], "low": numbers[1], "high": numbers[2]}
    elif name in ("normal", "orthogonal"):
        expected = {"mean": mean, "std": numbers[0]}
    else:
        name, expected = "constant", {"mean": float(name)}
    wrong = []
    if tensor["distribution"].removesuffix("-normal") != name:
        wrong.append(f"{tensor['distribution']}, not {law}")
    else:
        scale = max([abs(value) for value in expected.values()] + [0.0])
        differs = lambda key, value: key not in tensor or abs(tensor[key] - value) > FIGURES * scale
        wrong += [f"{key} {tensor.get(key)}, not {value}" for key, value in expected.items() if differs(key, value)]
    dtype = words[-1] if words and DTYPES.match(words[-1]) else "f32"
    if tensor["dtype"] != dtype:
        wrong.append(f"dtype {tensor['dtype']}, not {dtype}")
    width = 1
    for axis in tensor["shape"][1:]:
        width *= axis
    rows = [int(row) for row in words[words.index("padding") + 1].split(",")] if "padding" in words else []
    if tensor.get("zeros") != ([rows[0] * width, (rows[-1] + 1) * width] if rows else None):
        zeros = [place // width for place in tensor["zeros"]] if tensor.get("zeros") else "none"
        wrong.append(f"rows of zeros {zeros}, not {rows or 'none'}")
    return ", ".join(wrong)
