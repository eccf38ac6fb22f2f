"""Traces a model of Keras 3: its variables without values, and the initializer of each."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy
from keras.src.backend.common import variables

from . import tables, tensors, values
from .tensors import DTYPES, Model, Refusal, Scheme, Tensor

DRAWN = 1 << 22  # elements of a variable whose initializer has to be called
# The classes that are variance scaling under a name of their own.
SCALED = {"GlorotUniform", "GlorotNormal", "HeUniform", "HeNormal", "LecunUniform", "LecunNormal"}


def trace(build, source):
    """The tensors of the model that `build` makes."""
    model, initializers = record(build)
    found, seen = [], set()
    for variable in model.weights:
        if id(variable) in seen:
            continue
        seen.add(id(variable))
        found.append(traced(variable, initializers.get(id(variable))))
    traced_model = Model(f"{source}; keras {keras.__version__}", "keras", found, build=build)
    traced_model.load = load
    return traced_model


class record_initializers:
    """Keeps the initializer of every variable; `deferred` leaves those without values that wait for the end of a scope."""

    def __init__(self, deferred=True):
        self.deferred = deferred

    def __enter__(self):
        owner, kept = variables.Variable, {}
        self.before = owner.__init__, owner._deferred_initialize
        begin = owner.__init__

        def init(variable, initializer, *args, **kwargs):
            kept[id(variable)] = variable, initializer
            begin(variable, initializer, *args, **kwargs)

        owner.__init__ = init
        if self.deferred:
            owner._deferred_initialize = lambda variable: None
        return kept

    def __exit__(self, *_):
        variables.Variable.__init__, variables.Variable._deferred_initialize = self.before


def record(build):
    """The model without values; with values if its constructor reads them."""
    keras.utils.clear_session()  # names of layers are numbered from the first
    try:
        with record_initializers() as kept, keras.StatelessScope():
            model = checked(build())
    except Exception:  # noqa: BLE001 - any error of a constructor may come from the missing values
        keras.utils.clear_session()
        with record_initializers(deferred=False) as kept:
            model = checked(build())
    return model, {place: initializer for place, (_, initializer) in kept.items()}


def again(model):
    """A function that builds the model again."""
    if not isinstance(model, keras.Model):
        return model
    owner, config = type(model), model.get_config()
    return lambda: owner.from_config(config)


def checked(model):
    if not isinstance(model, (keras.Model, keras.layers.Layer)):
        raise Refusal(f"the callable returns {type(model).__name__}, not a keras.Model")
    if not model.weights and not model.built:
        raise Refusal("the model is not built: build it with an input shape")
    return model


def traced(variable, initializer):
    shape, dtype = tuple(variable.shape), DTYPES.get(str(variable.dtype))
    if dtype is None:
        return Tensor(variable.path, shape, Scheme("zeros"), note=f"dtype {variable.dtype}")
    scheme = scheme_of(initializer, shape)
    if scheme is not None:
        return Tensor(variable.path, shape, scheme, dtype)
    scheme, note = drawn(initializer, shape, str(variable.dtype), dtype)
    return Tensor(variable.path, shape, scheme, dtype, note=note)


def scheme_of(initializer, shape):
    """The scheme of an initializer by its class and configuration, or None."""
    if isinstance(initializer, str):
        initializer = keras.initializers.get(initializer)
    if not isinstance(initializer, keras.initializers.Initializer):
        return None
    name, config = type(initializer).__name__, initializer.get_config()
    if name in ("Zeros", "Ones"):
        return Scheme(name.lower())
    if name == "Constant" and numpy.ndim(config["value"]) == 0:
        return tensors.constant(config["value"])
    if name == "RandomNormal":
        return tensors.normal(config["mean"], config["stddev"])
    if name == "RandomUniform":
        return tensors.uniform(config["minval"], config["maxval"])
    if name == "TruncatedNormal":
        mean, std = config["mean"], config["stddev"]
        return tensors.truncated(mean, std, mean - 2 * std, mean + 2 * std)
    if name in ("Orthogonal", "OrthogonalInitializer"):
        return values.named(values.Origin("orthogonal_", (("gain", config["gain"]),), shape))
    if name == "VarianceScaling":
        return tensors.scaling(config["scale"], config["mode"], config["distribution"])
    return Scheme(f"keras.{name}") if name in SCALED else None


def drawn(initializer, shape, dtype, short):
    """The scheme of an initializer without a name: known if it gives the same values twice, else measured."""
    if numpy.prod(shape) > DRAWN:
        return Scheme("nan"), f"initializer {type(initializer).__name__}"
    one, other = (numpy.asarray(initializer(shape, dtype=dtype) if callable(initializer) else initializer) for _ in range(2))
    if numpy.array_equal(one, other, equal_nan=True):
        scheme = tables.known(one, short, "keras")
        return (scheme, None) if scheme else (Scheme("nan" if one.dtype.kind == "f" else "zeros"), "a computed table")
    mean, std = float(f"{one.mean():.4g}"), float(f"{one.std():.4g}")
    return tensors.normal(
        mean, std
    ), f"initializer {getattr(initializer, '__name__', type(initializer).__name__)}; measured from one draw"


def load(model, path):
    """The variables of a freshly built model by path, and those of fanin's file after the model has taken them."""
    from safetensors.numpy import load_file

    keras.utils.clear_session()
    module, written = model.build(), load_file(path)
    real = {variable.path: numpy.asarray(variable) for variable in module.weights}
    for variable in module.weights:
        variable.assign(written[variable.path])
    return real, written
