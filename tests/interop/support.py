"""What the tests have in common: running fanin, the dtypes as NumPy knows them, and what the machine has."""

import functools
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path

import ml_dtypes
import numpy as np
import safetensors.numpy

FANIN = os.environ.get("FANIN") or str(Path(__file__).parents[2] / "target/release/fanin")

DTYPES = {"f64": np.float64, "f32": np.float32, "f16": np.float16, "bf16": ml_dtypes.bfloat16}


# No test waits for ever: a program that takes longer fails its test.
LIMIT = 600


def run(*arguments, program=(FANIN,), env=None, cwd=None):
    """Runs fanin and gives what it wrote: a CompletedProcess with bytes. Fails the test where fanin fails."""
    command = [*program, *map(str, arguments)]
    done = subprocess.run(
        command, capture_output=True, env=env, cwd=cwd, stdin=subprocess.DEVNULL, timeout=LIMIT, check=False
    )
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command[len(program):])}: exit {done.returncode}: {done.stderr.decode()}")
    return done


def init(*arguments, **options):
    """The bytes that `fanin init` writes to standard output."""
    return run("init", *arguments, "-q", **options).stdout


def array(*arguments, dtype="f32"):
    """The array that `fanin init` draws, in its dtype."""
    loaded = np.load(io.BytesIO(init(*arguments, "--dtype", dtype)))
    return typed(loaded, dtype)


def arrays(*arguments, dtype="f32"):
    """The arrays of several tensors, by name."""
    with np.load(io.BytesIO(init(*arguments, "--dtype", dtype, "--format", "npz"))) as loaded:
        return {name: typed(loaded[name], dtype) for name in loaded.files}


def typed(loaded, dtype):
    """NumPy loads bfloat16 as two bytes of no type."""
    return loaded.view(DTYPES["bf16"]) if dtype == "bf16" else loaded


def load_safetensors(data):
    """The tensors by name, as the official library reads them. Its words for NumPy lack bfloat16, and its parser has it."""
    if b'"BF16"' not in data[:100_000]:
        return safetensors.numpy.load(data)
    return {
        name: np.frombuffer(spec["data"], dtype=DTYPES[spec["dtype"].lower()]).reshape(spec["shape"])
        for name, spec in safetensors.deserialize(data)
    }


def report(*arguments):
    """What `--json` says of the first tensor."""
    with tempfile.TemporaryDirectory() as folder:
        done = run("init", *arguments, "--json", "-o", f"{folder}/w.npz")
    return json.loads(done.stdout)["tensors"][0]


def schemes():
    """Every scheme that takes all matrices and draws numbers, as the expression of its example."""
    return {name: words[0] for name, words in examples().items() if words[1:] == ["784x256"] and name != "nan"}


def placed():
    """Every other scheme, but those that start from a file, as the words of its example: expression, shape and layout."""
    return {name: words for name, words in examples().items() if words[1:] != ["784x256"] and "--base" not in words}


@functools.cache
def examples():
    """Every scheme of the registry, as the words of its example."""
    listed = run("list", "schemes").stdout.decode().splitlines()
    names = [line.split()[0] for line in listed if line.startswith("  ")]
    if len(names) < 15:
        raise AssertionError(f"only {len(names)} schemes are listed: {names}")
    return {name: example(name) for name in names}


def example(name):
    lines = run("explain", name).stdout.decode().splitlines()
    [first] = [number for number, line in enumerate(lines) if line.startswith("  example ")]
    words = " ".join(lines[first:]).split()
    return words[words.index("init") + 1 : words.index("-o")]


def takes(expression, shape):
    """Whether a scheme takes a shape."""
    command = [FANIN, "init", expression, shape, "-q", "-o", "-"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def members(data):
    return zipfile.ZipFile(io.BytesIO(data))


class Case(unittest.TestCase):
    """A test with a folder of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="fanin-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def same_bits(self, one, other):
        self.assertEqual(one.dtype, other.dtype)
        self.assertEqual(one.shape, other.shape)
        self.assertEqual(one.tobytes(), other.tobytes())

    def tool(self, name):
        """The path of a program; skips the test, or the subtest, if it is missing."""
        path = shutil.which(name)
        if path is None:
            self.skipTest(f"{name} is not on this machine")
        return path

    def shell(self, script):
        """Runs a bash script that finds fanin and this Python; gives its standard output and standard error."""
        path = os.pathsep.join([str(Path(FANIN).parent), str(Path(sys.executable).parent), os.environ["PATH"]])
        return subprocess.run(
            ["timeout", "--signal=KILL", str(LIMIT), "bash", "-c", script],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env={**os.environ, "PATH": path},
            stdin=subprocess.DEVNULL,
            check=False,
        )
