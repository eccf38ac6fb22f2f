"""Recorded initialization: the calls that fill each tensor of a model, and the distribution that they make."""

import math
from contextlib import contextmanager

import torch
from torch.overrides import TorchFunctionMode

from . import library

# The library puts its own functions in the place of torch's.
INITIALIZERS = ("torch.nn.init", "transformers.initialization")
CREATED = {
    "zeros": ("constant", 0.0),
    "ones": ("constant", 1.0),
    "randn": ("normal", 0.0, 1.0),
    "rand": ("uniform", 0.0, 1.0),
}
SAME = {"clone", "contiguous", "to", "float", "double", "type", "reshape", "flatten", "detach"}
VIEWS = {"requires_grad_", "detach_", "squeeze_", "unsqueeze_", "transpose_", "t_", "share_memory_", "resize_"}
SCALED = {
    "mul": lambda one, two: (one * two, 0.0),
    "div": lambda one, two: (one / two, 0.0),
    "add": lambda one, two: (one, two),
    "sub": lambda one, two: (one, -two),
    "neg": lambda one, two: (-one, 0.0),
}


class Law:
    """The distribution of a storage, and its zeros: (first, end) of elements. `kind` is None if it is unknown."""

    def __init__(self, kind, zeros=()):
        self.kind, self.zeros = kind, tuple(zeros)


class Recorder(TorchFunctionMode):
    def __init__(self):
        super().__init__()
        self.laws, self.alive, self.muted = {}, [], False

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        out = function(*args, **kwargs)
        name = getattr(function, "__name__", "")
        if self.muted or name == "__set__":
            return out
        if getattr(function, "__module__", "") in INITIALIZERS:
            self.put(kwargs["tensor"], initialized(name, **kwargs))
        elif name == "__setitem__" and isinstance(args[0], torch.Tensor):
            self.assigned(*args)
        elif is_in_place(name) and args and isinstance(args[0], torch.Tensor):
            self.changed(args[0], name.strip("_").removeprefix("i") if name.startswith("__") else name[:-1], args[1:], kwargs)
        elif isinstance(out, torch.Tensor) and storage(out) not in self.laws:
            self.put(out, self.made(name, args, kwargs, out))
        return out

    def put(self, tensor, kind, zeros=()):
        self.laws[storage(tensor)] = Law(kind, zeros)
        self.alive.append(tensor.untyped_storage())

    def of(self, tensor):
        """The law of a tensor; unknown for a part of a storage with zeros."""
        law = self.laws.get(storage(tensor), Law(None))
        return law if is_whole(tensor) or not law.zeros else Law(None)

    def made(self, name, args, kwargs, out):
        """The distribution of the tensor that a function returns."""
        name = name.removeprefix("new_").removesuffix("_like").strip("_").removeprefix("r")
        name = {"and": "rand", "andn": "randn"}.get(name, name)
        if name in CREATED:
            return CREATED[name]
        if name == "full":
            value = kwargs.get("fill_value", args[-1])
            return ("constant", float(value)) if isinstance(value, (int, float)) else None
        if name in ("cat", "stack", "concat"):
            kinds = {self.of(part).kind for part in args[0]}
            return kinds.pop() if len(kinds) == 1 else None
        if not args or not isinstance(args[0], torch.Tensor) or self.of(args[0]).zeros:
            return None
        if name in SAME or (name == "pad" and out.shape == args[0].shape):
            return self.of(args[0]).kind
        return scaled(self.of(args[0]).kind, name, args[1:])

    def assigned(self, tensor, index, value):
        """`tensor[index] = value`."""
        if index is Ellipsis or index == slice(None):
            self.changed(tensor, "copy" if isinstance(value, torch.Tensor) else "fill", (value,), {})
        elif isinstance(value, (int, float)) and value == 0:
            self.changed(tensor[index], "zero", (), {})
        else:
            self.laws.setdefault(storage(tensor), Law(None)).kind = None

    def changed(self, tensor, name, args, kwargs):
        """A call that fills a tensor in place, or a part of one."""
        law = self.laws.setdefault(storage(tensor), Law(None))
        self.alive.append(tensor.untyped_storage())
        if not is_whole(tensor):
            if name == "zero" or (name == "fill" and args[0] == 0):
                law.zeros += ((tensor.storage_offset(), tensor.storage_offset() + tensor.numel()),)
            else:
                law.kind = None
            return
        kind = self.filled(name, args, kwargs)
        if kind is None:
            kind = scaled(law.kind, name, args)
            law.zeros = law.zeros if name in ("mul", "div") else ()
        else:
            law.zeros = ()
        law.kind = kind

    def filled(self, name, args, kwargs):
        """The distribution that a call draws from, whatever was there."""
        if name == "zero":
            return ("constant", 0.0)
        if name == "fill" and isinstance(args[0], (int, float)):
            return ("constant", float(args[0]))
        if name == "copy":
            return self.of(args[0]).kind
        if name == "normal":
            return ("normal", *numbers(args, kwargs, mean=0.0, std=1.0))
        if name == "uniform":
            low, high = numbers(args, kwargs | {"to": kwargs.get("to", kwargs.get("b"))}, **{"from": 0.0, "to": 1.0})
            return ("uniform", low, high)
        return None

    @contextmanager
    def silent(self):
        before, self.muted = self.muted, True
        yield
        self.muted = before


def storage(tensor):
    return tensor.untyped_storage()._cdata


def is_whole(tensor):
    return tensor.numel() * tensor.element_size() == tensor.untyped_storage().nbytes()


def is_in_place(name):
    if name in VIEWS:
        return False
    return (name.endswith("_") and not name.startswith("_")) or (name.startswith("__i") and name[3:-2] in ("mul", "add", "sub", "truediv"))


def numbers(args, kwargs, **defaults):
    given = list(args) + [None] * len(defaults)
    values = [kwargs.get(name) if value is None else value for name, value in zip(defaults, given)]
    return [float(default if value is None else value) for value, default in zip(values, defaults.values())]


def scaled(kind, name, args):
    """The distribution after arithmetic with a number."""
    name = {"truediv": "div", "subtract": "sub", "multiply": "mul"}.get(name, name)
    other = args[0] if args else 0.0
    if kind is None or name not in SCALED or not isinstance(other, (int, float)):
        return None
    factor, shift = SCALED[name](1.0, other)
    if kind[0] == "normal":
        return ("normal", kind[1] * factor + shift, kind[2] * abs(factor))
    if kind[0] in ("constant", "uniform"):
        return (kind[0], *sorted(value * factor + shift for value in kind[1:]))
    return None


# --- what one call of torch fills ---------------------------------------------------------------------------------------------


def initialized(name, tensor, mean=0.0, std=1.0, a=0.0, b=1.0, val=0.0, mode=None, nonlinearity=None, generator=None):
    """The distribution of a function of `torch.nn.init` that passes through the mode."""
    if name == "constant_":
        return ("constant", float(val))
    if name == "normal_":
        return ("normal", float(mean), float(std))
    if name == "uniform_":
        return ("uniform", float(a), float(b))
    fan = torch.nn.init._calculate_correct_fan(tensor, mode)
    bound = math.sqrt(3) * torch.nn.init.calculate_gain(nonlinearity, a) / math.sqrt(fan)
    return ("uniform", -bound, bound)


def truncated(tensor, mean, std, low, high, generator=None):
    return ("truncated", mean, std, low, high)


def orthogonal(tensor, gain=1, generator=None):
    return ("orthogonal", float(gain))


@contextmanager
def recording():
    """Records every call; the model's own initialization is done on the meta device, too."""
    init, table = torch.nn.init, library.transformers.initialization.TORCH_INIT_FUNCTIONS
    recorder = Recorder()

    def recorded(function, law):
        def call(tensor, *args, **kwargs):
            with recorder.silent():
                function(tensor, *args, **kwargs)
            recorder.put(tensor, law(tensor, *args, **kwargs))
            return tensor

        return call

    own = (init._no_grad_trunc_normal_, init.orthogonal_)
    init._no_grad_trunc_normal_ = recorded(own[0], truncated)
    init.orthogonal_ = table["orthogonal_"] = recorded(own[1], orthogonal)
    try:
        with recorder:
            yield recorder
    finally:
        init._no_grad_trunc_normal_, init.orthogonal_ = own
        table["orthogonal_"] = own[1]


# --- a model --------------------------------------------------------------------------------------------------------------------


class Tensor:
    """A saved tensor: shape, values, and the law of its storage."""

    def __init__(self, values, law):
        self.shape, self.values, self.law = list(values.shape), values.detach(), law


def record(model_class, config):
    """The tensors that `save_pretrained` writes, the ties, and the prefix of the base model's names."""
    torch.manual_seed(0)
    with recording() as recorder:
        model = model_class._from_config(config)
        saved = state(model)
        with torch.no_grad():
            written = converted(model, saved)
        tensors = {name: Tensor(values, recorder.of(values)) for name, values in written.items()}
    return tensors, ties(model, written), body(model)


def body(model):
    """The prefix of the base model's names: empty in the base model itself, `None` without one."""
    if model.base_model is model:
        return ""
    return f"{model.base_model_prefix}."


def draw(model_class, config, seed):
    """The saved tensors of another draw."""
    torch.manual_seed(seed)
    model = model_class._from_config(config)
    return {name: values.detach() for name, values in converted(model, state(model)).items()}


def state(model):
    """The tensors of a model that are saved, by their names in memory."""
    table = model.state_dict()
    for name in [*(model.all_tied_weights_keys or {}), *(model._keys_to_ignore_on_save or [])]:
        table.pop(name, None)
    return table


def converted(model, table):
    """The tensors by their names in the file."""
    from transformers.core_model_loading import revert_weight_conversion

    return revert_weight_conversion(model, dict(table))


def ties(model, written):
    """The names in the file that stand for another tensor."""
    own = {storage(values): name for name, values in written.items()}
    tied, table = {}, model.state_dict()
    for name, target in (model.all_tied_weights_keys or {}).items():
        if name in table and target in table and name not in (model._keys_to_ignore_on_save or []):
            saved = next(iter(converted(model, {name: table[name]})))
            tied[saved] = own.get(storage(table[target])) or next(iter(converted(model, {target: table[target]})))
    return tied


# --- the resolved distribution ------------------------------------------------------------------------------------------------


def resolved(kind, shape):
    """A law as text, with figures of the values: `normal 0.02`, `truncated 0.02 -2 2`; a constant is its number."""
    name, *figures = kind
    if name == "constant":
        return figure(figures[0])
    if name == "normal":
        mean, std = figures
        return figure(mean) if std == 0 else f"normal {figure(std)}" + (f" mean {figure(mean)}" if mean else "")
    if name == "truncated":
        mean, std, low, high = figures
        mean, std = truncated_moments(mean, std, low, high)
        centre = f" mean {figure(mean)}" if abs(mean) > 1e-9 * std else ""
        return f"truncated {figure(std)} {figure(low)} {figure(high)}{centre}"
    if name == "orthogonal":
        rows, columns = shape[0], math.prod(shape[1:])
        return f"orthogonal {figure(abs(figures[0]) / math.sqrt(max(rows, columns)))}"
    return " ".join([name, *(str(figure(value)) for value in figures)])


def truncated_moments(mean, std, low, high):
    low, high = (low - mean) / std, (high - mean) / std
    density = lambda x: math.exp(-x * x / 2) / math.sqrt(2 * math.pi) if math.isfinite(x) else 0.0
    below = lambda x: math.erfc(-x / math.sqrt(2)) / 2
    mass = below(high) - below(low)
    shift = (density(low) - density(high)) / mass
    edges = sum(sign * x * density(x) for sign, x in ((1, low), (-1, high)) if math.isfinite(x))
    return mean + std * shift, std * math.sqrt(1 + edges / mass - shift * shift)


def figure(value, digits=7):
    value = float(f"{value:.{digits}g}")
    return int(value) if value.is_integer() else value
