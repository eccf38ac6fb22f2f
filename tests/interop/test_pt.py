"""`.pt` is a state dict that PyTorch loads safely and by mapping; and state dicts of PyTorch are read."""

import io
import json
import pickletools
import subprocess
import zipfile

import numpy as np

from support import Case, DTYPES, array, init, members, run
from torch_python import torch_python

NAMES = {
    "weight": "37x23",
    "model.layers.0.self_attn.q_proj.weight": "4x4",
    "größe": "7",
    "a b": "()",
    "empty": "0x5",
    "hollow": "2x0x3",
}
TENSORS = [f"{name}={shape}" for name, shape in NAMES.items()]

# Loads a file in each way and prints name, type, shape, stride and values.
LOAD = """
import io, json, sys, torch
path = sys.argv[1]
ways = [
    torch.load(path, weights_only=True),
    torch.load(path, weights_only=True, mmap=True),
    torch.load(io.BytesIO(open(path, 'rb').read()), weights_only=True),
]
message = [
    {name: [str(t.dtype), list(t.shape), t.is_contiguous(), t.double().flatten().tolist()] for name, t in way.items()}
    for way in ways
]
aligned = all(t.data_ptr() % 64 == 0 for t in ways[1].values() if t.numel())
print(json.dumps([type(ways[0]).__name__, message[0] == message[1] == message[2], aligned, message[0]]))
"""

class Pt(Case):
    def test_the_archive_is_sound_and_its_pickle_is_one_that_python_understands(self):
        archive = members(init("normal", *TENSORS, "--format", "pt"))
        self.assertIsNone(archive.testzip())
        names = archive.namelist()
        self.assertEqual(names[:3], ["archive/data.pkl", "archive/byteorder", "archive/fanin.json"])
        self.assertEqual(names[3:], [f"archive/data/{number}" for number in range(len(NAMES))] + ["archive/version"])
        pickle = archive.read("archive/data.pkl")
        self.assertEqual(sum(opcode.name == "REDUCE" for opcode, _, _ in pickletools.genops(pickle)), 1 + 2 * len(NAMES))
        pickletools.dis(pickle, out=io.StringIO())
        self.assertEqual(archive.read("archive/version"), b"3\n")

    def test_each_storage_is_a_tensor_and_begins_at_a_multiple_of_64(self):
        data = init("normal", *TENSORS, "--format", "pt")
        archive = members(data)
        for number, (name, shape) in enumerate(NAMES.items()):
            info = archive.getinfo(f"archive/data/{number}")
            header = data[info.header_offset :]
            begin = info.header_offset + 30 + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
            self.assertEqual((begin % 64, info.compress_type), (0, zipfile.ZIP_STORED))
            values = data[begin : begin + info.file_size]
            self.assertEqual(values, array("normal", f"{name}={shape}").tobytes())

    def test_the_recipe_lies_in_a_member_of_its_own(self):
        archive = members(init("he-normal", "a=8x4", "--seed", 2**64 - 1, "--format", "pt"))
        recipe = json.loads(archive.read("archive/fanin.json"))
        self.assertEqual((recipe["seed"], list(recipe["tensors"])), ("18446744073709551615", ["a"]))

    def test_a_file_a_pipe_and_any_number_of_threads_get_the_same_bytes(self):
        tensors = ["a=700x400", "b=()", "c=0x5", "d=100001"]
        piped = init("normal", *tensors, "--format", "pt")
        for threads in [1, 2, 7]:
            path = self.folder / f"{threads}.pt"
            init("normal", *tensors, "--threads", threads, "-o", path)
            self.assertEqual(path.read_bytes(), piped)

    def test_torch_loads_it_safely_and_by_mapping(self):
        python = torch_python(self)
        words = {"f64": "torch.float64", "f32": "torch.float32", "f16": "torch.float16", "bf16": "torch.bfloat16"}
        for dtype in DTYPES:
            with self.subTest(dtype=dtype):
                path = self.folder / f"{dtype}.pt"
                init("normal", *TENSORS, "--dtype", dtype, "-o", path)
                kind, same, aligned, values = self.message(python, LOAD, path)
                self.assertEqual((kind, same, aligned), ("OrderedDict", True, True))
                self.assertEqual(list(values), list(NAMES), "in the order of the plan")
                for tensor in TENSORS:
                    drawn = array("normal", tensor, dtype=dtype)
                    word, shape, contiguous, numbers = values[tensor.split("=")[0]]
                    self.assertEqual((word, shape, contiguous), (words[dtype], list(drawn.shape), True))
                    self.assertEqual(numbers, drawn.astype(np.float64).flatten().tolist())

    def test_torch_loads_more_tensors_than_a_batch_or_a_zip_directory_of_16_bits_holds(self):
        python = torch_python(self)
        sizes = "-".join(["1"] * 33_001)
        path = self.folder / "many.pt"
        run("mlp", sizes, "-q", "--layout", "torch", "-o", path)
        script = "import sys, torch; d = torch.load(sys.argv[1], weights_only=True); print(len(d), list(d)[-1])"
        done = subprocess.run([python, "-c", script, path], capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout.split(), ["66000", "65998.bias"])

    def test_a_perceptron_loads_into_the_modules_of_torch(self):
        python = torch_python(self)
        path = self.folder / "mlp.pt"
        run("mlp", "7-5-4-3", "-q", "-o", path)
        script = """
import sys, torch
from torch.nn import Linear, ReLU, Sequential
model = Sequential(Linear(7, 5), ReLU(), Linear(5, 4), ReLU(), Linear(4, 3))
print(model.load_state_dict(torch.load(sys.argv[1], weights_only=True, mmap=True), strict=True))
"""
        done = subprocess.run([python, "-c", script, path], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout.strip()), (0, "<All keys matched successfully>"), done.stderr)

    def message(self, python, script, path):
        done = subprocess.run([python, "-c", script, path], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)
