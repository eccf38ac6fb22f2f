"""Traces a module of torch."""

from __future__ import annotations

import math
import re
import sys
from collections import OrderedDict
from contextlib import contextmanager

import torch

from . import tables, values
from .tensors import DTYPES, Model, Refusal, Scheme, Tensor
from .torch_recorder import Recorder, install, key, whole
from .values import Constant, Data, Norm, Normal, Unknown

TABLE = "a computed table"
MEASURED = 1 << 27  # elements of a model that is built with values to measure what was not recorded

install()


def trace(build, source):
    """The tensors of the module that `build` makes."""
    known = "transformers" in sys.modules
    recorder, module, device = record(build)
    if not known and "transformers" in sys.modules:  # imported by `build`, too late for `initialising`
        recorder, module, device = record(build)
    named = module.state_dict(keep_vars=True)
    model = Model(
        f"{source}; torch {torch.__version__.split('+')[0]}", "torch", resolve(recorder, named), build=lambda: real(build)
    )
    measure(model)
    model.load = load
    model.device = device
    return model


def record(build):
    """Builds the module on the meta device, or with values if its constructor needs them."""
    try:
        with Recorder() as recorder, torch.device("meta"), initialising():
            return recorder, checked(build()), "meta"
    except Exception as error:  # noqa: BLE001 - any error of a constructor may come from the missing values
        first = error
    try:
        with Recorder() as recorder:
            return recorder, checked(build()), f"cpu ({type(first).__name__} on meta)"
    except Exception as error:
        raise error from first


@contextmanager
def initialising():
    """Makes the constructors of transformers initialise their weights on the meta device, as they do elsewhere."""
    if (transformers := sys.modules.get("transformers")) is None:
        yield
        return
    owner = transformers.PreTrainedModel
    before = owner.init_weights

    def init_weights(model):
        model.initialize_weights()
        model.tie_weights(recompute_mapping=False)

    owner.init_weights = init_weights
    try:
        yield
    finally:
        owner.init_weights = before


def again(model):
    """A function that builds the model again."""
    if isinstance(model, torch.nn.Module):
        raise Refusal("a module does not know how its weights were initialised: pass a function that builds it")
    return model


def checked(module):
    if not isinstance(module, torch.nn.Module):
        raise Refusal(f"the callable returns {type(module).__name__}, not a torch.nn.Module")
    return module


def real(build):
    module = build()
    return module.eval()


def resolve(recorder, named):
    """Tensors with schemes, in the order of the state dict."""
    found, first = [], {}
    for name, tensor in named.items():
        if not isinstance(tensor, torch.Tensor):
            found.append(Tensor(name, (), Scheme("zeros"), note="not a tensor"))
            continue
        place = (key(tensor), tensor.storage_offset(), tuple(tensor.shape), tuple(tensor.stride()))
        if tensor.numel() and place in first:
            found.append(Tensor(name, tuple(tensor.shape), tied=first[place]))
            continue
        first[place] = name
        found.append(resolved(recorder, name, tensor, named))
    return found


def resolved(recorder, name, tensor, named):
    """One tensor with its scheme, or with a note."""
    shape = tuple(tensor.shape)
    word = str(tensor.dtype).rpartition(".")[2]
    if (dtype := DTYPES.get(word)) is None:
        return Tensor(name, shape, Scheme("zeros"), note=f"dtype {word}")
    beside = normed(recorder, name, recorder.read(tensor.detach()), named)
    scheme, note = scheme_of(recorder, tensor, dtype, beside)
    if scheme is None:
        scheme = Scheme("nan" if tensor.dtype.is_floating_point else "zeros")
    return Tensor(name, shape, scheme, dtype, note=note)


def scheme_of(recorder, tensor, dtype, beside):
    """The scheme of a tensor, and a note if it is not known."""
    if tensor.numel() == 0:
        return Scheme("zeros"), None
    state = recorder.states.get(key(tensor))
    if state is not None and state.regions and whole(tensor):
        return of_regions(state, tensor, dtype)
    value = recorder.read(tensor.detach())
    if isinstance(value, Data):
        scheme = tables.known(value.tensor.float().numpy() if dtype == "bf16" else value.tensor.numpy(), dtype, "torch")
        return scheme, None if scheme else TABLE
    if isinstance(value, Unknown):
        return None, value.why
    if isinstance(value, Norm):
        return (Scheme(f"norm-of:{beside}"), None) if beside else (None, "norms of other values")
    return values.scheme(value, tensor.shape), None


def normed(recorder, name, value, named):
    """The tensor beside `name` whose norms it holds, or None."""
    if not isinstance(value, Norm) or recorder.states[value.storage].writes != value.writes:
        return None
    folder = name.rpartition(".")[0]
    same = (other for other, tensor in named.items() if key(tensor) == value.storage and other.rpartition(".")[0] == folder)
    return next((other.rpartition(".")[2] for other in same), None)


def of_regions(state, tensor, dtype):
    """The scheme of a tensor that was written in parts: a row of zeros, or equal parts along an axis."""
    shape = tuple(tensor.shape)
    regions = [region for region in state.regions if region.value != state.value]
    if not regions:
        return values.scheme(state.value, shape), None
    if len(regions) == 1 and isinstance(state.value, Normal) and state.value.mean == 0 and regions[0].value == Constant(0.0):
        row = row_of(regions[0], tensor)
        if row is not None:
            base = values.scheme(Normal(0.0, state.value.std), shape)
            return Scheme(base.text.replace("normal", "embedding", 1) + f",padding={row}", base.numbers), None
    if (parts := equal_parts(regions, tensor)) is not None:
        axis, count, value = parts
        origin = getattr(value, "origin", None)
        part = list(shape)
        part[axis] //= count
        scheme = values.scheme(value, tuple(part))
        if origin is None or scheme is None:
            return scheme, None if scheme else "a tensor written in parts"
        return Scheme(f"{scheme.text}{',' if ':' in scheme.text else ':'}split={count},axis={axis}", scheme.numbers), None
    kinds = {type(region.value).__name__.lower() for region in regions}
    return None, f"a tensor written in parts: {', '.join(sorted(kinds))} in {len(regions)} of them"


def row_of(region, tensor):
    """The row that a region is, or None."""
    if tensor.dim() < 2 or not tensor.is_contiguous():
        return None
    row = math.prod(tensor.shape[1:])
    contiguous = math.prod(region.size) == row and region.stride[-1:] == (1,)
    return region.offset // row if contiguous and region.offset % row == 0 else None


def equal_parts(regions, tensor):
    """The axis, number and common value of regions that divide a tensor."""
    shape, stride = tuple(tensor.shape), tuple(tensor.stride())
    count = len(regions)
    for axis in range(tensor.dim()):
        if count < 2 or shape[axis] % count or any(region.value != regions[0].value for region in regions):
            continue
        part = tuple(size // count if place == axis else size for place, size in enumerate(shape))
        offsets = sorted(region.offset for region in regions)
        if all(region.size == part and region.stride == stride for region in regions):
            if offsets == [place * part[axis] * stride[axis] for place in range(count)]:
                return axis, count, regions[0].value
    return None


def measure(model):
    """Gives tensors whose random values could not be followed the mean and standard deviation of one draw."""
    missing = [tensor for tensor in model.tensors if tensor.note and tensor.scheme.text == "nan" and tensor.note != TABLE]
    if not missing or sum(math.prod(tensor.shape) for tensor in model.tensors) > MEASURED:
        return
    state, alike = model.build().state_dict(), {}
    for tensor in (one for one in missing if one.name in state):
        alike.setdefault((re.sub(r"\d+", "*", tensor.name), tensor.shape), []).append(tensor)
    for group in alike.values():
        drawn = torch.stack([state[tensor.name].double() for tensor in group])
        if not drawn.isfinite().all():
            continue
        std = drawn.std().item() if drawn.numel() > 1 else 0.0
        mean = drawn.mean().item()
        mean = 0.0 if abs(mean) < 5 * std / math.sqrt(drawn.numel()) else mean
        for tensor in group:
            tensor.scheme = values.scheme(Normal(float(f"{mean:.4g}"), float(f"{std:.4g}")), tensor.shape)
            tensor.note += "; measured from one draw"


def load(model, path):
    """The tensors of a freshly built module by name, and those that fanin's file has for them."""
    import safetensors.torch

    module = model.build()
    drawn = {name: tensor.detach().clone() for name, tensor in module.state_dict().items() if isinstance(tensor, torch.Tensor)}
    state = safetensors.torch.load_file(path)
    full = OrderedDict({**state, **{tensor.name: state[tensor.tied] for tensor in model.tensors if tensor.tied}})
    full._metadata = module.state_dict()._metadata  # the versions of modules, which no file of safetensors has
    module.load_state_dict(full, strict=True)
    return {name: array(tensor) for name, tensor in drawn.items()}, {name: array(tensor) for name, tensor in full.items()}


def array(tensor):
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()
