"""Reservoirs have the spectral radius, and the structure, that NumPy finds in them."""

import numpy as np

from support import Case, array

RADII = {
    "spectral:radius=0.9,density=0.1": 200,
    "spectral:radius=1.25,density=1,distribution=uniform": 120,
    "spectral:radius=0.5,degree=10": 150,
    "spectral:radius=0.9,degree=1,direction=in": 100,
    "small-world:neighbours=6,radius=0.9": 100,
    "cluster:clusters=4,within=0.5,radius=0.9": 100,
    "dale:density=0.2,radius=0.9": 100,
    "band:density=0.1,radius=0.9": 100,
    "toeplitz:density=0.1,radius=0.9": 64,
    "cycle-with-jumps:jump-size=4,radius=0.9": 100,
    "double-cycle:radius=0.9": 64,
    "ring:weight=0.9": 50,
    "permutation:weight=0.9": 50,
}


class Reservoirs(Case):
    def test_the_spectral_radius_is_that_of_numpy(self):
        for expression, size in RADII.items():
            for layout in ["torch", "io"]:
                with self.subTest(scheme=expression, layout=layout):
                    matrix = array(expression, f"{size}x{size}", "--layout", layout, dtype="f64")
                    asked = 0.9 if "=0.9" in expression else float(expression.split("radius=")[1].split(",")[0])
                    self.assertAlmostEqual(np.abs(np.linalg.eigvals(matrix)).max() / asked, 1, delta=1e-6)

    def test_a_column_in_torch_is_what_a_unit_sends(self):
        matrix = array("spectral:degree=3,direction=out", "40x40", "--layout", "torch", dtype="f64")
        np.testing.assert_array_equal((matrix != 0).sum(axis=0), 3)
        matrix = array("spectral:degree=3,direction=in", "40x40", "--layout", "torch", dtype="f64")
        np.testing.assert_array_equal((matrix != 0).sum(axis=1), 3)

    def test_singular_values_are_those_that_were_drawn(self):
        start = array("pseudo-svd:density=0", "30x30", dtype="f64")
        turned = array("pseudo-svd:density=0.5", "30x30", dtype="f64")
        found = np.linalg.svd(turned, compute_uv=False)
        np.testing.assert_allclose(found, np.sort(np.diag(start))[::-1], atol=1e-12)
