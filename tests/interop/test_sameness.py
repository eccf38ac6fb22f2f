"""The bytes are the same on every CPU, for any number of threads, any order of tensors and any environment."""

import os
import platform
import shlex
import subprocess
from pathlib import Path

from support import Case, DTYPES, FANIN, array, arrays, init, placed, run, schemes, takes

# One shape longer than any block of the generator, and small ones of every rank with a distribution.
TENSORS = ["long=130x101", "small=37x23", "conv=3x3x8x5"]
ANY_RANK = ["scalar=()", "vector=4099", "empty=0x5"]

LARGE = {
    "orthogonal:method=svd": ["64x64", "--dtype", "f64"],
    "orthogonal:method=householder": ["600x520"],
    "orthogonal": ["3x3x16x32", "--dtype", "f64"],
    "orthogonal:gain=relu,method=householder": ["32x16x3x3", "--layout", "torch", "--dtype", "f64"],
    "sparse:density=0.1": ["32x16x3x3", "--layout", "torch"],
    "spectral:density=0.1": ["150x150", "--dtype", "f64"],
    "spectral:density=1,distribution=uniform": ["90x90", "--dtype", "f64"],
    "he-normal:mode=fan-geo-avg": ["32x16x3x3", "--layout", "torch", "--dtype", "f64"],
    "glorot-uniform:gain=tanh": ["7x3x3x32", "--layout", "c01b", "--dtype", "bf16"],
    "truncated-normal:std=0.3,low=0.5": ["33333", "--dtype", "f64"],
}


# Distributions of the frameworks, with sizes that some draw in another way.
LIKE = {
    "normal:std=1": ["w=5", "v=7", "u=40000"],
    "standard-normal": ["w=5", "u=40000"],
    "uniform:low=-1,high=1": ["w=5", "u=40000"],
    "truncated-normal:std=1": ["w=5", "u=40000"],
    "truncated-normal:std=1,low=1.5,high=4": ["u=20000"],
    "exponential": ["u=20000"],
    "laplace": ["u=20000"],
    "cauchy": ["u=20000"],
    "lognormal": ["u=20000"],
    "gamma:shape=0.3": ["u=5000"],
    "student-t:dof=0.7": ["u=5000"],
    "sparse:sparsity=0.5,std=1": ["w=5x3", "u=100x100"],
    "orthogonal": ["w=24x24"],
    "stft": ["w=16x1x9"],
}


def likes():
    """The words that --like takes."""
    listed = run("list", "generators").stdout.decode().splitlines()
    return [line.split("--like ")[1].split(": ")[0] for line in listed if "--like " in line]


def environment(**more):
    return {**{name: value for name, value in os.environ.items() if name != "FANIN_CPU"}, **more}


def has(feature):
    """Whether the CPU says that it has a feature."""
    try:
        return feature in Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    except OSError:
        return False


def is_drawn(command):
    """False if the framework has no such distribution, or not in this type."""
    return subprocess.run([FANIN, "init", *command, "-q", "-o", "-"], capture_output=True, check=False).returncode == 0


class OtherProcessors(Case):
    def test_avx2_gives_the_same_bytes(self):
        if not has("avx512f"):
            self.skipTest("this CPU has no AVX-512, so AVX2 (or less) is what it takes anyhow")
        self.check(env=environment(FANIN_CPU="avx2"))

    def test_the_baseline_gives_the_same_bytes(self):
        self.check(env=environment(FANIN_CPU="baseline"))

    def test_a_cpu_of_2008_gives_the_same_bytes(self):
        if platform.machine() != "x86_64":
            self.skipTest("this is not an x86-64, so its old CPUs are not asked")
        self.check(program=(self.tool("qemu-x86_64"), "-cpu", "Nehalem", FANIN), env=environment())

    def test_a_program_for_another_cpu_gives_the_same_bytes(self):
        # Such as FANIN_ELSEWHERE="qemu-aarch64 -L /usr/aarch64-linux-gnu target/aarch64-unknown-linux-gnu/release/fanin".
        program = shlex.split(os.environ.get("FANIN_ELSEWHERE", ""))
        if not program:
            self.skipTest("FANIN_ELSEWHERE names no command that runs a program for another CPU")
        self.check(program=program, env=environment())

    def check(self, **other):
        for name, expression in schemes().items():
            tensors = TENSORS + [tensor for tensor in ANY_RANK if takes(expression, tensor)]
            for dtype in DTYPES:
                with self.subTest(scheme=name, dtype=dtype):
                    self.same([expression, *tensors, "--dtype", dtype, "--format", "safetensors"], other)
        for name, words in placed().items():
            for dtype in DTYPES:
                with self.subTest(scheme=name, dtype=dtype):
                    self.same([*words, "--dtype", dtype, "--format", "safetensors"], other)
        for expression, rest in LARGE.items():
            with self.subTest(scheme=expression):
                self.same([expression, *rest], other)
        with self.subTest("JSON"):
            self.same(["normal", "37x23", "--format", "json"], other)
        for like in likes():
            for expression, tensors in LIKE.items():
                for dtype in DTYPES:
                    with self.subTest(like=like, scheme=expression, dtype=dtype):
                        command = [expression, *tensors, "--like", like, "--dtype", dtype, "--format", "safetensors"]
                        if is_drawn(command):
                            self.same(command, other)

    def same(self, command, other):
        # One thread, as emulated threads are slow and threads have a test of their own.
        here, there = init(*command, env=environment()), init(*command, "--threads", 1, **other)
        self.assertEqual(here, there)


class OtherRuns(Case):
    def test_any_number_of_threads(self):
        tensors = {"orthogonal": "96x64", "orthogonal:method=householder": "300x200", "sparse:nonzeros=2": "700x400"}
        for name, expression in {**schemes(), **{key: key for key in tensors}}.items():
            shape = tensors.get(name, "96x64" if name == "orthogonal" else "700x400")
            for form in ["safetensors", "json"]:
                command = [expression, f"a={shape}", "b=5x3", f"c={shape}", "--format", form]
                alone = init(*command, "--threads", 1)
                for threads in [2, 3, 7, 64]:
                    with self.subTest(scheme=name, threads=threads, format=form):
                        path = self.folder / f"{threads}.{form}"
                        self.assertEqual(init(*command, "--threads", threads), alone)
                        init(*command, "--threads", threads, "-o", path, "--force", "--no-fsync")
                        self.assertEqual(path.read_bytes(), alone)

    def test_any_number_of_threads_for_schemes_of_certain_shapes(self):
        for name, words in placed().items():
            command = [*words, "--format", "safetensors"]
            for threads in [2, 7]:
                with self.subTest(scheme=name, threads=threads):
                    self.assertEqual(init(*command, "--threads", threads), init(*command, "--threads", 1))

    def test_the_order_of_tensors_and_those_beside_them(self):
        for name, expression in schemes().items():
            with self.subTest(scheme=name):
                there = arrays(expression, "a=37x23", "b=3x3x8x5", "c=90x70")
                back = arrays(expression, "c=90x70", "b=3x3x8x5", "more=7x7", "a=37x23")
                for key, values in there.items():
                    self.same_bits(values, back[key])
                self.same_bits(there["b"], array(expression, "b=3x3x8x5"))

    def test_an_unnamed_tensor_keeps_its_numbers_when_others_follow(self):
        there, more = arrays("normal", "5x5", "6x6"), arrays("normal", "5x5", "6x6", "7x7")
        self.assertEqual(list(more), ["weight", "weight_1", "weight_2"])
        for key, values in there.items():
            self.same_bits(values, more[key])

    def test_the_seed_and_the_name_change_every_number(self):
        base = array("normal", "a=100x100", dtype="f64")
        for other in [array("normal", "b=100x100", dtype="f64"), array("normal", "a=100x100", "--seed", "1", dtype="f64")]:
            self.assertFalse((base == other).any())

    def test_locale_time_zone_and_an_empty_environment(self):
        for form in ["npy", "npz", "json", "safetensors"]:
            command = ["init", "he-normal", "37x23", "--format", form]
            here = run(*command)
            for name, env in {
                "german": environment(LANG="de_DE.UTF-8", LC_ALL="de_DE.UTF-8", LC_NUMERIC="de_DE.UTF-8"),
                "turkish": environment(LC_ALL="tr_TR.UTF-8"),
                "kathmandu": environment(TZ="Asia/Kathmandu"),
                "empty": {},
            }.items():
                with self.subTest(environment=name, format=form):
                    there = run(*command, env=env)
                    self.assertEqual((here.stdout, here.stderr), (there.stdout, there.stderr))
