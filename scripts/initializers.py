"""Lists the public initializers of the frameworks that this Python has, as JSON.

    python scripts/initializers.py                     every installed framework
    python scripts/initializers.py torch keras         only these
    python scripts/initializers.py --renew             write the result to tests/data/interop/initializers.json

The source is read instead of a framework that is installed but does not run: MXNet and Chainer need an old NumPy, and
MindSpore ends the process.
"""

import ast
import contextlib
import importlib
import importlib.metadata
import importlib.util
import io
import json
import os
import sys
import types
from pathlib import Path

RECORD = Path(__file__).parents[1] / "tests/data/interop/initializers.json"

# The word here: the package that pip installs, and where its initializers stand: a module, or a class in one (after a
# colon), and how the names end that count there, where not all do.
FRAMEWORKS = {
    "torch": ("torch", ["torch.nn.init"]),
    "keras": ("keras", ["keras.initializers"]),
    "tensorflow": (
        "tensorflow",
        ["tensorflow.initializers", "tensorflow *_initializer", "tensorflow.compat.v1 *_initializer"],
    ),
    "jax": ("jax", ["jax.nn.initializers"]),
    "flax": ("flax", ["flax.linen.initializers", "flax.nnx.initializers"]),
    "haiku": ("dm-haiku", ["haiku.initializers"]),
    "sonnet": ("dm-sonnet", ["sonnet.initializers"]),
    "lasagne": ("lasagne", ["lasagne.init"]),
    "mxnet": ("mxnet", ["mxnet.initializer"]),
    "chainer": ("chainer", ["chainer.initializers"]),
    "paddle": ("paddlepaddle", ["paddle.nn.initializer"]),
    "mindspore": ("mindspore", ["mindspore.common.initializer"]),
    "mlx": ("mlx", ["mlx.nn.init"]),
    "tinygrad": ("tinygrad", ["tinygrad.mixin.rand:RandMixin *uniform", "tinygrad.mixin.rand:RandMixin *normal"]),
    "timm": ("timm", ["timm.layers.weight_init"]),
    "pyg": ("torch_geometric", ["torch_geometric.nn.inits"]),
    "reservoirpy": ("reservoirpy", ["reservoirpy.mat_gen"]),
}

SOURCE_ONLY = {"mindspore.common.initializer"}


def listed(framework):
    """The version and the names, or None if the framework is not installed."""
    package, places = FRAMEWORKS[framework]
    version = installed(package) or installed(f"{package}-cpu")
    if version is None:
        return None
    names = set()
    for place in places:
        path, _, ending = place.partition(" *")
        module, _, owner = path.partition(":")
        names.update(name for name in names_of(module, owner) if not name.startswith("_") and name.endswith(ending))
    if not names:
        raise SystemExit(f"{framework} {version}: no name was found in {', '.join(places)}")
    return {"version": version, "places": places, "names": sorted(names)}


def installed(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def names_of(module, owner):
    if not owner and module not in SOURCE_ONLY:
        # Messages of an import may go to standard output, and are not part of the list.
        with contextlib.suppress(Exception), contextlib.redirect_stdout(io.StringIO()):
            return exported(found(module))
    return written(module, owner)


def found(path):
    """The module, or an attribute of another module."""
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError as error:
        parent, _, name = path.rpartition(".")
        if not parent or error.name != path:
            raise
        return getattr(found(parent), name)


def exported(module):
    """The public classes and functions of a module, without those imported from other packages."""
    package = module.__name__.split(".")[0]
    own = {package, "keras"} if package in ("tensorflow", "keras") else {package, "jax"}
    for name in getattr(module, "__all__", dir(module)):
        value = getattr(module, name)
        home = getattr(value, "__module__", None) or ""
        if callable(value) and not isinstance(value, types.ModuleType) and home.split(".")[0] in own:
            # In TensorFlow 1, operations that set up variables and tables are called initializers too.
            if not home.endswith(("ops.variables", "ops.lookup_ops")):
                yield name


def written(module, owner):
    """The public classes and functions in the source of a module, or the methods of a class in it."""
    tree = ast.parse(source(module).read_text(encoding="utf-8"))
    body = tree.body
    if owner:
        [body] = [node.body for node in body if isinstance(node, ast.ClassDef) and node.name == owner]
    for node in body:
        if isinstance(node, ast.Assign) and [getattr(target, "id", None) for target in node.targets] == ["__all__"]:
            return ast.literal_eval(node.value)
    names = [node.name for node in body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
    for node in body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{module}."):
            names += [alias.asname or alias.name for alias in node.names]
    return names


def source(module):
    """The file of a module, found without running its package."""
    package, *rest = module.split(".")
    spec = importlib.util.find_spec(package)
    path = Path(spec.submodule_search_locations[0]).joinpath(*rest)
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def main(arguments):
    os.environ.update(CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")
    words = [word for word in arguments if word != "--renew"] or list(FRAMEWORKS)
    if unknown := set(words) - set(FRAMEWORKS):
        raise SystemExit(f"unknown: {', '.join(sorted(unknown))}; known are {', '.join(FRAMEWORKS)}")
    found_here = {word: row for word in words if (row := listed(word))}
    if "--renew" not in arguments:
        print(json.dumps(found_here))
        return
    recorded = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    recorded.update(found_here)
    rows = {word: recorded[word] for word in FRAMEWORKS if word in recorded}
    RECORD.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    print(f"{len(found_here)} of {len(words)} renewed; not installed: {', '.join(set(words) - set(found_here)) or 'none'}")


if __name__ == "__main__":
    main(sys.argv[1:])
