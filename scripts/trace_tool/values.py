"""What is known of the values of a tensor while a model is built: one distribution for all elements, known data, or neither."""

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


def affine(value, factor, shift):
    """`factor * value + shift`."""
    if factor == 0:
        return Constant(shift)
    match value:
        case Constant(one):
            return Constant(factor * one + shift)
        case Normal(mean, std):
            return Normal(factor * mean + shift, abs(factor) * std)
        case Uniform(low, high):
            low, high = sorted((factor * low + shift, factor * high + shift))
            return Uniform(low, high)
        case Truncated(mean, std, low, high):
            low, high = sorted((factor * low + shift, factor * high + shift))
            return Truncated(factor * mean + shift, abs(factor) * std, low, high)
        case Named(origin) if shift == 0 and origin.name == "orthogonal_" and factor > 0:
            return Named(replace(origin, arguments=(("gain", factor * (origin["gain"] or 1)),)))
        case Unknown():
            return value
    return Unknown("a product or sum with random values")


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
    match value:
        case Uniform(below, above) if low <= below and high >= above:
            return value
        case Normal(mean, std):
            return clamped(Truncated(mean, std, -math.inf, math.inf), low, high)
        case Truncated(mean, std, below, above):
            # No value lies between a bound and a limit, or at most one in 10^15 lies beyond the limit.
            far = 8 * std
            if low <= max(below + 1e-6 * std, mean - far) and high >= min(above - 1e-6 * std, mean + far):
                return Truncated(mean, std, max(low, below), min(high, above))
        case Constant(one):
            return Constant(min(max(one, low), high))
        case Unknown():
            return value
    return Unknown("clamped random values")


def scheme(value, shape):
    """The scheme of one distribution for all elements, or None."""
    origin = getattr(value, "origin", None)
    if origin is not None and origin.shape == tuple(shape) and (found := named(origin)) is not None:
        return found
    match value:
        case Constant(one):
            return tensors.constant(one)
        case Normal(mean, std):
            return tensors.normal(mean, std, math.prod(shape))
        case Uniform(low, high):
            return tensors.uniform(low, high)
        case Truncated(mean, std, low, high):
            return tensors.truncated(mean, std, low, high, math.prod(shape))
    return None


def named(origin):
    """The scheme of an initializer of torch, which counts fans by the positions of axes as the layout `torch` does."""
    gain = origin["gain"]
    scale = Scheme("") if gain in (None, 1) else Scheme(":gain=#", (float(gain),))
    match origin.name:
        case "xavier_uniform_":
            return tensors.joined(Scheme("glorot-uniform"), scale)
        case "xavier_normal_":
            return tensors.joined(Scheme("glorot-normal"), scale)
        case "kaiming_uniform_" | "kaiming_normal_":
            return kaiming(origin)
        case "orthogonal_":
            return tensors.joined(Scheme("orthogonal"), scale)
        case "dirac_":
            groups = origin["groups"]
            return Scheme("dirac" if groups in (None, 1) else f"dirac:groups={groups}")
        case "eye_":
            return Scheme("identity")
        case "sparse_":
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
