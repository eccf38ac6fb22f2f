"""The forms in which a shell hands the bytes on."""

from support import Case


class Pipes(Case):
    def test_npy_into_numpy(self):
        python = "import io, sys, numpy as np; print(np.load(io.BytesIO(sys.stdin.buffer.read())).shape)"
        done = self.shell(f"fanin init he-normal 784x256 | python -c '{python}'")
        self.assertEqual((done.returncode, done.stdout), (0, "(784, 256)\n"))

    def test_safetensors_into_the_library(self):
        python = "import sys; from safetensors.numpy import load; print(load(sys.stdin.buffer.read())[\"b\"].shape)"
        done = self.shell(f"fanin init he-normal a=784x256 b=256x10 --format safetensors | python -c '{python}'")
        self.assertEqual((done.returncode, done.stdout), (0, "(256, 10)\n"))

    def test_npz_and_json_into_python(self):
        python = "import io, sys, numpy as np; print(np.load(io.BytesIO(sys.stdin.buffer.read())).files)"
        done = self.shell(f"fanin init he-normal a=784x256 b=256x10 -o - --format npz | python -c '{python}'")
        self.assertEqual((done.returncode, done.stdout), (0, "['a', 'b']\n"))
        python = "import json, sys; print(json.load(sys.stdin)[\"tensors\"][\"a\"][\"shape\"])"
        done = self.shell(f"fanin init he-normal a=4x3 --format json | python -c '{python}'")
        self.assertEqual((done.returncode, done.stdout), (0, "[4, 3]\n"))

    def test_a_reader_that_closes_early_is_met_quietly(self):
        for name in ["npy", "npz", "json", "safetensors"]:
            with self.subTest(format=name):
                done = self.shell(
                    f"fanin init normal 2000x2000 --format {name} | head -c 100 > head; echo ${{PIPESTATUS[*]}}"
                )
                self.assertEqual((done.stdout, done.stderr), ("141 0\n", ""))
                self.assertEqual((self.folder / "head").stat().st_size, 100)

    def test_a_full_device_is_an_error(self):
        done = self.shell("fanin init normal 2000x2000 -q > /dev/full")
        self.assertEqual(done.returncode, 75)
        self.assertRegex(done.stderr, r"^fanin: .*No space left on device.*\n$")
