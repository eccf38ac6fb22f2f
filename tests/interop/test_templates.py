"""Templates: files of safetensors and NumPy are copied, and those libraries read the result."""

import json
import subprocess

import ml_dtypes
import numpy as np
import safetensors
import safetensors.numpy
from support import Case, run
from torch_python import torch_python


class Templates(Case):
    def setUp(self):
        super().setUp()
        generator = np.random.default_rng(0)
        self.tensors = {
            "body.weight": generator.normal(size=(6, 4)).astype(np.float32),
            "body.ids": generator.integers(-(2**62), 2**62, size=(3, 2)),
            "body.mask": generator.integers(0, 2, size=5).astype(bool),
            "body.bytes": generator.integers(0, 256, size=(2, 3)).astype(np.uint8),
            "head.weight": generator.normal(size=(4, 3)).astype(np.float16),
        }
        (self.folder / "head.toml").write_text('[rules]\n"head.*" = "he-normal"\n')

    def refilled(self, source, target, *options):
        run("model", source, "--rules", "head.toml", "--keep", "body.*", "-q", "-o", target, *options, cwd=self.folder)
        return self.folder / target

    def check(self, loaded):
        self.assertEqual(set(loaded), set(self.tensors))
        for name, tensor in self.tensors.items():
            if name.startswith("body."):
                self.same_bits(loaded[name], tensor)
        self.assertEqual(loaded["head.weight"].dtype, np.float16)
        self.assertFalse(np.array_equal(loaded["head.weight"], self.tensors["head.weight"]))

    def test_what_safetensors_wrote_is_kept(self):
        safetensors.numpy.save_file(self.tensors, self.folder / "like.safetensors")
        self.check(safetensors.numpy.load_file(self.refilled("like.safetensors", "new.safetensors")))
        with np.load(self.refilled("like.safetensors", "new.npz")) as loaded:
            self.check({name: loaded[name] for name in loaded.files})

    def test_what_numpy_stored_is_kept(self):
        np.savez(self.folder / "like.npz", **self.tensors)
        self.check(safetensors.numpy.load_file(self.refilled("like.npz", "new.safetensors")))

    def test_a_copy_has_the_order_and_alignment_that_safetensors_writes(self):
        words = ["uint64", "int64", "float64", "float32", "uint32", "int32", "float16", "uint16", "int16", "int8", "uint8", "bool"]
        tensors = {f"{n}.{word}": np.ones((3, 8), word) for n, word in enumerate(words)}
        tensors["bf16"] = np.ones((3, 8), ml_dtypes.bfloat16)
        safetensors.numpy.save_file(tensors, self.folder / "like.safetensors")
        run("model", "like.safetensors", "--keep", "*", "-q", "-o", "new.safetensors", cwd=self.folder)
        places = [self.places(self.folder / name) for name in ("like.safetensors", "new.safetensors")]
        self.assertEqual(places[0], places[1])

    @staticmethod
    def places(path):
        """What the header says of each tensor."""
        data = path.read_bytes()
        safetensors.deserialize(data)  # as strict as the library is
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        return {name: spec for name, spec in header.items() if name != "__metadata__"}

    def test_weights_that_share_storage_are_drawn_once(self):
        make = "import torch; w = torch.randn(9, 4); torch.save({'wte': w, 'lm_head': w, 'other': w[1:]}, 'tied.pt')"
        subprocess.run([torch_python(self), "-c", make], cwd=self.folder, check=True)
        report = run("model", "tied.pt", "--rules", "moments", "-o", "new.safetensors", cwd=self.folder).stderr.decode()
        self.assertIn("lm_head is tied to wte and not written", report)
        self.assertEqual(set(safetensors.numpy.load_file(self.folder / "new.safetensors")), {"wte", "other"})
