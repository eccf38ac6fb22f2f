"""The frameworks whose values fanin reproduces, and the runner of their references."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent

# Name: the module with its cases, the package that must be there, and the environment that it is started in.
FRAMEWORKS = {
    "numpy": ("numpy_reference", "numpy", {}),
    "torch": ("torch_reference", "torch", {}),
    "jax": ("jax_reference", "jax", {}),
    "tensorflow": ("tensorflow_reference", "tensorflow", {}),
    "lasagne": ("lasagne_reference", "lasagne", {}),
    "keras-numpy": ("keras_reference", "numpy", {"KERAS_BACKEND": "numpy"}),
    "keras-jax": ("keras_reference", "jax", {"KERAS_BACKEND": "jax"}),
    "keras-torch": ("keras_reference", "torch", {"KERAS_BACKEND": "torch"}),
    "keras-tensorflow": ("keras_reference", "tensorflow", {"KERAS_BACKEND": "tensorflow"}),
}
# On the CPU alone, without the frameworks' own messages.
QUIET = {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu", "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONDONTWRITEBYTECODE": "1"}


def packages(name):
    """What must be installed for a framework."""
    return ["keras", FRAMEWORKS[name][1]] if name.startswith("keras-") else [FRAMEWORKS[name][1]]


def missing(name, python):
    """The first package that a Python has not got."""
    for package in packages(name):
        find = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({package!r}) is None)"
        if subprocess.run([python, "-c", find], check=False).returncode != 0:
            return package
    return None if (HERE / f"{FRAMEWORKS[name][0]}.py").exists() else f"scripts/references/{FRAMEWORKS[name][0]}.py"


def run(name, python, *options):
    """What a framework's reference says in a process of its own: the versions, and a row for each case."""
    with tempfile.TemporaryDirectory() as folder:
        said = Path(folder) / "said.jsonl"
        command = [python, str(HERE / "worker.py"), name, str(said), *options]
        done = subprocess.run(command, env={**os.environ, **QUIET, **FRAMEWORKS[name][2]}, check=False)
        if done.returncode != 0:
            sys.exit(f"{name}: its reference failed (exit {done.returncode})")
        versions, *rows = map(json.loads, said.read_text().splitlines())
    return versions, rows
