"""Adapters from a base: what NumPy finds in the base, and what is left of it."""

import hashlib
import json

import numpy as np
import safetensors.numpy

from support import Case, array, run

SHAPES = [(12, 7), (7, 12), (9, 9)]
RANK = 3


class Adapters(Case):
    def base(self, shape, dtype=np.float64):
        weight = np.random.default_rng(1).normal(size=shape).astype(dtype)
        np.save(self.folder / "base.npy", weight)
        return weight

    def parts(self, method, shape, layout="torch", more=""):
        outputs, inputs = shape
        shapes = [f"{RANK}x{inputs}", f"{outputs}x{RANK}", f"{outputs}x{inputs}"]
        if layout == "io":
            shapes = ["x".join(reversed(shape.split("x"))) for shape in shapes]
        names = ["a", "b", "base"]
        parts = [
            array(f"{method}-{name}:rank={RANK}{more}", shape, "--layout", layout, "--base", self.folder / "base.npy", dtype="f64")
            for name, shape in zip(names, shapes)
        ]
        return [part.T for part in parts] if layout == "io" else parts

    def test_pissa_has_the_first_singular_vectors(self):
        for shape in SHAPES:
            with self.subTest(shape=shape):
                weight = self.base(shape)
                u, s, v = np.linalg.svd(weight, full_matrices=False)
                signs = np.sign(u[np.abs(u).argmax(axis=0), range(len(s))])
                a, b, left = self.parts("pissa", shape, more=",scaling=2")
                np.testing.assert_allclose(a, (np.sqrt(s / 2) * signs)[:RANK, None] * v[:RANK], atol=1e-12)
                np.testing.assert_allclose(b, (u * np.sqrt(s / 2) * signs)[:, :RANK], atol=1e-12)
                np.testing.assert_allclose(left + 2 * b @ a, weight, atol=1e-12)
                np.testing.assert_allclose(np.linalg.svd(left, compute_uv=False)[: len(s) - RANK], s[RANK:], atol=1e-12)

    def test_olora_has_the_first_of_q_and_r(self):
        for shape in SHAPES:
            with self.subTest(shape=shape):
                weight = self.base(shape)
                q, r = np.linalg.qr(weight)
                signs = np.sign(np.diag(r))
                a, b, left = self.parts("olora", shape, more=",scaling=0.5")
                np.testing.assert_allclose(a, signs[:RANK, None] * r[:RANK], atol=1e-12)
                np.testing.assert_allclose(b, (q * signs)[:, :RANK], atol=1e-12)
                np.testing.assert_allclose(left + 0.5 * b @ a, weight, atol=1e-12)

    def test_a_base_of_inputs_first_is_read_as_such(self):
        for method in ["pissa", "olora"]:
            weight = self.base((7, 12))
            a, b, left = self.parts(method, (12, 7), layout="io")
            np.testing.assert_allclose(left + b @ a, weight.T, atol=1e-12)

    def test_single_precision_is_enough_for_1e_6(self):
        weight = self.base((40, 30), np.float32)
        parts = [
            array(f"pissa-{name}:rank=8", shape, "--layout", "torch", "--base", self.folder / "base.npy")
            for name, shape in {"a": "8x30", "b": "40x8", "base": "40x30"}.items()
        ]
        self.assertLess(np.abs(parts[1] @ parts[0] + parts[2] - weight).max(), 1e-6)

    def test_a_tensor_of_several_is_named_and_its_type_is_any(self):
        weights = {name: np.random.default_rng(2).normal(size=(6, 4)).astype(name) for name in ["float16", "float32"]}
        safetensors.numpy.save_file(weights, self.folder / "model.safetensors")
        for name, weight in weights.items():
            options = ["--base", self.folder / "model.safetensors", "--base-tensor", name, "--layout", "torch"]
            left = array("pissa-base:rank=4", "6x4", *options, dtype="f64")
            np.testing.assert_allclose(left, 0, atol=1e-12)
            left = array("olora-base:rank=1", "6x4", *options, dtype="f64")
            np.testing.assert_allclose(left[:, 0], 0, atol=1e-12)
            np.testing.assert_allclose(np.linalg.matrix_rank(left), 3)

    def test_the_recipe_tells_the_base_and_is_read_without_it(self):
        weight = self.base((6, 4), np.float16)
        told = hashlib.sha256(weight.tobytes()).hexdigest()
        for form in ["npz", "json", "safetensors"]:
            with self.subTest(format=form):
                path = self.folder / f"a.{form}"
                base = ["--base", self.folder / "base.npy"]
                run("init", "pissa-a", "A=2x4", "--layout", "torch", *base, "-o", path, "-q", "--force")
                (self.folder / "base.npy").rename(self.folder / "away.npy")
                shown = json.loads(run("inspect", path, "--json").stdout)
                (self.folder / "away.npy").rename(self.folder / "base.npy")
                [tensor] = shown["tensors"]
                self.assertEqual(tensor["scheme"], "pissa-a:rank=2,scaling=1")
                self.assertIsNone(tensor["expected"])
                [note] = shown["notes"]
                self.assertIn(told, note)
                self.assertIn("pissa-a:rank=2", run("inspect", path).stdout.decode())

    def test_a_base_that_is_not_finite_is_refused(self):
        np.save(self.folder / "base.npy", np.array([[1.0, np.nan], [0.0, 1.0]]))
        with self.assertRaises(AssertionError):
            self.parts("pissa", (2, 2))
