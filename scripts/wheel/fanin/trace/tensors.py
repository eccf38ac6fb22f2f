"""Tensors of a traced model, and the scheme of each."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field

from .numbers import shown

# The dtypes of a recipe by the names of the frameworks.
DTYPES = {"float64": "f64", "float32": "f32", "float16": "f16", "bfloat16": "bf16", "int64": "i64", "bool": "bool"}


class Refusal(Exception):
    """An error that is shown as one line."""


@dataclass(frozen=True)
class Scheme:
    """An expression of a scheme. `#` is the place of a number; `@` the place of one inside an expression in braces."""

    text: str
    numbers: tuple = ()

    def plain(self):
        """The text with literal numbers."""
        return self.write(shown)

    def write(self, text):
        """The scheme, with each number as `text` writes it."""
        numbers, parts = iter(self.numbers), []
        for letter in self.text:
            if letter == "@":
                parts.append(text(next(numbers)))
            elif letter == "#":
                written = text(number := next(numbers))
                parts.append(written if isinstance(number, (int, float)) else "{" + written + "}")
            else:
                parts.append(letter)
        return "".join(parts)


@dataclass
class Tensor:
    """A tensor of the model's file."""

    name: str
    shape: tuple
    scheme: Scheme | None = None
    dtype: str = "f32"
    tied: str | None = None
    note: str | None = None  # why the scheme is not that of the model
    keys: dict = field(default_factory=dict)


@dataclass
class Model:
    """Everything that a recipe needs."""

    source: str  # the callable and the versions, for the first line
    layout: str
    tensors: list
    build: object = None  # builds the real model, for --check
    load: object = None  # loads a file into it and returns its tensors by name


def scaled(name, top, bound, elements=None):
    """A scheme `name` of a number that is sqrt(top / n) for an integer n, or None. A fan divides the number of elements."""
    count = top / bound**2
    if elements is not None and elements % max(round(count), 1):
        return None
    if 1 < count < 1e9 and abs(count - round(count)) <= 2e-12 * count:
        inside = "1 / sqrt(@)" if top == 1 else f"sqrt({top} / @)"
        return Scheme(f"{name}{{{inside}}}", (round(count),))
    return None


def neat(value):
    """A number without the last digits, if those are errors of rounding, in double or in single precision."""
    value = float(value)
    rounded = float(f"{value:.14g}")
    if single(value) == value and single(float(f"{value:.7g}")) == value:
        rounded = float(f"{value:.7g}")
    return rounded if len(repr(rounded)) + 3 < len(repr(value)) else value


def single(value):
    """The nearest number of single precision."""
    return struct.unpack("f", struct.pack("f", value))[0] if abs(value) < 3e38 else value


def sized(name, value, tops, elements=None):
    """A scheme of a number: as a decimal if that is short, else as a root of a fraction if it is one."""
    value = neat(value)
    if len(shown(value).replace("0.", "").replace(".", "").strip("0")) > 5:
        for top in tops:
            if (found := scaled(name, top, value, elements)) is not None:
                return found
    return Scheme(f"{name}#", (value,))


def joined(*schemes):
    """One scheme of several parts."""
    return Scheme("".join(one.text for one in schemes), tuple(number for one in schemes for number in one.numbers))


def constant(value):
    value = neat(value)
    if value in (0.0, 1.0) and not math.copysign(1, value) < 0:
        return Scheme("ones" if value else "zeros")
    if math.isnan(value):
        return Scheme("nan")
    return Scheme("constant:#", (value,))


def normal(mean, std, elements=None):
    if std == 0:
        return constant(mean)
    scheme = sized("normal:std=", std, (1, 2), elements)
    return joined(scheme, Scheme(",mean=#", (neat(mean),))) if mean else scheme


def uniform(low, high):
    if low == -high:
        return sized("uniform:range=", high, (1, 2, 3, 6))
    return Scheme("uniform:low=#,high=#", (neat(low), neat(high)))


# The standard deviation of a standard normal value between -2 and 2.
CUT_AT_TWO = 0.87962566103423978


def truncated(mean, std, low, high, elements=None):
    if mean == 0 and abs(high - 2 * std) <= 1e-6 * std and abs(low + 2 * std) <= 1e-6 * std:
        for top in (1, 2):
            if (found := scaled("truncated-normal:std=", top, std * CUT_AT_TWO, elements)) is not None:
                return joined(found, Scheme(",corrected=true"))
        return sized("truncated-normal:std=", std, (1, 2), elements)
    if low == -math.inf and high == math.inf:
        return normal(mean, std, elements)
    scheme = sized("truncated-normal:std=", std, (1, 2), elements)
    scheme = joined(scheme, Scheme(",mean=#", (neat(mean),))) if mean else scheme
    bounds = [(word, neat(bound)) for word, bound in (("low", low), ("high", high)) if math.isfinite(bound)]
    return joined(scheme, *(Scheme(f",{word}=#", (bound,)) for word, bound in bounds))


def scaling(scale, mode, distribution):
    """Variance scaling with fans by the positions of axes."""
    words = [] if mode == "fan_in" else [f"mode={mode.replace('_', '-')}"]
    words += {"truncated_normal": [], "untruncated_normal": ["distribution=normal"]}.get(
        distribution, [f"distribution={distribution}"]
    )
    number = [] if scale == 1 else ["scale=#"]
    text = ",".join([*number, *words])
    return Scheme("variance-scaling" + (f":{text}" if text else ""), (neat(scale),) if number else ())
