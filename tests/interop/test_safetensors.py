"""safetensors files are byte for byte those of the official library."""

import json
import subprocess

import numpy as np
from safetensors.numpy import load_file, save

from support import Case, DTYPES, array, init, load_safetensors
from torch_python import torch_python

# In an order that the library would not leave them in.
TENSORS = ["w=37x23", "b=23", "a.weight=3x4x5", "größe=()", "empty=0x5", "B=2", "a/kernel:0=1x1"]


def metadata(data):
    return header(data)["__metadata__"]


def header(data):
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + length])


class Safetensors(Case):
    def test_the_library_reads_every_tensor(self):
        for dtype in DTYPES:
            with self.subTest(dtype=dtype):
                path = self.folder / f"{dtype}.safetensors"
                init("normal", *TENSORS, "--dtype", dtype, "-o", path)
                loaded = load_safetensors(path.read_bytes())
                self.assertEqual(sorted(loaded), sorted(tensor.split("=")[0] for tensor in TENSORS))
                from_file = load_file(path) if dtype != "bf16" else loaded
                for tensor in TENSORS:
                    name = tensor.split("=")[0]
                    self.same_bits(loaded[name], array("normal", tensor, dtype=dtype))
                    self.same_bits(from_file[name], loaded[name])

    def test_the_library_writes_the_same_bytes(self):
        for dtype in DTYPES:
            with self.subTest(dtype=dtype):
                data = init("normal", *TENSORS, "--dtype", dtype, "--format", "safetensors")
                tensors = load_safetensors(data)
                # The library writes the keys of its metadata in a new random order each time.
                saved = (save(tensors, metadata=metadata(data)) for _ in range(64))
                self.assertTrue(any(data == bytes(other) for other in saved), "never the bytes of the library")

    def test_values_begin_at_a_multiple_of_eight(self):
        for length in range(20):
            data = init("normal", f"{'n' * (length + 1)}=3", "--format", "safetensors")
            self.assertEqual(int.from_bytes(data[:8], "little") % 8, 0)

    def test_the_metadata_is_for_torch_and_holds_the_recipe(self):
        data = init("he-normal", "a=8x4", "b=4x2", "--seed", "7", "--layout", "torch", "--format", "safetensors")
        told = metadata(data)
        self.assertEqual(sorted(told), ["fanin", "format"])
        self.assertEqual(told["format"], "pt")
        recipe = json.loads(told["fanin"])
        tensor = {"scheme": "he-normal:gain=relu,mode=fan-in", "dtype": "f32", "layout": "oi"}
        self.assertEqual(
            recipe,
            {
                "schema": 1,
                "generator": "native-1",
                "seed": "7",
                "tensors": {"a": {**tensor, "shape": [8, 4]}, "b": {**tensor, "shape": [4, 2]}},
            },
        )

    def test_torch_reads_every_tensor_and_writes_the_same_bytes(self):
        python = torch_python(self, "torch, safetensors.torch")
        script = """
            import json, sys
            from safetensors.torch import load, load_file, save
            import torch
            path, metadata = sys.argv[1], json.loads(sys.argv[2])
            data = open(path, "rb").read()
            tensors = load_file(path)
            piped = load(data)
            assert sorted(piped) == sorted(tensors)
            same = any(save(tensors, metadata=metadata) == data for _ in range(64))
            values = {
                name: [str(tensor.dtype), list(tensor.shape), tensor.double().flatten().tolist()]
                for name, tensor in tensors.items()
            }
            assert all(torch.equal(piped[name], tensor) for name, tensor in tensors.items())
            print(json.dumps([same, values]))
        """
        script = "\n".join(line[12:] for line in script.splitlines())
        words = {"f64": "torch.float64", "f32": "torch.float32", "f16": "torch.float16", "bf16": "torch.bfloat16"}
        for dtype in DTYPES:
            with self.subTest(dtype=dtype):
                path = self.folder / f"{dtype}.safetensors"
                init("normal", *TENSORS, "--dtype", dtype, "-o", path)
                command = [python, "-c", script, path, json.dumps(metadata(path.read_bytes()))]
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 0, done.stderr)
                same, values = json.loads(done.stdout)
                self.assertTrue(same, "never the bytes of the library")
                for tensor in TENSORS:
                    drawn = array("normal", tensor, dtype=dtype)
                    word, shape, numbers = values[tensor.split("=")[0]]
                    self.assertEqual((word, shape), (words[dtype], list(drawn.shape)))
                    self.assertEqual(numbers, drawn.astype(np.float64).flatten().tolist())
