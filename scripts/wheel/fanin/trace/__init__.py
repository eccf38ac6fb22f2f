"""Records how a model initialises its weights, and writes a recipe of fanin."""

from __future__ import annotations

import os

from . import callables, toml
from .tensors import Refusal

__all__ = ["Refusal", "recipe"]


def recipe(model, *, framework=None, inputs=()):
    """The text of the recipe of a model.

    `model` is a class or function that builds it without arguments (`lambda: Network(width=64)`), its name
    (`"timm.models.resnet18"`), the path of a config.json, a model of Keras or one of transformers. `framework` is `torch`,
    `keras` or `flax` [default: that of the model]. A module of Flax's linen needs the shapes of example `inputs`, such as
    `["1,28,28,1"]`.
    """
    if isinstance(model, (str, os.PathLike)):
        return toml.write(callables.of_name(os.fspath(model), (), framework, inputs))
    return toml.write(callables.of_object(model, framework, inputs))
