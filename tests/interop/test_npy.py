"""`.npy` is byte for byte what numpy.save writes."""

import io
import random

import ml_dtypes
import numpy as np

from support import Case, DTYPES, array, init

SHAPES = [
    *["()", "1", "7", "3x4", "1x1x1", "2x3x4x5", "37x23", "1000000"],
    *["0", "0x0", "0x5", "5x0", "2x0x3", "0x3x0x2"],
    # The header's padding depends on the digits of the axes.
    *[f"{10**digits}x0" for digits in range(14)],
    *[f"{10**digits - 1}x0x{10**digits}" for digits in range(7)],
    *["x".join((["2"] * 5 + ["1"] * rank)[:rank]) for rank in range(1, 33)],
    *["x".join(["1"] * (rank - 1) + ["12"]) for rank in range(5, 33)],
]


def saved(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def random_shapes(count):
    """Shapes without elements: the header's length alone is of interest."""
    numbers = random.Random(22)
    for _ in range(count):
        axes, left = [], 2**48
        for _ in range(numbers.randint(0, 24)):
            axes.append(numbers.randint(1, min(left, 10 ** numbers.randint(0, 4))))
            left //= axes[-1]
        axes.insert(numbers.randint(0, len(axes)), 0)
        yield tuple(axes)


class Npy(Case):
    def test_headers_of_random_shapes_are_those_of_numpy_and_padded_to_64_bytes(self):
        residues = set()
        for number, axes in enumerate(random_shapes(1000)):
            dtype = ["f64", "f32", "f16"][number % 3]
            shape = "x".join(map(str, axes))
            with self.subTest(shape=shape, dtype=dtype):
                written = init("normal", shape, "--dtype", dtype)
                self.assertEqual(written, saved(np.empty(axes, DTYPES[dtype])))
                self.assertEqual(len(written) % 64, 0)
                # A newline ends it, and NumPy leaves room for the first axis to grow to 21 digits.
                residues.add((len(written.rstrip(b" \n")) + 1 + 21 - len(str(axes[0]))) % 64)
        self.assertEqual(len(residues), 64, "a length of header is missing: it may be the border")

    def test_any_shape_and_dtype_is_byte_identical_to_numpy_save(self):
        for shape in SHAPES:
            axes = tuple(map(int, shape.split("x"))) if shape != "()" else ()
            for dtype in ["f64", "f32", "f16"]:
                with self.subTest(shape=shape, dtype=dtype):
                    written = init("normal", shape, "--dtype", dtype)
                    loaded = np.load(io.BytesIO(written), allow_pickle=False)
                    self.assertEqual(loaded.shape, axes)
                    self.assertEqual(loaded.dtype, DTYPES[dtype])
                    self.assertEqual(written, saved(loaded))

    def test_bfloat16_loads_as_two_bytes_and_views_as_ml_dtypes(self):
        for shape in ["()", "7", "0x5", "37x23", "2x3x4x5"]:
            with self.subTest(shape=shape):
                written = init("normal", shape, "--dtype", "bf16")
                loaded = np.load(io.BytesIO(written), allow_pickle=False)
                self.assertEqual(loaded.dtype, np.dtype("V2"))
                viewed = loaded.view(ml_dtypes.bfloat16)
                self.same_bits(viewed, array("normal", shape).astype(ml_dtypes.bfloat16))
                self.assertEqual(written, saved(viewed), "not as numpy.save writes an array of ml_dtypes")

    def test_the_values_follow_the_header_at_an_address_that_maps(self):
        path = self.folder / "w.npy"
        init("normal", "37x23", "-o", path)
        mapped = np.load(path, mmap_mode="r")
        self.assertEqual(mapped.offset % 64, 0)
        self.same_bits(np.array(mapped), array("normal", "37x23"))

    def test_a_folder_takes_a_file_for_each_tensor(self):
        init("normal", "a=3x4", "deep/b=5", "-o", f"{self.folder}/out/")
        found = sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*.npy"))
        self.assertEqual(found, ["out/a.npy", "out/deep/b.npy"])
        self.same_bits(np.load(self.folder / "out/deep/b.npy"), array("normal", "deep/b=5"))
