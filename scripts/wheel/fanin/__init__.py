"""Initial weights of neural networks, drawn by the program `fanin`.

The values depend on the seed, the name, the shape and the scheme alone: they are those that the program writes to a file, on every machine.

- `init`, `tensors`: NumPy arrays. `load`, `verify`: files of weights.
- `recipe`: the recipe of a model, found by running its initialization.

NumPy and the frameworks are imported by the functions that need them, not by `import fanin`.
"""

import importlib
from types import ModuleType
from typing import Optional, Sequence

from fanin._arrays import init, load, tensors
from fanin._files import Verification, verify
from fanin._plan import Spec
from fanin._program import Error
from fanin._version import __version__

__all__ = ["Error", "Spec", "Verification", "__version__", "init", "load", "recipe", "tensors", "verify"]

_SUBMODULES = ("trace",)


def recipe(model: object, *, framework: Optional[str] = None, inputs: Sequence[str] = ()) -> str:
    """Record how a model initialises its weights, and return the recipe as text. Needs the framework of the model.

    Args:
        model: class or function that builds the model without arguments, its name (`"timm.models.resnet18"`), the path of a
            config.json, a model of Keras or one of transformers.
        framework: `"torch"`, `"keras"` or `"flax"` [default: that of the model].
        inputs: shapes of example inputs, for a module of Flax's linen, as in `["1,28,28,1"]`.
    """
    text: str = importlib.import_module("fanin.trace").recipe(model, framework=framework, inputs=inputs)
    return text


def __getattr__(name: str) -> ModuleType:
    if name in _SUBMODULES:
        return importlib.import_module(f"fanin.{name}")
    raise AttributeError(f"module `fanin` has no attribute `{name}`")
