"""Raw values are mapped by their manifest, and are those of every other format."""

import json

import numpy as np

from support import Case, DTYPES, arrays, init, run

TENSORS = ["weight=37x23", "a/b=4x4", "größe=7", "a b=()", "empty=0x5", "last=3"]


class Raw(Case):
    def mapped(self, path):
        """The tensors by name, as any program with a JSON parser maps them."""
        manifest = json.loads(path.with_name(path.name + ".json").read_text(encoding="utf-8"))
        tensors = {}
        for name, entry in manifest["tensors"].items():
            dtype, shape = np.dtype(DTYPES[entry["dtype"]]).newbyteorder("<"), tuple(entry["shape"])
            self.assertEqual(entry["bytes"], dtype.itemsize * int(np.prod(shape)))
            self.assertEqual(entry["offset"] % 64, 0)
            # numpy.memmap maps no empty array.
            tensors[name] = (
                np.memmap(path, dtype=dtype, mode="r", offset=entry["offset"], shape=shape)
                if entry["bytes"]
                else np.empty(shape, dtype)
            )
        return manifest, tensors

    def test_numpy_maps_what_the_archive_of_the_same_plan_holds(self):
        for dtype in DTYPES:
            with self.subTest(dtype=dtype):
                path = self.folder / f"{dtype}.raw"
                init("normal", *TENSORS, "--dtype", dtype, "--seed", 7, "-o", path)
                manifest, mapped = self.mapped(path)
                loaded = arrays("normal", *TENSORS, "--seed", 7, dtype=dtype)
                self.assertEqual(list(mapped), list(loaded), "in the order of the plan")
                for name, values in loaded.items():
                    self.same_bits(np.asarray(mapped[name]).reshape(values.shape), values)
                self.assertEqual(manifest["fanin"]["seed"], "7")

    def test_what_lies_between_tensors_is_zero_and_nothing_follows_the_last(self):
        path = self.folder / "w.raw"
        init("ones", "a=3", "b=17", "-o", path)
        self.assertEqual(path.read_bytes(), np.ones(3, "<f4").tobytes() + bytes(52) + np.ones(17, "<f4").tobytes())

    def test_a_stream_and_any_number_of_threads_get_the_same_bytes(self):
        tensors = ["a=700x401", "b=()", "c=100001"]
        piped = init("normal", *tensors, "--format", "raw")
        for threads in [1, 2, 7]:
            path = self.folder / f"{threads}.raw"
            init("normal", *tensors, "--threads", threads, "-o", path)
            self.assertEqual(path.read_bytes(), piped)

    def test_the_manifest_says_nothing_of_where_it_lies(self):
        (self.folder / "other").mkdir()
        paths = [self.folder / "a.raw", self.folder / "other" / "b.bin"]
        for path in paths:
            run("mlp", "7-5-3", "-q", "--format", "raw", "-o", path)
        one, other = (path.with_name(path.name + ".json").read_bytes() for path in paths)
        self.assertEqual(one, other)
