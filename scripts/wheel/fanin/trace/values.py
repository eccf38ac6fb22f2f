"""What is known of the values of a tensor while a model is built: one distribution for all elements, known data, or neither."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from . import tensors
from .tensors import Scheme


@dataclass(frozen=True)
class Origin:
    """The initializer that drew the values, with its arguments, for a tensor of this shape."""

    name: str
    arguments: tuple
    shape: tuple

    def __getitem__(self, key):
        return dict(self.arguments).get(key)


@dataclass(frozen=True)
class Constant:
    value: float


@dataclass(frozen=True)
class Normal:
    mean: float
    std: float
    origin: Origin | None = None


@dataclass(frozen=True)
class Uniform:
    low: float
    high: float
    origin: Origin | None = None


@dataclass(frozen=True)
class Truncated:
    """A normal distribution of this mean and standard deviation, cut at two values."""

    mean: float
    std: float
    low: float
    high: float
    origin: Origin | None = None


@dataclass(frozen=True)
class Named:
    """Values that only the name of an initializer describes."""

    origin: Origin


@dataclass(frozen=True)
class Unknown:
    """Values that were computed in a way that is not followed, from random ones or from too many."""

    why: str


@dataclass(frozen=True)
class Norm:
    """The norms of another storage after so many writes, as weight normalization computes them."""

    storage: int
    writes: int


@dataclass
class Data:
    """Known values."""

    tensor: object


EMPTY = Unknown("uninitialised memory")
RANDOM = (Normal, Uniform, Truncated, Named)

# The schemes of torch's initializers whose only parameter is a gain.
GAINED = {"xavier_uniform_": "glorot-uniform", "xavier_normal_": "glorot-normal", "orthogonal_": "orthogonal"}


def affine(value, factor, shift):
    """`factor * value + shift`."""
    if factor == 0:
        return Constant(shift)
    if isinstance(value, Constant):
        return Constant(factor * value.value + shift)
    if isinstance(value, Normal):
        return Normal(factor * value.mean + shift, abs(factor) * value.std)
    if isinstance(value, Uniform):
        return Uniform(*sorted((factor * value.low + shift, factor * value.high + shift)))
    if isinstance(value, Truncated):
        bounds = sorted((factor * value.low + shift, factor * value.high + shift))
        return Truncated(factor * value.mean + shift, abs(factor) * value.std, *bounds)
    if isinstance(value, Named) and shift == 0 and value.origin.name == "orthogonal_" and factor > 0:
        return Named(replace(value.origin, arguments=(("gain", factor * (value.origin["gain"] or 1)),)))
    return value if isinstance(value, Unknown) else Unknown("a product or sum with random values")


def inverse_error_function(value):
    """erfinv of uniform values: a normal distribution of variance 1/2, cut where they were."""
    if isinstance(value, Uniform) and -1 <= value.low < value.high <= 1:
        import scipy.special

        low, high = (float(scipy.special.erfinv(bound)) for bound in (value.low, value.high))
        return Truncated(0.0, math.sqrt(0.5), low, high)
    return Unknown("erfinv of random values")


def clamped(value, low, high):
    """The values with a lower and an upper limit; None for none."""
    low, high = (-math.inf if low is None else low), (math.inf if high is None else high)
    if isinstance(value, Normal):
        value = Truncated(value.mean, value.std, -math.inf, math.inf)
    if isinstance(value, Uniform) and low <= value.low and high >= value.high:
        return value
    if isinstance(value, Truncated):
        # No value lies between a bound and a limit, or at most one in 10^15 lies beyond the limit.
        near, far = 1e-6 * value.std, 8 * value.std
        if low <= max(value.low + near, value.mean - far) and high >= min(value.high - near, value.mean + far):
            return Truncated(value.mean, value.std, max(low, value.low), min(high, value.high))
    if isinstance(value, Constant):
        return Constant(min(max(value.value, low), high))
    return value if isinstance(value, Unknown) else Unknown("clamped random values")


def scheme(value, shape):
    """The scheme of one distribution for all elements, or None."""
    origin = getattr(value, "origin", None)
    if origin is not None and origin.shape == tuple(shape) and (found := named(origin)) is not None:
        return found
    if isinstance(value, Constant):
        return tensors.constant(value.value)
    if isinstance(value, Normal):
        return tensors.normal(value.mean, value.std, math.prod(shape))
    if isinstance(value, Uniform):
        return tensors.uniform(value.low, value.high)
    if isinstance(value, Truncated):
        return tensors.truncated(value.mean, value.std, value.low, value.high, math.prod(shape))
    return None


def named(origin):
    """The scheme of an initializer of torch, which counts fans by the positions of axes as the layout `torch` does."""
    gain = origin["gain"]
    scale = Scheme("") if gain in (None, 1) else Scheme(":gain=#", (float(gain),))
    if origin.name in GAINED:
        return tensors.joined(Scheme(GAINED[origin.name]), scale)
    if origin.name in ("kaiming_uniform_", "kaiming_normal_"):
        return kaiming(origin)
    if origin.name == "dirac_":
        groups = origin["groups"]
        return Scheme("dirac" if groups in (None, 1) else f"dirac:groups={groups}")
    if origin.name == "eye_":
        return Scheme("identity")
    if origin.name == "sparse_":
        return Scheme("sparse:zeros=#,std=#,unit=input", (float(origin["sparsity"]), float(origin["std"])))
    return None


def kaiming(origin):
    """He's scheme; torch's default for its layers has a name of its own."""
    from torch.nn.init import calculate_gain

    slope, mode, kind = origin["a"], origin["mode"], origin["nonlinearity"]
    if origin.name == "kaiming_uniform_" and slope == math.sqrt(5) and mode == "fan_in" and kind == "leaky_relu":
        return Scheme("fan-in-uniform")
    gain = calculate_gain(kind, slope)
    words = ["mode=fan-out"] if mode == "fan_out" else []
    words += [] if math.isclose(gain, math.sqrt(2)) else ["gain=#"]
    text = "he-uniform" if origin.name == "kaiming_uniform_" else "he-normal"
    return Scheme(":".join([text, ",".join(words)]) if words else text, (float(gain),) if "gain=#" in words else ())
