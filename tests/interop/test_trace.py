"""Recipes of fanin.trace: those of three libraries, and repeated layers folded into blocks."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

from support import FANIN, Case, load_safetensors, run
from torch_python import torch_python

ROOT = Path(__file__).parents[2]
TRACES = ROOT / "tests/data/interop/traces"
SIGMA = 5
PACKAGE = str(ROOT / "scripts/wheel")
sys.path.append(PACKAGE)

from fanin.trace import toml  # noqa: E402
from fanin.trace.tensors import Model, Scheme, Tensor  # noqa: E402

# Builds a network whose tensors need every way of recording, traces it, and compares fanin's values with a real draw.
BUILD = """
import torch
from torch import nn


class Layer(nn.Module):
    def __init__(self, width, number):
        super().__init__()
        self.attention = nn.MultiheadAttention(width, 2)
        self.norm = nn.LayerNorm(width)
        self.scale = nn.Parameter(0.1 * torch.ones(width))
        self.out = nn.Linear(width, width)
        nn.init.normal_(self.out.weight, std=0.02)
        self.out.weight.data.div_((2.0 * (number + 1)) ** 0.5)


class Network(nn.Module):
    def __init__(self, width=32, layers=4):
        super().__init__()
        self.embedding = nn.Embedding(50, width, padding_idx=3)
        self.position = nn.Parameter(torch.randn(1, 20, width) * 0.02)
        self.rates = [rate.item() for rate in torch.linspace(0, 0.1, layers)]
        self.layers = nn.ModuleList(Layer(width, number) for number in range(layers))
        self.convolution = nn.Conv2d(3, 16, 3)
        self.statistics = nn.BatchNorm2d(16)
        self.normed = nn.utils.parametrizations.weight_norm(nn.Linear(width, 6))
        nn.init.kaiming_normal_(self.convolution.weight, mode="fan_out", nonlinearity="relu")
        self.head = nn.Linear(width, 10)
        nn.init.trunc_normal_(self.head.weight, std=0.02)
        self.rotation = nn.Parameter(torch.empty(width, width))
        nn.init.orthogonal_(self.rotation)
        self.register_buffer("table", torch.arange(5.0) ** 2)
"""


class Traces(Case):
    def command(self, python, *arguments):
        """Runs `python -m fanin.trace`."""
        return self.run_python(python, "-m", "fanin.trace", *arguments)

    def run_python(self, python, *arguments):
        return subprocess.run(
            [python, *arguments],
            cwd=self.folder,
            env={**os.environ, "FANIN": FANIN, "PYTHONPATH": PACKAGE},
            capture_output=True,
            text=True,
            check=False,
        )

    def traced(self, tensors):
        """The tensors that fanin makes from a recipe of these, by name."""
        path = self.folder / "recipe.toml"
        path.write_text(toml.write(Model("a test", "torch", tensors)))
        report = json.loads(run("model", path, "--dry-run", "--json").stdout)
        return path.read_text(), {row["name"]: row for row in report["tensors"]}

    def test_recorded_models_have_their_names_shapes_types_and_moments(self):
        for path in sorted(TRACES.glob("*.toml")):
            with self.subTest(path.stem):
                rows = json.loads(path.with_suffix(".json").read_text())
                run("model", path, "-q", "-o", "drawn.safetensors", "--force", cwd=self.folder)
                drawn = load_safetensors((self.folder / "drawn.safetensors").read_bytes())
                self.assertEqual({name: array.shape for name, array in drawn.items()}, {row[0]: tuple(row[1]) for row in rows})
                for name, _, dtype, *moments in rows:
                    self.assertEqual({"float32": "f32", "int64": "i64"}[str(drawn[name].dtype)], dtype, name)
                    if moments:
                        self.agrees(name, drawn[name].astype(float), *moments)

    def agrees(self, name, drawn, mean, std):
        """Both draws have sampling errors."""
        error = SIGMA * math.sqrt(2) * max(std, drawn.std()) / math.sqrt(drawn.size)
        self.assertAlmostEqual(drawn.mean(), mean, delta=error + 1e-5 * abs(mean), msg=name)
        if drawn.size >= 64:
            self.assertAlmostEqual(drawn.std(), std, delta=error + 1e-5 * std, msg=name)

    def test_repeated_layers_become_blocks_with_the_same_tensors(self):
        tensors = []
        for stage, (width, depth) in enumerate([(8, 2), (24, 3), (40, 5), (56, 2)]):
            for layer in range(depth):
                std = 0.02 / math.sqrt(2 * (layer + 1))
                tensors.append(
                    Tensor(f"stages.{stage}.{layer}.fc{stage + 1}.weight", (4 * width, width), Scheme("normal:std=#", (std,)))
                )
                tensors.append(Tensor(f"stages.{stage}.{layer}.norm.weight", (width,), Scheme("ones")))
            tensors.append(Tensor(f"stages.{stage}.down.weight", (width + 16, width), Scheme("fan-in-uniform")))
        text, rows = self.traced(tensors)
        self.assertEqual({name: tuple(row["shape"]) for name, row in rows.items()}, {one.name: one.shape for one in tensors})
        for one in tensors:
            if one.scheme.numbers:
                self.assertAlmostEqual(rows[one.name]["std"], one.scheme.numbers[0], delta=1e-6, msg=one.name)
        self.assertIn("[[blocks]]", text)
        self.assertLess(text.count("\n"), 60)

    def test_irregular_names_and_sizes_are_kept(self):
        sizes = [3, 7, 31, 5, 127, 64, 2, 90]
        tensors = [
            Tensor(f"x{index * index}.y{size}", (size, index + 1), Scheme("normal:std=#", (1 / (index + 3),)))
            for index, size in enumerate(sizes)
        ]
        tensors += [Tensor("{odd} [name]*", (2,), Scheme("ones")), Tensor("weight", (), Scheme("constant:#", (0.25,)))]
        tensors += [
            Tensor("again", (2,), tied="weight"),
            Tensor("a.01.b", (1,), Scheme("zeros")),
            Tensor("a.1.b", (1,), Scheme("ones")),
        ]
        _, rows = self.traced(tensors)
        self.assertEqual(
            {name: tuple(row["shape"]) for name, row in rows.items()}, {one.name: one.shape for one in tensors if not one.tied}
        )
        for one in tensors:
            if one.scheme and one.scheme.text == "normal:std=#":
                self.assertAlmostEqual(rows[one.name]["std"], one.scheme.numbers[0], delta=1e-6)

    def test_what_could_not_be_recorded_is_marked(self):
        text, _ = self.traced([Tensor("w", (2, 2), Scheme("zeros"), note="a reason")])
        self.assertIn("1 of them", text)
        self.assertIn('# not recorded: a reason\n"w"', text)

    def test_a_package_that_is_missing_is_named(self):
        done = self.command(sys.executable, "no_such_package.build")
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stderr.count("\n"), 1)

    def test_a_class_gives_the_text_of_its_recipe_and_a_built_module_is_refused(self):
        python = torch_python(self)
        (self.folder / "network.py").write_text(BUILD)
        program = (
            "import fanin.trace, network; print(fanin.trace.recipe(network.Network))\n"
            "fanin.trace.recipe(network.Layer(4, 0))"
        )
        done = self.run_python(python, "-c", program)
        self.assertIn('"convolution.weight" = { shape = [16, 3, 3, 3], scheme = "he-normal:mode=fan-out" }', done.stdout)
        self.assertIn("fanin.trace.tensors.Refusal: a module does not know how its weights were initialised", done.stderr)

    def test_a_network_of_torch_is_traced_and_its_values_agree(self):
        python = torch_python(self, "torch, scipy, safetensors")
        (self.folder / "network.py").write_text(BUILD)
        done = self.command(python, "network:Network", "width=16", "-o", "network.toml", "--check", "--strict")
        self.assertEqual(done.returncode, 0, done.stderr)
        text = (self.folder / "network.toml").read_text()
        for word in [
            "embedding:std=1,padding=3",
            "he-normal:mode=fan-out",
            "glorot-uniform",
            "orthogonal",
            "norm-of:original1",
            'dtype = "i64"',
            "constant-list:values=0/1/4",
            "[[blocks]]",
        ]:
            self.assertIn(word, text)
        self.assertIn("{0.02 / sqrt(2 + 2 * i)}", text)
