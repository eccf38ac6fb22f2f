"""The proofs of docs/parity.md, with the frameworks that a Python here has."""

import os
import re
import subprocess
import sys
from pathlib import Path

from support import FANIN, Case

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/parity.md"
PINNED = dict(re.findall(r"^(\w+)==(\d+\.\d+)", (ROOT / "scripts/parity-requirements.txt").read_text("utf-8"), re.M))
# Fewer would mean that a proof is gone.
PROOFS = 14
BACKENDS = ("jax", "tensorflow", "torch", "numpy")


def proofs(text):
    """The Python blocks of a page, each by the heading above it."""
    found = re.findall(r"^## ([^\n]+)\n|^```python\n(.*?)^```", text, re.M | re.S)
    heading, blocks = "", []
    for title, block in found:
        heading = title or heading
        if 'KERAS_BACKEND"] = "jax"' in block:
            # The page shows one backend, and says that the others are named in the same two places.
            blocks += [(heading, block.replace('"jax"', f'"{to}"').replace("keras:jax", f"keras:{to}")) for to in BACKENDS]
        elif block:
            blocks.append((heading, block))
    return blocks


def packages(block):
    """What it imports of the frameworks, and the backend that it names."""
    imports = [line for line in block.splitlines() if line.startswith("import ")]
    backends = re.findall(r'KERAS_BACKEND"\] = "(\w+)"', block)
    words = re.findall(r"\w+", " ".join(imports + backends))
    return [package for package in dict.fromkeys(words) if package in PINNED]


def python():
    """The Python that has the frameworks."""
    made = ROOT / "target/parity-env/bin/python"
    named = os.environ.get("FANIN_PARITY_PYTHON")
    return named or (str(made) if made.exists() else os.environ.get("FANIN_TORCH_PYTHON")) or sys.executable


class Parity(Case):
    def test_every_proof_of_the_page_holds(self):
        blocks = proofs(PAGE.read_text("utf-8"))
        self.assertGreaterEqual(len(blocks), PROOFS)
        for heading, block in blocks:
            with self.subTest(heading=heading):
                self.has(packages(block))
                done = self.proved(block)
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_proof_that_does_not_hold_is_told(self):
        _, block = proofs(PAGE.read_text("utf-8"))[0]
        self.has(packages(block))
        self.assertIn("--seed 42", block)
        done = self.proved(block.replace("--seed 42", "--seed 43"))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("AssertionError", done.stderr)

    def has(self, wanted):
        """Skips the test if a framework is missing or of another release than the page's."""
        # A package may come under another name: tensorflow as tensorflow_cpu.
        ask = "import sys, importlib.metadata as m; given = m.packages_distributions()\n"
        ask += "for package in sys.argv[1:]: print(m.version(given[package][0]))"
        done = subprocess.run([python(), "-c", ask, *wanted], capture_output=True, text=True, check=False)
        there = done.stdout.split()
        for place, package in enumerate(wanted):
            version = there[place] if place < len(there) else None
            if version is None:
                self.skipTest(f"{package} is not installed (FANIN_PARITY_PYTHON names a Python that has it)")
            if not version.startswith(f"{PINNED[package]}."):
                self.skipTest(f"{package} {version} is installed, and docs/parity.md is about {PINNED[package]}")

    def proved(self, block):
        """A proof, run where fanin is on the path."""
        quiet = {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu", "TF_CPP_MIN_LOG_LEVEL": "3"}
        path = f"{Path(FANIN).resolve().parent}{os.pathsep}{os.environ['PATH']}"
        for file in self.folder.iterdir():
            file.unlink()
        return subprocess.run(
            [python(), "-c", block],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env={**os.environ, **quiet, "PATH": path},
            check=False,
        )
