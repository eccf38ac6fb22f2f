"""All formats hold the same values of one command."""

import io
import json

import numpy as np

from support import Case, DTYPES, init, load_safetensors, schemes, takes, typed

SHAPES = ["()", "7", "0x5", "37x23", "3x3x8x5"]


class FormatsAgree(Case):
    def test_for_every_scheme_shape_and_dtype(self):
        for name, expression in schemes().items():
            tensors = [f"t{number}={shape}" for number, shape in enumerate(SHAPES) if takes(expression, shape)]
            self.assertTrue(tensors)
            for dtype, numpy_type in DTYPES.items():
                with self.subTest(scheme=name, dtype=dtype):
                    command = [expression, *tensors, "--dtype", dtype, "--seed", "0x5eed"]
                    with np.load(io.BytesIO(init(*command, "--format", "npz"))) as loaded:
                        npz = {key: typed(loaded[key], dtype) for key in loaded.files}
                    safe = load_safetensors(init(*command, "--format", "safetensors"))
                    text = json.loads(init(*command, "--format", "json"))["tensors"]
                    init(*command, "-o", f"{self.folder}/{name}-{dtype}/")
                    self.assertEqual(sorted(npz), sorted(safe))
                    self.assertEqual(sorted(npz), sorted(text))
                    for key, values in npz.items():
                        self.same_bits(values, safe[key])
                        self.same_bits(values, typed(np.load(self.folder / f"{name}-{dtype}/{key}.npy"), dtype))
                        read = np.array(text[key]["data"], dtype=np.float64).astype(numpy_type)
                        self.same_bits(values, read.reshape(values.shape))

    def test_half_precision_is_single_precision_rounded_once(self):
        for name, expression in schemes().items():
            shape = "37x23"
            single = np.load(io.BytesIO(init(expression, shape)))
            for dtype in ["f16", "bf16"]:
                with self.subTest(scheme=name, dtype=dtype):
                    half = typed(np.load(io.BytesIO(init(expression, shape, "--dtype", dtype))), dtype)
                    rounded = single.astype(DTYPES[dtype])
                    # A bounded distribution moves what was rounded past its bounds back inside.
                    values = half.astype(np.float64)
                    inside = np.clip(rounded.astype(np.float64), values.min(), values.max())
                    np.testing.assert_array_equal(half.astype(np.float64), inside)
