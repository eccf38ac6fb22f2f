"""Checkpoints of several files, as those who load them find them."""

import json
import struct

import numpy as np
from safetensors import safe_open

from support import Case, arrays, run

SHAPES = ["a=100x100", "big=200x200", "b=100x100", "c=90x100", "d=1", "e=50x50"]


class Checkpoints(Case):
    def test_every_file_is_loaded_and_holds_what_the_index_says(self):
        run("init", "normal", *SHAPES, "--max-shard-size", "64KB", "-o", f"{self.folder}/c/")
        index = json.loads((self.folder / "c/model.safetensors.index.json").read_text())
        expected = arrays("normal", *SHAPES)
        self.assertEqual(set(index["weight_map"]), set(expected))
        self.assertEqual(index["metadata"]["total_size"], sum(array.nbytes for array in expected.values()))
        self.assertEqual(index["metadata"]["total_parameters"], sum(array.size for array in expected.values()))
        for file in set(index["weight_map"].values()):
            with safe_open(self.folder / "c" / file, framework="numpy") as opened:
                self.assertEqual(opened.metadata()["format"], "pt")
                held = {name for name, other in index["weight_map"].items() if other == file}
                self.assertEqual(set(opened.keys()), held)
                for name in held:
                    np.testing.assert_array_equal(opened.get_tensor(name), expected[name])

    def test_the_index_is_what_json_dumps_writes(self):
        run("init", "zeros", "b=3", "é=4", "a😀=5", "--max-shard-size", "16", "-o", f"{self.folder}/c/")
        text = (self.folder / "c/model.safetensors.index.json").read_text()
        self.assertEqual(text, json.dumps(json.loads(text), indent=2, sort_keys=True) + "\n")

    def test_all_files_name_one_plan(self):
        run("init", "normal", *SHAPES, "--max-shard-size", "64KB", "-o", f"{self.folder}/c/")
        plans = set()
        for path in (self.folder / "c").glob("*.safetensors"):
            data = path.read_bytes()
            (length,) = struct.unpack("<Q", data[:8])
            metadata = json.loads(data[8 : 8 + length])["__metadata__"]
            self.assertEqual(list(metadata), ["fanin", "fanin_plan", "format"])
            plans.add(metadata["fanin_plan"])
        self.assertEqual(len(plans), 1)

    def test_sha256sum_passes_them(self):
        self.tool("sha256sum")
        run("init", "normal", *SHAPES, "--max-shard-size", "64KB", "--sha256", "-o", f"{self.folder}/c/")
        checked = self.shell("cd c && sha256sum -c --strict SHA256SUMS")
        self.assertEqual(checked.returncode, 0, checked.stderr)
        self.assertEqual(checked.stdout.count(": OK\n"), len(list((self.folder / "c").iterdir())) - 1)
