"""Follows the values of torch's tensors while a model is built, also on the meta device, which has no values."""

from __future__ import annotations

import inspect
import math
import sys
from dataclasses import dataclass, field, replace

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from .values import (
    EMPTY,
    RANDOM,
    Constant,
    Data,
    Named,
    Norm,
    Normal,
    Origin,
    Truncated,
    Uniform,
    Unknown,
    affine,
    clamped,
    inverse_error_function,
)

LIMIT = 1 << 22  # elements of data that are computed
ACTIVE = []  # the recorders at work, the innermost last

NAMED = [
    "xavier_uniform_",
    "xavier_normal_",
    "kaiming_uniform_",
    "kaiming_normal_",
    "orthogonal_",
    "dirac_",
    "eye_",
    "sparse_",
    "trunc_normal_",
]
ONES = {"ones", "ones_like", "new_ones"}
ZEROS = {"zeros", "zeros_like", "new_zeros", "zero_", "zero"}
EMPTIES = {"empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided", "empty_permuted"}
SAME = {
    "clone",
    "_to_copy",
    "detach",
    "alias",
    "contiguous",
    "lift_fresh",
    "lift_fresh_copy",
    "view_copy",
    "_unsafe_view",
    "permute_copy",
}
READS = {"item", "tolist", "numpy", "__bool__", "__float__", "__int__", "__index__", "__array__", "__contains__"}
MADE = {torch.tensor, torch.as_tensor, torch.from_numpy, torch.asarray}


def install():
    """Wraps torch's initializers, so that a recorder sees their names and arguments."""
    for name in NAMED:
        function = getattr(torch.nn.init, name)
        if hasattr(function, "traced"):
            continue
        traced = wrapped(name, function)
        for module in list(sys.modules.values()):
            if getattr(module, "__dict__", {}).get(name) is function:
                setattr(module, name, traced)


def wrapped(name, function):
    signature = inspect.signature(function)

    def traced(*args, **kwargs):
        result = function(*args, **kwargs)
        if ACTIVE:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            tensor = next(iter(bound.arguments.values()))
            known = {key: value for key, value in bound.arguments.items() if isinstance(value, (int, float, str))}
            ACTIVE[-1].named(tensor, name, known)
        return result

    traced.traced = True
    traced.__wrapped__ = function
    traced.__name__ = name
    return traced


@dataclass
class Region:
    """A part of a storage that was written on its own."""

    size: tuple
    stride: tuple
    offset: int
    value: object


@dataclass
class State:
    """The values of a storage: `value` for all of it, but for the regions written since. Data is flat."""

    storage: object
    length: int
    dtype: object
    value: object = EMPTY
    regions: list = field(default_factory=list)
    writes: int = 0


def key(tensor):
    try:
        return tensor.untyped_storage()._cdata
    except (NotImplementedError, RuntimeError):
        return None


def length(tensor):
    return tensor.untyped_storage().nbytes() // max(tensor.element_size(), 1)


def whole(tensor):
    """True if the tensor has every element of its storage."""
    return tensor.numel() == length(tensor)


class Recorder(TorchDispatchMode):
    """Records operations below the level of Python's functions."""

    def __init__(self):
        super().__init__()
        self.states, self.reads = {}, Reads(self)

    def __enter__(self):
        ACTIVE.append(self)
        super().__enter__()
        self.reads.__enter__()
        return self

    def __exit__(self, *error):
        self.reads.__exit__(*error)
        ACTIVE.pop()
        return super().__exit__(*error)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        schema = func._schema
        written = [args[i] if i < len(args) else kwargs.get(one.name) for i, one in enumerate(schema.arguments) if writes(one)]
        if (
            not written
            and any(one.alias_info is not None for one in schema.returns)
            and func.overloadpacket.__name__ not in SAME
        ):
            return func(*args, **kwargs)  # a view
        if func.overloadpacket.__name__ == "set_":
            return func(*args, **kwargs)  # another storage for the same tensor
        before = self.evaluate(func, args, kwargs)
        out = func(*args, **kwargs)
        if written:
            for tensor in written:
                if isinstance(tensor, torch.Tensor):
                    self.write(tensor, before if len(written) == 1 else Unknown(f"`{func}`"))
        else:
            outs = [one for one in (out if isinstance(out, (tuple, list)) else [out]) if isinstance(one, torch.Tensor)]
            for place, one in enumerate(outs):
                if key(one) not in self.states:
                    value = before[place] if isinstance(before, list) else before
                    self.write(one, value)
        return out

    # --- reading

    def read(self, tensor):
        """The value of a tensor: Data has its shape."""
        state = self.states.get(key(tensor))
        if state is None:
            if tensor.device.type == "meta":
                return EMPTY
            # A copy, as the tensor may be written later.
            return Data(tensor.detach().clone()) if tensor.numel() <= LIMIT else Unknown("a large tensor from outside")
        if isinstance(state.value, Data):
            return Data(torch.as_strided(state.value.tensor, tensor.shape, tensor.stride(), tensor.storage_offset()))
        if not state.regions:
            part = whole(tensor) or not isinstance(state.value, Named)
            value = state.value if part else Unknown("a part of a matrix")
            return value
        for region in reversed(state.regions):
            if self.place(tensor) == (region.size, region.stride, region.offset):
                return region.value
        values = {type(region.value) for region in state.regions} | {type(state.value)}
        if len(values) == 1 and all(region.value == state.value for region in state.regions):
            return state.value
        return Unknown("a tensor written in parts")

    def place(self, tensor):
        return tuple(tensor.shape), tuple(tensor.stride()), tensor.storage_offset()

    def data(self, value, shape, dtype):
        """Known values as a tensor of torch, or None."""
        if isinstance(value, Data):
            return value.tensor
        if isinstance(value, Constant) and math.prod(shape) <= LIMIT:
            return torch.full(tuple(shape), value.value, dtype=dtype, device="cpu")
        return None

    # --- writing

    def write(self, tensor, value):
        at = key(tensor)
        if at is None:
            return
        if at not in self.states:
            self.states[at] = State(tensor.untyped_storage(), length(tensor), tensor.dtype)
        state = self.states[at]
        state.dtype = tensor.dtype
        state.writes += 1
        if whole(tensor) or state.length == 0:
            state.regions = []
            if isinstance(value, Data):
                flat = torch.empty(state.length, dtype=tensor.dtype, device="cpu")
                torch.as_strided(flat, tensor.shape, tensor.stride(), tensor.storage_offset()).copy_(value.tensor)
                value = Data(flat)
            state.value = value
            return
        known = self.data(value, tensor.shape, tensor.dtype)
        flat = self.data(state.value, (state.length,), tensor.dtype)
        if known is not None and flat is not None and not state.regions:
            torch.as_strided(flat, tensor.shape, tensor.stride(), tensor.storage_offset()).copy_(known)
            state.value = Data(flat)
            return
        place = self.place(tensor)
        state.regions = [region for region in state.regions if (region.size, region.stride, region.offset) != place]
        state.regions.append(Region(*place, value))

    def named(self, tensor, name, arguments):
        """Notes the initializer that has just drawn a tensor."""
        arguments.pop("tensor", None)
        origin = Origin(name, tuple(sorted(arguments.items())), tuple(tensor.shape))
        if name == "trunc_normal_":
            value = Truncated(*(float(arguments[word]) for word in ("mean", "std", "a", "b")))
        elif name in ("orthogonal_", "dirac_", "eye_", "sparse_"):
            value = Named(origin)
        else:
            value = self.read(tensor)
            if not isinstance(value, (Normal, Uniform)):
                value = computed(name, arguments, tuple(tensor.shape))
            value = replace(value, origin=origin)
        self.write(tensor.detach(), value)

    # --- operations

    def evaluate(self, func, args, kwargs):
        """The value of the result of an operation, or of each result."""
        name = func.overloadpacket.__name__
        tensors = [one for one in flat([args, list(kwargs.values())]) if isinstance(one, torch.Tensor)]
        options = {**dict(zip((one.name for one in func._schema.arguments), args)), **kwargs}
        if name in EMPTIES:
            return EMPTY
        if name in ZEROS:
            return Constant(0.0)
        if name in ONES:
            return Constant(1.0)
        if name in ("full", "full_like", "new_full", "fill_", "fill", "scalar_tensor"):
            return self.filled(options)
        if name in ("randn", "randn_like"):
            return Normal(0.0, 1.0)
        if name in ("rand", "rand_like"):
            return Uniform(0.0, 1.0)
        if name in ("normal_", "normal") and not isinstance(options.get("mean"), torch.Tensor):
            return Normal(float(options.get("mean", 0.0)), float(options.get("std", 1.0)))
        if name in ("uniform_", "uniform"):
            return Uniform(float(options.get("from", 0.0)), float(options.get("to", 1.0)))
        if torch.Tag.nondeterministic_seeded in func.tags:
            return Unknown(f"drawn by `{name}`")
        if name == "copy_":
            source = args[1]
            value = self.read(source)
            return (
                value
                if source.numel() == args[0].numel() or not isinstance(value, RANDOM)
                else Unknown("repeated random values")
            )
        if name in SAME and tensors:
            return self.read(tensors[0])
        values = [self.read(tensor) for tensor in tensors]
        if any(isinstance(value, RANDOM) for value in values):
            return self.of_random(name, options, tensors, values)
        unknown = next((value for value in values if not isinstance(value, (Constant, Data))), None)
        if unknown is not None:
            return unknown if isinstance(unknown, Unknown) else Unknown(f"`{name}` of norms")
        return self.known(func, args, kwargs, tensors, values)

    def filled(self, options):
        value = options.get("fill_value", options.get("value", options.get("s")))
        if isinstance(value, torch.Tensor):
            value = self.read(value)
            if isinstance(value, Data):
                return Constant(float(value.tensor))
            return value if isinstance(value, Constant) else Unknown("filled with an unknown value")
        return Constant(float(value))

    def of_random(self, name, options, tensors, values):
        """Operations on random values that give another distribution of the same kind."""
        name = name.rstrip("_")
        if name == "cat" or name == "stack":
            return (
                values[0] if all(value == values[0] for value in values) else Unknown("joined tensors of several distributions")
            )
        if name in ("norm", "linalg_vector_norm"):
            source = key(tensors[0])
            return Norm(source, self.states[source].writes) if source in self.states else Unknown("norms")
        if name == "erfinv":
            return inverse_error_function(values[0])
        if name == "neg":
            return affine(values[0], -1.0, 0.0)
        if name in ("clamp", "clamp_min", "clamp_max"):
            return clamped(values[0], options.get("min"), options.get("max"))
        if name in ("mul", "div", "add", "sub", "rsub") and not isinstance(options.get("self"), (int, float)):
            one, other = options["self"], options["other"]
            if not isinstance(self.read(one), RANDOM) and name in ("mul", "add") and isinstance(other, torch.Tensor):
                one, other = other, one
            number = self.number(other)
            if number is not None:
                alpha = float(options.get("alpha", 1))
                factor = {"mul": number, "div": 1 / number if number else math.nan, "rsub": -alpha}.get(name, 1.0)
                shift = {"add": alpha * number, "sub": -alpha * number, "rsub": number}.get(name, 0.0)
                if isinstance(options["self"], torch.Tensor) and self.read(one) in values:
                    return affine(self.read(one), factor, shift)
        unknown = next((value for value in values if isinstance(value, Unknown)), None)
        return unknown or Unknown(f"`{name}` of random values")

    def number(self, one):
        """The number that an operand is for every element, or None."""
        if not isinstance(one, torch.Tensor):
            return float(one)
        value = self.read(one)
        if isinstance(value, Data) and value.tensor.numel() == 1:
            return float(value.tensor)
        return value.value if isinstance(value, Constant) else None

    def known(self, func, args, kwargs, tensors, values):
        """An operation on known values, computed."""
        pointwise = torch.Tag.pointwise in func.tags
        constants = values and all(isinstance(value, Constant) for value in values)
        large = any(tensor.numel() > LIMIT for tensor in tensors)
        if large and not (pointwise and constants):
            return Unknown(f"`{func.overloadpacket.__name__}` of a large tensor")
        scalar = pointwise and constants

        def real(one):
            if isinstance(one, torch.Tensor):
                if scalar:  # in double precision, so that 1e-6 stays 1e-6
                    dtype = torch.float64 if one.dtype.is_floating_point else one.dtype
                    return self.data(self.read(one), (), dtype).clone()
                return self.data(self.read(one), one.shape, one.dtype).clone()
            if isinstance(one, (list, tuple)):
                return type(one)(map(real, one))
            return torch.device("cpu") if isinstance(one, torch.device) else one

        try:
            out = func(*map(real, args), **{name: real(value) for name, value in kwargs.items()})
        except Exception:  # noqa: BLE001 - an operation that cannot be repeated is not followed
            return Unknown(f"`{func.overloadpacket.__name__}`")
        if scalar and isinstance(out, torch.Tensor):
            return Constant(float(out)) if not out.dtype.is_complex else Unknown("complex values")
        if isinstance(out, (tuple, list)):
            return [Data(one) for one in out if isinstance(one, torch.Tensor)]
        return Data(out) if isinstance(out, torch.Tensor) and out.numel() <= LIMIT else Unknown("a large tensor")


class Reads(TorchFunctionMode):
    """Answers a constructor that reads values of a tensor without any, and keeps the data of `torch.tensor([...])`."""

    def __init__(self, recorder):
        super().__init__()
        self.recorder = recorder

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name in READS and args and isinstance(args[0], torch.Tensor) and args[0].device.type == "meta":
            known = self.recorder.data(self.recorder.read(args[0]), args[0].shape, args[0].dtype)
            if known is not None:
                return func(known, *args[1:], **kwargs)
        out = func(*args, **kwargs)
        if (
            func in MADE
            and isinstance(out, torch.Tensor)
            and out.device.type == "meta"
            and not isinstance(args[0], torch.Tensor)
        ):
            self.recorder.write(out, Data(func(*args, **{**kwargs, "device": "cpu"})))
        return out


def computed(name, arguments, shape):
    """The distribution of an initializer whose draw was not seen."""
    fan_in, fan_out = torch.nn.init._calculate_fan_in_and_fan_out(torch.empty(shape, device="meta"))
    if name.startswith("xavier"):
        std = arguments.get("gain", 1.0) * math.sqrt(2 / (fan_in + fan_out))
    else:
        fan = fan_in if arguments["mode"] == "fan_in" else fan_out
        std = torch.nn.init.calculate_gain(arguments["nonlinearity"], arguments["a"]) / math.sqrt(fan)
    bound = math.sqrt(3) * std
    return Uniform(-bound, bound) if name.endswith("uniform_") else Normal(0.0, std)


def writes(argument):
    return argument.alias_info is not None and argument.alias_info.is_write


def flat(items):
    for item in items:
        if isinstance(item, (list, tuple)):
            yield from flat(item)
        else:
            yield item
