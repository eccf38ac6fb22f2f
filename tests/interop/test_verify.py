"""Files of NumPy and safetensors are tested against distributions, and an XML parser reads the pictures."""

import re
import subprocess
import xml.etree.ElementTree

import numpy as np
import safetensors.numpy

from support import Case, FANIN, init, run

LAW = "normal:std=0.02"
SHAPE = (400, 250)


def verify(*arguments):
    """The exit status of `fanin verify`, and what it wrote."""
    done = subprocess.run([FANIN, "verify", *map(str, arguments)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


class Verify(Case):
    def check(self, values, status, distribution=LAW):
        path = self.folder / "w.npy"
        np.save(path, values)
        found, told = verify(path, "--distribution", "--scheme", distribution)
        self.assertEqual(found, status, told)

    def test_normals_of_numpy_fit_in_every_type_and_order(self):
        random = np.random.default_rng(1)
        for dtype in [np.float64, np.float32, np.float16, ">f4"]:
            with self.subTest(dtype=dtype):
                values = random.normal(0, 0.02, SHAPE).astype(dtype)
                self.check(values, 0)
                self.check(np.asfortranarray(values), 0)

    def test_values_of_other_distributions_do_not_fit(self):
        random = np.random.default_rng(2)
        normals = random.normal(0, 0.02, SHAPE)
        others = {
            "wider": normals * 1.02,
            "shifted": normals + 0.001,
            "uniform": random.uniform(-0.02 * 3**0.5, 0.02 * 3**0.5, SHAPE),
            "laplace": random.laplace(0, 0.02 / 2**0.5, SHAPE),
            "clipped": np.clip(normals, -0.03, 0.03),
            "zeros": np.zeros(SHAPE),
            "one part twice": np.concatenate([normals[:192], normals[:208]]),
            "not a number": np.where(np.arange(250) == 7, np.nan, normals),
        }
        for name, values in others.items():
            with self.subTest(name):
                self.check(values.astype(np.float32), 1)

    def test_a_file_of_another_library_says_what_it_lacks(self):
        path = self.folder / "w.safetensors"
        values = np.random.default_rng(3).normal(0, 0.02, SHAPE).astype(np.float32)
        safetensors.numpy.save_file({"a": values, "b": values[:100] * 1.5}, path)
        status, told = verify(path)
        self.assertEqual(status, 2)
        self.assertIn("--recipe FILE, or --scheme EXPR --seed N", told)
        self.assertEqual(verify(path, "--distribution", "--scheme", LAW, "--tensor", "a")[0], 0)
        self.assertEqual(verify(path, "--distribution", "--scheme", LAW)[0], 1)

    def test_a_stripped_archive_verifies_by_expression(self):
        init(LAW, "a=30x20", "b=7", "--seed", 4, "-o", self.folder / "w.npz")
        with np.load(self.folder / "w.npz") as loaded:
            np.savez(self.folder / "bare.npz", **{name: loaded[name] for name in ["a", "b"]})
        path = self.folder / "bare.npz"
        self.assertEqual(verify(path)[0], 2)
        self.assertEqual(verify(path, "--scheme", LAW, "--seed", 4)[0], 0)
        self.assertEqual(verify(path, "--scheme", LAW, "--seed", 5)[0], 1)

    def test_singular_values_are_those_of_numpy_and_the_picture_is_xml(self):
        values = np.random.default_rng(5).normal(size=(40, 30))
        np.save(self.folder / "w.npy", values)
        told = run("inspect", self.folder / "w.npy", "--spectrum", "--plot", self.folder / "w.svg").stdout
        least, most = np.linalg.svd(values, compute_uv=False)[[-1, 0]]
        found = re.search(r"30 singular values of 40x30, from (\S+) to (\S+);", told.decode())
        self.assertAlmostEqual(float(found[1]), most, places=4)
        self.assertAlmostEqual(float(found[2]), least, places=4)
        root = xml.etree.ElementTree.parse(self.folder / "w.svg").getroot()
        self.assertTrue(root.tag.endswith("svg"))
