"""Whatever PyTorch saves is read as PyTorch reads it, in every format and protocol, or refused by its name."""

import json
import subprocess

from support import FANIN, Case, run
from torch_python import torch_python

# Saves files in many ways; prints the name, type, shape and bytes of each tensor that is in each file.
SAVE = """
import argparse, collections, datetime, enum, functools, json, pathlib, sys, warnings
import numpy, torch
warnings.simplefilter("ignore")
torch.manual_seed(1)
model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2).half())
state = model.state_dict()
optimizer = torch.optim.Adam(list(model[0].parameters()))
model[0](torch.randn(5, 3)).sum().backward()
optimizer.step()
whole = torch.arange(24.0).reshape(4, 6)
shared = {"w": whole}
around = {"t": torch.ones(2)}
around["self"] = around
attributed, parameter = torch.ones(3), torch.nn.Parameter(whole)
attributed.note, parameter.note = "x", {"a": 1}
complex_ = torch.complex(torch.arange(6.0), -torch.arange(6.0)).reshape(2, 3)
types = "uint8 int8 int16 int32 int64 uint16 uint32 uint64 bool float16 bfloat16 float64 complex64".split()
types += ["float8_e4m3fn", "float8_e5m2", "float8_e8m0fnu"]
others = {
    "args": argparse.Namespace(lr=0.1, betas=[0.9, 0.999]), "when": datetime.datetime(2020, 1, 1), "scalar": numpy.float64(3.5),
    "array": numpy.arange(5), "kind": enum.Enum("Kind", "A"), "call": functools.partial(max, 1), "size": torch.Size([2, 3]),
    "device": torch.device("cpu"), "dtype": torch.float32, "none": None, "float": 1.5, "large": 10**40, "set": {1, 2},
    "frozen": frozenset([1]), "bytes": b"abc", "array of bytes": bytearray(b"abc"), "complex": 1 + 2j, "path": pathlib.Path("x"),
    "counts": collections.Counter("abc"), "default": collections.defaultdict(int, a=1), "random": torch.get_rng_state().tolist(),
}
others.pop("kind")  # a class of this script alone
read = {
    "state": state,
    "parallel": collections.OrderedDict(("module." + name, value) for name, value in state.items()),
    "checkpoint": {"model": state, "epoch": 3, "step": 5, "optimizer": optimizer.state_dict(), **others},
    "views": {
        "transposed": whole.T, "part": whole[1:3, 2:5], "steps": whole[::2, ::3], "row": whole[2], "none": whole[:0],
        "one": whole[1, 2], "expanded": torch.ones(3, 1).expand(3, 5), "permuted": whole.reshape(2, 3, 4).permute(2, 0, 1),
        "last": torch.arange(48.0).reshape(2, 2, 3, 4).contiguous(memory_format=torch.channels_last), "same": whole,
        "overlapping": torch.arange(6.0).as_strided((3, 2), (2, 1)),
    },
    "flags": {"neg": torch._neg_view(torch.arange(4.0)), "conj": complex_.conj(), "both": torch._neg_view(complex_.clone().conj())},
    "imaginary": {"part": complex_.conj().imag},
    "alone": whole, "list": [torch.ones(2), (torch.zeros(3), {"a": whole})], "keys": {0: whole, -1: {True: whole, None: whole}},
    "parameter": {"p": torch.nn.Parameter(whole), "note": parameter, "attributed": attributed},
    "types": {word: torch.arange(4).to(getattr(torch, word)) for word in types},
    "shared": {"a": shared, "b": shared}, "around": around,
}
refused = {
    "quantized": {"q": torch.quantize_per_tensor(whole, 0.1, 3, torch.qint8)},
    "sparse": {"s": torch.eye(3).to_sparse()}, "compressed": {"s": torch.eye(3).to_sparse_csr()},
    "meta": {"m": torch.empty(2, device="meta")}, "module": model, "within": {"model": model, "epoch": 1},
    "nested": {"n": torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])}, "numbers": {"epoch": 1, "lr": [0.1]},
}
ways = {
    "zip": {}, "zip3": {"pickle_protocol": 3}, "zip4": {"pickle_protocol": 4}, "zip5": {"pickle_protocol": 5},
    "old": {"_use_new_zipfile_serialization": False}, "old4": {"_use_new_zipfile_serialization": False, "pickle_protocol": 4},
}
def named(value, name=""):
    if isinstance(value, torch.Tensor):
        yield name or "weight", value.detach().resolve_conj().resolve_neg().contiguous()
    elif isinstance(value, (dict, list, tuple)) and len(name) < 20:
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            if inner is not value:
                yield from named(inner, f"{name}.{key}" if name else str(key))
def bytes_of(tensor):
    return bytes(tensor.reshape(-1).view(torch.uint8).tolist()).hex()
told = {}
for name, value in {**read, **refused}.items():
    for way, options in ways.items():
        torch.save(value, f"{sys.argv[1]}/{name}.{way}.pt", **options)
        told[f"{name}.{way}.pt"] = {
            key: [str(tensor.dtype), list(tensor.shape), bytes_of(tensor)] for key, tensor in named(value)
        } if name in read else None
torch.jit.save(torch.jit.script(model), f"{sys.argv[1]}/script.pt")
print(json.dumps(told))
"""
TYPES = {
    "F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "BOOL": "bool", "C64": "complex64",
    "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2", "F8_E8M0": "float8_e8m0fnu",
    **{f"I{bits}": f"int{bits}" for bits in (8, 16, 32, 64)}, **{f"U{bits}": f"uint{bits}" for bits in (8, 16, 32, 64)},
}  # fmt: skip
# What the message on each kind says.
NAMES = {
    "quantized": "quantized", "sparse": "sparse", "compressed": "sparse", "meta": "meta device", "nested": "nested tensor",
    "module": "whole module of `torch.nn.modules.container.Sequential`", "within": "`model` is a whole module",
    "numbers": "it holds no tensors, only `epoch`, `lr`", "script": "TorchScript",
}  # fmt: skip


def held(path):
    """Name, type, shape and bytes of the tensors of a safetensors file."""
    data = path.read_bytes()
    begin = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:begin])
    header.pop("__metadata__", None)
    told = {}
    for name, info in header.items():
        first, end = info["data_offsets"]
        told[name] = [f"torch.{TYPES[info['dtype']]}", info["shape"], data[begin + first : begin + end].hex()]
    return told


class TorchFiles(Case):
    def test_what_torch_saves_is_read_in_every_format_and_protocol_or_refused_by_name(self):
        done = subprocess.run([torch_python(self), "-c", SAVE, self.folder], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        for file, expected in {**json.loads(done.stdout), "script.pt": None}.items():
            with self.subTest(file=file):
                path, kept = self.folder / file, self.folder / f"{file}.safetensors"
                if expected is None:
                    done = subprocess.run([FANIN, "inspect", path], capture_output=True, text=True, check=False)
                    self.assertEqual(done.returncode, 2)
                    self.assertIn(NAMES[file.split(".")[0]], done.stderr)
                    continue
                listed = json.loads(run("inspect", "--json", path).stdout)
                self.assertEqual([row["name"] for row in listed["tensors"]], list(expected))
                # Notes are of entries without tensors, and of the figures of complex values.
                self.assertEqual(bool(listed["notes"]), file.startswith(("checkpoint", "around", "flags", "types")))
                run("model", path, "--keep", "*", "-q", "-o", kept)
                self.assertEqual(held(kept), expected)
