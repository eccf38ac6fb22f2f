"""`.mat` files are those of MATLAB, by SciPy."""

import io
import json
import unittest

import numpy as np

from support import Case, init, run

try:
    from scipy.io import loadmat, savemat
except ImportError:
    loadmat = None

TENSORS = ["fc.weight=37x23", "conv=3x3x2x5", "bias=7", "scale=()", "empty=0x5"]


@unittest.skipIf(loadmat is None, "SciPy is not installed")
class Mat(Case):
    def test_scipy_sees_the_arrays_of_npz(self):
        for dtype in ["f64", "f32"]:
            with self.subTest(dtype=dtype):
                loaded = loadmat(io.BytesIO(init("normal", *TENSORS, "--dtype", dtype, "--format", "mat")))
                arrays = np.load(io.BytesIO(init("normal", *TENSORS, "--dtype", dtype, "--format", "npz")))
                for name in arrays:
                    held = loaded[name.replace(".", "_")]
                    self.assertEqual(held.shape[-2:], ((1,) * 2 + arrays[name].shape)[-2:])
                    self.same_bits(held.reshape(arrays[name].shape), arrays[name])
                self.assertEqual(json.loads(loaded["fanin"][0])["generator"], "native-1")

    def test_what_scipy_writes_is_read(self):
        arrays = {"a": np.arange(12.0).reshape(3, 4), "b": np.arange(6, dtype="i2").reshape(2, 3)}
        for compressed in [False, True]:
            savemat(self.folder / "w.mat", arrays | {"text": "hello"}, do_compression=compressed)
            run("model", self.folder / "w.mat", "--keep", "*", "-o", self.folder / "w.npz", "--force")
            with np.load(self.folder / "w.npz") as copied:
                for name, array in arrays.items():
                    self.same_bits(copied[name], array)
