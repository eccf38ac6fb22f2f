"""Traces a module of Flax, NNX or linen: the operations that make its variables, without running them."""

from __future__ import annotations

import inspect
import math

import jax
import jax._src.nn.initializers as initializers
import numpy

from . import tables, tensors, values
from .tensors import DTYPES, Model, Refusal, Scheme, Tensor
from .values import Constant, Data, Named, Normal, Origin, Truncated, Uniform, Unknown

# Operations that keep the values, or their order.
SAME = set("reshape transpose convert_element_type copy copy_p squeeze expand_dims sharding_constraint rev".split())
RANDOM = ("random", "threefry", "rng")
DRAWN = 1 << 24  # elements of a model that is drawn to measure what was not recorded
ORIGINS = {}  # the calls of initializers by the name of their traced function

NAMES = {
    (scale, mode, kind): f"{name}_{kind.replace('truncated_', '')}"
    for name, scale, mode in (("lecun", 1.0, "fan_in"), ("he", 2.0, "fan_in"), ("glorot", 1.0, "fan_avg"))
    for kind in ("truncated_normal", "uniform")
}
MAKERS = ["variance_scaling", "uniform", "normal", "truncated_normal", "constant", "orthogonal", "delta_orthogonal"]
FUNCTIONS = ["zeros", "ones"]


def install():
    """Makes each initializer of JAX a traced function whose name leads to its arguments. Call it before importing Flax."""
    for name in MAKERS:
        maker = getattr(initializers, name)
        replace(
            name,
            maker,
            lambda *args, maker=maker, name=name, **kwargs: labelled(
                name, maker(*args, **kwargs), arguments(maker, args, kwargs)
            ),
        )
    for name in FUNCTIONS:
        function = getattr(initializers, name)
        replace(name, function, labelled(name, function, {}))


def replace(name, function, other):
    other.__name__ = name
    for module in (initializers, jax.nn.initializers):
        if getattr(module, name, None) is function:
            setattr(module, name, other)


def arguments(maker, args, kwargs):
    bound = inspect.signature(maker).bind(*args, **kwargs)
    bound.apply_defaults()
    return dict(bound.arguments)


def labelled(name, init, given):
    def traced(key, shape, *args, **kwargs):
        if key is None:
            return init(key, shape, *args, **kwargs)

        def function(key):
            return init(key, shape, *args, **kwargs)

        function.__name__ = f"initializer_{len(ORIGINS)}"
        ORIGINS[function.__name__] = name, given, tuple(shape)
        return jax.jit(function)(key)

    return traced


install()

from flax import linen, nnx  # noqa: E402


def trace(build, source, inputs=()):
    """The tensors of the module that `build` makes; a module of linen needs example inputs."""
    make = variables_of(build, inputs)
    names = []

    def flat(key):
        found = make(key)
        names[:] = found
        return [value for value in found.values()]

    key = jax.random.key(0)
    jaxpr = jax.make_jaxpr(flat)(key)
    finder = Finder(jaxpr)
    rows = [traced(finder, name, place) for place, name in enumerate(names)]
    import flax

    model = Model(f"{source}; flax {flax.__version__}; jax {jax.__version__}", "jax", rows, build=lambda: make(key))
    model.load = load
    measure(model)
    return model


def again(model):
    """A function that builds the module again."""
    if isinstance(model, nnx.Module):
        raise Refusal("a module of NNX does not know how its weights were initialised: pass a function that builds it")
    return (lambda: model) if isinstance(model, linen.Module) else model


def variables_of(build, inputs):
    """A function of a key that returns the variables by name."""

    def make(key):
        module = build(rngs=nnx.Rngs(key)) if takes_rngs(build.function) else build()
        if isinstance(module, nnx.Module):
            state = nnx.to_flat_state(nnx.state(module, nnx.Not(nnx.RngState)))
            pairs = state if isinstance(state, list) else list(zip(state.paths, state.leaves))
            return {".".join(map(str, path)): getattr(leaf, "value", leaf) for path, leaf in pairs}
        if isinstance(module, linen.Module):
            return of_linen(module, key, inputs)
        raise Refusal(f"the callable returns {type(module).__name__}, not a module of Flax")

    return make


def takes_rngs(function):
    """True if a callable needs the random streams of NNX."""
    function = function.__init__ if inspect.isclass(function) else function
    parameter = inspect.signature(function).parameters.get("rngs")
    return parameter is not None and parameter.default is inspect.Parameter.empty


def of_linen(module, key, inputs):
    """The variables of a module of linen, without the names of their collections."""
    from flax.traverse_util import flatten_dict

    if not inputs:
        raise Refusal("a module of linen needs an example input: pass its shape, such as --input 1,28,28,1")
    examples = [jax.numpy.zeros(shape, dtype) for shape, dtype in map(shaped, inputs)]
    call = inspect.signature(type(module).__call__).parameters
    flags = {
        name: value
        for name, value in (("train", False), ("training", False), ("deterministic", True))
        if name in call and call[name].default is inspect.Parameter.empty
    }
    variables = module.init({"params": key, "dropout": key}, *examples, **flags)
    return {name: value for collection in variables.values() for name, value in flatten_dict(collection, sep=".").items()}


def shaped(text):
    sizes, _, dtype = text.partition(":")
    return tuple(int(size) for size in sizes.split(",") if size), dtype or "float32"


def traced(finder, name, place):
    shape, dtype = finder.shape(place)
    short = DTYPES.get(dtype)
    if short is None:
        return Tensor(name, shape, Scheme("zeros"), note=f"dtype {dtype}")
    value = finder.value(place)
    if isinstance(value, Data):
        scheme = tables.known(value.tensor, short, "jax")
        note = None if scheme else "a computed table"
    else:
        scheme, note = scheme_of(value, shape), getattr(value, "why", None)
    return Tensor(name, shape, scheme or Scheme("nan" if "f" in short else "zeros"), short, note=note)


def scheme_of(value, shape):
    """The scheme of a distribution: by the name of its initializer if fanin counts the fans in the same way."""
    origin = getattr(value, "origin", None)
    if origin is not None and origin.name == "variance_scaling" and origin.shape == shape and len(shape) >= 2:
        if (origin["in_axis"], origin["out_axis"], origin["batch_axis"]) == (-2, -1, ()):
            if (name := NAMES.get((origin["scale"], origin["mode"], origin["distribution"]))) is not None:
                return Scheme(f"jax.{name}")
            return tensors.scaling(origin["scale"], origin["mode"], origin["distribution"])
    if isinstance(value, Named) and origin.name == "orthogonal":
        if origin.shape != shape or origin["column_axis"] != -1:
            return None
        return values.named(Origin("orthogonal_", (("gain", origin["scale"]),), shape))
    if isinstance(value, Named):
        return None
    return values.scheme(value, shape)


class Finder:
    """Finds where the results of a traced function come from."""

    def __init__(self, closed):
        self.closed, self.jaxpr = closed, closed.jaxpr

    def shape(self, place):
        aval = self.jaxpr.outvars[place].aval
        return tuple(aval.shape), str(aval.dtype)

    def value(self, place):
        constants = dict(zip(self.jaxpr.constvars, self.closed.consts))
        found = follow(self.jaxpr, self.jaxpr.outvars[place], {var: of_array(value) for var, value in constants.items()})
        if isinstance(found, Unknown):
            return self.computed(place) or found
        return found

    def computed(self, place):
        """The values of a result that uses no random numbers."""
        from jax.interpreters.partial_eval import dce_jaxpr

        used = [number == place for number in range(len(self.jaxpr.outvars))]
        alone, inputs = dce_jaxpr(self.jaxpr, used, instantiate=True)
        if any(word in str(alone) for word in RANDOM) or math.prod(self.shape(place)[0]) > DRAWN:
            return None
        [value] = jax.core.eval_jaxpr(alone, self.closed.consts, jax.random.key(0))
        return Data(numpy.asarray(value))


def of_array(value):
    value = numpy.asarray(value)
    return Constant(float(value)) if value.ndim == 0 and value.dtype.kind == "f" else Data(value)


def follow(jaxpr, var, known):
    """The distribution of a variable of a jaxpr; `known` are those of its inputs."""
    if not hasattr(var, "count") and hasattr(var, "val"):
        return Constant(float(var.val)) if numpy.ndim(var.val) == 0 else Unknown("a literal")
    if var in known:
        return known[var]
    makers = {out: equation for equation in jaxpr.eqns for out in equation.outvars}
    equation = makers.get(var)
    if equation is None:
        return Unknown("an input")
    return of_equation(jaxpr, equation, equation.outvars.index(var), known)


def of_equation(jaxpr, equation, place, known):
    kind = equation.primitive.name
    if kind in SAME:
        return follow(jaxpr, equation.invars[0], known)
    if kind == "broadcast_in_dim":
        value = follow(jaxpr, equation.invars[0], known)
        return value if isinstance(value, Constant) else Unknown("repeated values")
    if kind == "sqrt":
        value = follow(jaxpr, equation.invars[0], known)
        return Constant(math.sqrt(value.value)) if isinstance(value, Constant) else Unknown(f"`{kind}`")
    if kind in ("mul", "add", "sub", "div", "neg"):
        return arithmetic(kind, [follow(jaxpr, one, known) for one in equation.invars])
    inner = next((equation.params[key] for key in ("jaxpr", "call_jaxpr") if key in equation.params), None)
    if inner is None:
        return Unknown(f"`{kind}`")
    name = equation.params.get("name", "")
    if name in ORIGINS:
        return distribution(*ORIGINS[name])
    arguments = [follow(jaxpr, one, known) for one in equation.invars]
    if (plain := library(name, arguments)) is not None:
        return plain
    inner = getattr(inner, "jaxpr", inner)
    outs = inner.outvars
    if kind == "scan":
        arguments = [value if isinstance(value, Constant) else Unknown("a loop") for value in arguments]
    return follow(inner, outs[place], dict(zip(inner.invars, arguments)))


def arithmetic(kind, operands):
    if kind == "neg":
        return values.affine(operands[0], -1.0, 0.0)
    one, other = operands
    if isinstance(one, Constant) and kind in ("mul", "add"):
        one, other = other, one
    if not isinstance(other, Constant):
        return Unknown(f"`{kind}` of two tensors")
    number = other.value
    factor = {"mul": number, "div": 1 / number if number else math.nan}.get(kind, 1.0)
    return values.affine(one, factor, {"add": number, "sub": -number}.get(kind, 0.0))


def library(name, arguments):
    """The functions of jax.random that draw standard values."""
    numbers = [value.value for value in arguments[1:] if isinstance(value, Constant)]
    kind = name.lstrip("_")
    if kind == "normal" and not numbers:
        return Normal(0.0, 1.0)
    if kind == "uniform" and len(numbers) == 2:
        return Uniform(*numbers)
    if kind == "truncated_normal" and len(numbers) == 2:
        return Truncated(0.0, 1.0, *numbers)
    return None


def distribution(name, given, shape):
    """The distribution that an initializer of JAX draws for a shape."""
    plain = {key: value for key, value in given.items() if key != "dtype"}
    for key in ("in_axis", "out_axis", "batch_axis"):
        if isinstance(plain.get(key), list):
            plain[key] = tuple(plain[key])
    origin = Origin(name, tuple(sorted(plain.items(), key=lambda pair: pair[0])), shape)
    if name in ("zeros", "ones"):
        return Constant(float(name == "ones"))
    if name == "constant" and numpy.ndim(given["value"]) == 0:
        return Constant(float(given["value"]))
    if name == "normal":
        return Normal(0.0, float(given["stddev"]))
    if name == "uniform":
        return Uniform(0.0, float(given["scale"]))
    if name == "truncated_normal":
        std = float(given["stddev"])
        return Truncated(0.0, std, std * given["lower"], std * given["upper"])
    if name == "variance_scaling":
        return scaled(given, shape, origin)
    if name in ("orthogonal", "delta_orthogonal"):
        return Named(origin)
    return Unknown(f"initializer {name}")


def scaled(given, shape, origin):
    fans = initializers._compute_fans(shape, given["in_axis"], given["out_axis"], given["batch_axis"])
    fan = {"fan_in": fans[0], "fan_out": fans[1], "fan_avg": sum(fans) / 2}.get(given["mode"], math.sqrt(fans[0] * fans[1]))
    std = math.sqrt(given["scale"] / fan)
    if given["distribution"] == "normal":
        return Normal(0.0, std, origin)
    if given["distribution"] == "uniform":
        return Uniform(-math.sqrt(3) * std, math.sqrt(3) * std, origin)
    std /= tensors.CUT_AT_TWO
    return Truncated(0.0, std, -2 * std, 2 * std, origin)


def measure(model):
    """Gives tensors whose random values could not be followed the mean and standard deviation of one draw."""
    missing = [tensor for tensor in model.tensors if tensor.note and tensor.scheme.text == "nan" and "table" not in tensor.note]
    if not missing or sum(math.prod(tensor.shape) for tensor in model.tensors) > DRAWN:
        return
    drawn = model.build()
    for tensor in missing:
        one = numpy.asarray(drawn[tensor.name], dtype=float)
        tensor.scheme = tensors.normal(float(f"{one.mean():.4g}"), float(f"{one.std():.4g}"))
        tensor.note += "; measured from one draw"


def load(model, path):
    """A real draw by name, and fanin's file."""
    from safetensors.numpy import load_file

    return {name: numpy.asarray(value) for name, value in model.build().items()}, load_file(path)
