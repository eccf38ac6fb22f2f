"""Finds a model, by the name of its function or as an object of Python, and traces it with its framework."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
import sys
from pathlib import Path

from .tensors import Refusal

FRAMEWORKS = ("torch", "keras", "flax")


def of_name(word, words=(), framework=None, inputs=()):
    """The traced model of a callable with the words of its arguments, or of a config.json."""
    path = Path(word)
    if path.suffix == ".json" or path.is_dir():
        if not path.exists():
            raise Refusal(f"`{word}`: no such file")
        return tracer("transformers").trace(path, words)
    framework = framework or framework_of_package(word)
    module = tracer(framework)
    function = found(word)  # after the framework's recorder is in place
    positional = [value(one) for one in words if not named(one)]
    keywords = {name: value(text) for name, _, text in (one.partition("=") for one in words if named(one))}
    shown = ", ".join([*map(repr, positional), *(f"{name}={one!r}" for name, one in keywords.items())])

    def build(**more):
        return function(*positional, **keywords, **more)

    build.function = function
    options = {"inputs": inputs} if framework == "flax" else {}
    return module.trace(build, f"{word}({shown}){versions(word)}", **options)


def of_object(model, framework=None, inputs=()):
    """The traced model of a callable that needs no arguments, or of a model that its configuration can build again."""
    framework = framework or framework_of(model)
    module = tracer(framework)
    if framework == "transformers":
        return module.of_class(type(model), model.config)
    again = module.again(model)
    if not callable(again):
        raise Refusal(f"{again!r} is not callable: pass a function that builds the model")

    def build(**more):
        return again(**more)

    build.function = again
    options = {"inputs": inputs} if framework == "flax" else {}
    return module.trace(build, getattr(model, "__qualname__", type(model).__qualname__), **options)


def tracer(framework):
    """The module that traces models of a framework."""
    try:
        return importlib.import_module(f".{framework}_model", __package__)
    except ModuleNotFoundError as error:
        raise Refusal(f"{error}: use a Python that has the packages of the model") from error


def framework_of_package(word):
    """The framework that a callable belongs to: that of its package, or the one that its module imports."""
    package = word.replace(":", ".").split(".")[0]
    if package in ("keras", "flax"):
        return package
    if package in ("torch", "timm", "torchvision"):
        return "torch"
    spec = importlib.util.find_spec(package)
    text = "".join(path.read_text(errors="replace") for path in sources(spec)) if spec else ""
    return max(FRAMEWORKS, key=lambda framework: len(re.findall(rf"^\s*(?:import|from) {framework}\b", text, re.M)))


def sources(spec):
    if spec.submodule_search_locations:
        return sorted(Path(spec.submodule_search_locations[0]).rglob("*.py"))[:200]
    return [Path(spec.origin)] if spec.origin else []


def framework_of(model):
    """The framework of an object: that of its class, else the only one that is imported."""
    owner = model if isinstance(model, type) else type(model)
    if owner is not model and any(base.__name__ == "PreTrainedModel" for base in owner.__mro__):
        return "transformers"
    packages = {base.__module__.partition(".")[0] for base in owner.__mro__}
    likely = [one for one in FRAMEWORKS if one in packages] or [one for one in FRAMEWORKS if one in sys.modules]
    if len(likely) != 1:
        raise Refusal("the framework of the model is unknown: pass framework=NAME (torch, keras or flax)")
    return likely[0]


def found(word):
    """The object of a path such as a.b.c or a.b:c."""
    module, colon, rest = word.partition(":")
    if not colon:
        module, _, rest = word.rpartition(".")
    parts = rest.split(".")
    while True:
        try:
            one = importlib.import_module(module)
            break
        except ModuleNotFoundError as error:
            outer, _, last = module.rpartition(".")
            if colon or not outer or error.name != module:
                raise Refusal(f"`{word}`: {error}: use a Python that has the package") from error
            module, parts = outer, [last, *parts]
    for part in parts:
        if not hasattr(one, part):
            raise Refusal(f"`{word}`: `{module}` has no `{'.'.join(parts)}`")
        one = getattr(one, part)
    return one


def named(word):
    return word.partition("=")[0].isidentifier() and "=" in word


def value(text):
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def versions(word):
    package = word.replace(":", ".").split(".")[0]
    version = getattr(sys.modules.get(package), "__version__", "")
    return f"; {package} {version}" if version and package not in FRAMEWORKS else ""
