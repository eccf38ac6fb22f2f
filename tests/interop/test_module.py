"""The Python module: its values are those of the program's files, and its errors the program's lines."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path
from unittest import mock

import numpy as np

from support import DTYPES, FANIN, Case, array, arrays, run

MODULE = Path(__file__).parents[2] / "scripts/wheel"
sys.path.insert(0, str(MODULE))
import fanin  # noqa: E402

SCHEMES = ["he-normal", "orthogonal", "truncated-normal:std=0.5", "zeros", "sparse:nonzeros=2", "torch.kaiming_uniform_:a=0.3"]


class ModuleCase(Case):
    """A test of the module with the program of the tests."""

    def setUp(self):
        super().setUp()
        self.environment(FANIN=FANIN)

    def environment(self, **variables):
        """Sets variables of the environment for this test."""
        patch = mock.patch.dict(os.environ, variables)
        patch.start()
        self.addCleanup(patch.stop)

    def refused(self, call, *arguments, **options):
        """The line of the error of a call."""
        with self.assertRaises(fanin.Error) as caught:
            call(*arguments, **options)
        line = str(caught.exception)
        self.assertNotIn("\n", line)
        self.assertNotIn("standard input", line)
        return line

    def program(self, script):
        """Makes a program of a shell script the one that the module runs."""
        path = self.folder / "program"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        self.environment(FANIN=str(path))
        return path

    def counted(self):
        """Makes the module run the program through one that counts its runs; returns the function that gives their number."""
        count = self.folder / "count"
        count.write_text("")
        self.program(f'case $1 in --version) ;; *) echo run >>"{count}" ;; esac\nexec "{FANIN}" "$@"')
        return lambda: len(count.read_text().split())

    def python(self, code, **options):
        """Runs code in a new Python that finds the module."""
        environment = {**os.environ, "PYTHONPATH": str(MODULE), **options}
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)


class Values(ModuleCase):
    def test_an_array_is_that_of_the_program(self):
        for dtype, numpy_type in DTYPES.items():
            for scheme in SCHEMES:
                with self.subTest(scheme=scheme, dtype=dtype):
                    drawn = fanin.init(scheme, (12, 8), seed=5, dtype=np.dtype(numpy_type).name)
                    self.same_bits(drawn, array(scheme, "12x8", "--seed", "5", dtype=dtype))

    def test_name_layout_and_fans_are_those_of_the_program(self):
        drawn = fanin.init("glorot-normal", (8, 4, 3, 3), seed=2**64 - 1, name="conv.weight", layout="torch")
        same = arrays("glorot-normal", "conv.weight=8x4x3x3", "--seed", str(2**64 - 1), "--layout", "torch")
        self.same_bits(drawn, same["conv.weight"])
        drawn = fanin.init("he-uniform", 8, fan_in=30, fan_out=8)
        self.same_bits(drawn, array("he-uniform", "8", "--fan-in", "30", "--fan-out", "8"))

    def test_shapes_of_no_axis_and_of_no_element(self):
        self.assertEqual(fanin.init("ones", ()).tolist(), 1.0)
        self.assertEqual(fanin.init("ones", (0, 3)).shape, (0, 3))
        both = fanin.tensors({"none": ("ones", (3, 0)), "two": ("ones", 2)})
        self.assertEqual((both["none"].shape, both["two"].tolist()), ((3, 0), [1.0, 1.0]))

    def test_a_slice_has_the_values_of_the_full_tensor(self):
        whole = fanin.init("orthogonal", (9, 7, 5), layout="iko")
        for part in [np.s_[2:4, :, 1:5], np.s_[:3], np.s_[:, 6:], np.s_[8:9, 0:1, 0:1], ()]:
            with self.subTest(part=part):
                self.same_bits(fanin.init("orthogonal", (9, 7, 5), layout="iko", slice=part), whole[part])
        self.same_bits(fanin.init("orthogonal", (9, 7, 5), layout="iko", slice="2:,:3"), whole[2:, :3])
        self.assertEqual(fanin.init("ones", (), slice=()).shape, ())

    def test_many_tensors_come_from_one_process_each_as_alone(self):
        runs = self.counted()
        specs = {
            "a.weight": ("he-normal", (6, 4)),
            "b{x}": {"scheme": "normal:std=2", "shape": 3, "dtype": "float16"},
            "ids": fanin.Spec("arange", (2, 5), dtype="int64"),
            "flag": fanin.Spec("ones", 3, dtype="bool"),
            "part": fanin.Spec("he-normal", (6, 4), layout="io", slice=np.s_[1:3]),
        }
        drawn = fanin.tensors(specs, seed=3, dtype="float64", layout="torch")
        self.assertEqual(runs(), 1)
        self.assertEqual(list(drawn), list(specs))
        self.same_bits(drawn["a.weight"], fanin.init("he-normal", (6, 4), seed=3, dtype="float64", name="a.weight", layout="torch"))
        self.same_bits(drawn["b{x}"], fanin.init("normal:std=2", 3, seed=3, dtype="float16", name="b{x}"))
        self.assertEqual((drawn["ids"].dtype, drawn["ids"][0].tolist()), (np.int64, [0, 1, 2, 3, 4]))
        self.assertEqual((drawn["flag"].dtype, drawn["flag"].tolist()), (np.bool_, [True] * 3))
        self.same_bits(drawn["part"], fanin.init("he-normal", (6, 4), seed=3, dtype="float64", name="part")[1:3])
        drawn["a.weight"][0, 0] = 1  # writeable

    def test_thousands_of_slices_come_from_one_process(self):
        runs = self.counted()
        specs = {f"expert.{n}": fanin.Spec("he-normal", (64, 16), slice=np.s_[n % 8 * 8 : n % 8 * 8 + 8]) for n in range(3000)}
        drawn = fanin.tensors(specs, seed=1)
        self.assertEqual(runs(), 1)
        self.same_bits(drawn["expert.2999"], fanin.init("he-normal", (64, 16), seed=1, name="expert.2999")[56:64])

    def test_a_plan_that_is_too_long_for_the_program_is_divided(self):
        runs = self.counted()
        with mock.patch("fanin._plan._LONGEST_PLAN", 1000):
            drawn = fanin.tensors({f"t{n}": ("normal:std=1", 2) for n in range(10)})
        self.assertGreater(runs(), 1)
        self.assertEqual(list(drawn), [f"t{n}" for n in range(10)])
        self.same_bits(drawn["t7"], fanin.init("normal:std=1", 2, name="t7"))


class Files(ModuleCase):
    def test_a_file_of_every_format_is_read(self):
        names = [line.split()[0] for line in run("list", "formats").stdout.decode().splitlines()]
        self.assertGreater(len(names), 5)
        for name in names:
            with self.subTest(format=name):
                path = self.folder / f"w.{name}"
                run("init", "he-normal", "weight=4x3", "--seed", "9", "-q", "-o", path)
                loaded = fanin.load(path)
                self.assertEqual(len(loaded), 1)
                layout = "torch" if name == "pt" else None
                [values] = loaded.values()
                self.same_bits(values, fanin.init("he-normal", (4, 3), seed=9, layout=layout))

    def test_types_and_names_are_read(self):
        path = self.folder / "w.npz"
        saved = {"a": np.arange(6).reshape(2, 3), "b": np.array(2.5), "c": np.array([True, False]), "d": np.zeros((0, 4), np.float16)}
        np.savez(path, **saved)
        loaded = fanin.load(path)
        self.assertEqual(set(loaded), set(saved))
        for name, values in saved.items():
            self.same_bits(loaded[name], values)

    def test_a_folder_of_a_checkpoint_is_read(self):
        run("init", "he-normal", "a=40x30", "b=30x40", "--dtype", "bf16", "--max-shard-size", "3000", "-q", "-o", f"{self.folder}/c/")
        loaded = fanin.load(f"{self.folder}/c")
        self.same_bits(loaded["b"], fanin.init("he-normal", (30, 40), name="b", dtype="bfloat16"))

    def test_verify_is_true_for_the_values_and_false_for_others(self):
        path = self.folder / "w.npy"
        np.save(path, fanin.init("he-normal", (4, 3), seed=9))
        same = fanin.verify(path, scheme="he-normal", seed=9, name="weight")
        self.assertTrue(same)
        other = fanin.verify(path, scheme="he-normal", seed=8, name="weight")
        self.assertFalse(other)
        self.assertEqual(other.report["tensors"][0]["count"], 12)
        run("init", "he-normal", "w=400x300", "-q", "-o", self.folder / "w.npz")
        self.assertTrue(fanin.verify(self.folder / "w.npz"))
        self.assertTrue(fanin.verify(self.folder / "w.npz", distribution=True))

    def test_a_file_that_cannot_be_read_is_an_error(self):
        (self.folder / "text.toml").write_text("a = 1\n")
        self.assertIn("text.toml` is not a weights file", self.refused(fanin.load, self.folder / "text.toml"))
        self.assertIn("does not exist", self.refused(fanin.load, "--force"))
        np.save(self.folder / "w.npy", np.zeros(3))
        self.assertIn("no provenance", self.refused(fanin.verify, self.folder / "w.npy"))


class Errors(ModuleCase):
    def test_wrong_arguments_are_errors_of_one_line_in_the_user_s_words(self):
        for arguments, options, words in [
            (("he-norml", (2, 2)), {}, "unknown scheme `he-norml`; did you mean `he-normal`?"),
            (("he-normal", (3,)), {}, "fan_in is unknown"),
            (("zeros", (2, -1)), {}, "`-1` is not a size"),
            (("zeros", (1 << 60,)), {}, "2^48 elements"),
            (("zeros", 2), {"seed": -1}, "seed `-1`"),
            (("zeros", 2), {"seed": 2**64}, "seed"),
            (("zeros", 2), {"seed": "random"}, "seed `random` is not an integer"),
            (("zeros", 2), {"seed": 1.5}, "seed `1.5` is not an integer"),
            (("zeros", 2), {"seed": True}, "seed `True` is not an integer"),
            (("zeros", 2), {"dtype": "float8_e4m3fn"}, "type `float8_e4m3fn` cannot be drawn"),
            (("normal:std=1", 2), {"dtype": "int32"}, "weight"),
            (("zeros", 2), {"layout": "oxo"}, "unknown layout `oxo`"),
            (("zeros", 2), {"name": ""}, "name is empty"),
            (("zeros", (2, 2)), {"slice": "0:3"}, "`0:3` ends past axis 0 of `weight=2x2`"),
            (("zeros", (2, 2)), {"slice": np.s_[1:1]}, "empty"),
            (("zeros", (2, 2)), {"slice": np.s_[:, :, :]}, "3 ranges for the 2 axes"),
            (("zeros", (2, 2)), {"slice": np.s_[::2]}, "step 1"),
            (("zeros", (2, 2)), {"slice": np.s_[-1:]}, "a range is a:b"),
            (("zeros", (2, 2)), {"slice": np.s_[0]}, "slice"),
            (("zeros", (2, 2)), {"slice": "0-1"}, "a range is a:b"),
        ]:
            with self.subTest(arguments=arguments, options=options):
                self.assertIn(words, self.refused(fanin.init, *arguments, **options))
        self.assertIn("`a`: use a fanin.Spec", self.refused(fanin.tensors, {"a": "zeros"}))
        self.assertIn("`a`: use a fanin.Spec", self.refused(fanin.tensors, {"a": {"scheme": "zeros", "sahpe": 3}}))

    def test_a_plan_that_is_too_large_for_memory_is_refused_before_it_is_allocated(self):
        self.assertIn("2^48", self.refused(fanin.tensors, {"a": ("zeros", 1 << 40), "b": ("zeros", 1 << 50)}))

    def test_an_error_is_a_value_error(self):
        self.assertTrue(issubclass(fanin.Error, ValueError))


class Program(ModuleCase):
    def test_a_program_of_another_version_is_refused(self):
        self.program("echo fanin 0.0.9")
        self.assertIn(f"is `fanin 0.0.9`, but this module needs fanin {fanin.__version__}", self.refused(fanin.init, "zeros", 2))

    def test_another_program_and_one_that_does_not_start_are_refused(self):
        path = self.program("exit 3")
        self.assertIn("is `exit status 3`", self.refused(fanin.init, "zeros", 2))
        path.chmod(0o644)
        os.environ["FANIN"] += "-missing"
        self.assertIn("does not start", self.refused(fanin.init, "zeros", 2))

    def test_the_program_is_found_beside_the_interpreter_then_in_the_path(self):
        found = "import fanin._program as p; print(p.path())"
        folder = self.folder / "bin"
        folder.mkdir()
        (folder / "fanin").symlink_to(FANIN)
        environment = {"FANIN": "", "PATH": str(folder)}
        self.assertEqual(self.python(found, **environment).stdout.strip(), str(folder / "fanin"))
        nowhere = self.python("import fanin\ntry: fanin.init('zeros', 2)\nexcept fanin.Error as error: print(error)", FANIN="", PATH="")
        self.assertIn("is not installed", nowhere.stdout)
        copy = self.folder / "target"
        copy.mkdir()
        (copy / "fanin").symlink_to(MODULE / "fanin")
        (copy / "bin").symlink_to(folder)
        beside = f"import sys; sys.path.insert(0, {str(copy)!r}); {found}"
        self.assertEqual(self.python(beside, FANIN="", PATH="", PYTHONPATH="").stdout.strip(), str(copy / "bin/fanin"))

    def test_a_program_that_dies_is_an_error(self):
        self.program(f'case $1 in --version) exec "{FANIN}" --version ;; esac\nkill -9 $$')
        self.assertEqual(self.refused(fanin.init, "zeros", 2), "fanin ended with signal 9")

    def test_a_program_that_writes_too_little_is_an_error(self):
        self.program(f'case $1 in --version) exec "{FANIN}" --version ;; esac\ncat >/dev/null; echo short')
        self.assertIn("fewer bytes", self.refused(fanin.init, "zeros", 200))

    def test_nothing_is_left_after_an_interrupt(self):
        pid = self.folder / "pid"
        self.program(f'case $1 in --version) ;; *) echo $$ >"{pid}" ;; esac\nexec "{FANIN}" "$@"')
        # A shell that starts the tests in the background has it ignored.
        code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        code += "import fanin\nfanin.init('normal:std=1', (1 << 14, 1 << 17))"
        # A process group of its own: the signal reaches Python alone.
        python = subprocess.Popen(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(MODULE), "TMPDIR": str(self.folder)},
            stderr=subprocess.PIPE, start_new_session=True,
        )
        with contextlib.closing(python.stderr):
            while not pid.exists() or not pid.read_text():
                self.assertIsNone(python.poll())
                time.sleep(0.01)
            time.sleep(0.2)
            python.send_signal(signal.SIGINT)
            self.assertIn(b"KeyboardInterrupt", python.stderr.read())
            python.wait()
        self.assertRaises(ProcessLookupError, os.kill, int(pid.read_text()), 0)
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["pid", "program"])


class Imports(ModuleCase):
    def test_the_module_imports_no_other_package(self):
        blocked = "import sys\nfor name in ['numpy', 'torch', 'jax', 'keras', 'ml_dtypes']: sys.modules[name] = None\nimport fanin\n"
        run("init", "he-normal", "weight=4x3", "-q", "-o", self.folder / "w.npz")
        done = self.python(f"{blocked}print(bool(fanin.verify({str(self.folder / 'w.npz')!r})))")
        self.assertEqual((done.stdout, done.stderr), ("True\n", ""))
        done = self.python(f"{blocked}fanin.init('zeros', 2)")
        self.assertIn("numpy", done.stderr.splitlines()[-1])

    def test_a_type_that_numpy_lacks_needs_ml_dtypes(self):
        code = "import sys\nsys.modules['ml_dtypes'] = None\nimport fanin\ntry: fanin.init('zeros', 2, dtype='bfloat16')\n"
        done = self.python(code + "except fanin.Error as error: print(error)")
        self.assertEqual(done.stdout, "NumPy has no type `bfloat16`: install the package ml_dtypes, or use another type\n", done.stderr)


if __name__ == "__main__":
    unittest.main()
