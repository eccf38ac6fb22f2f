"""`--like` on a CPU without fused multiply-add, for which glibc has other functions: values that differ are called approximate."""

import platform

from support import DTYPES, FANIN, Case, run

# Of every generator of a framework, and of any dtype; small tensors are drawn in another way than large ones by some.
LAWS = {
    "normal": ["normal:std=1", "w=5", "v=7", "u=100000"],
    "standard": ["standard-normal", "w=5", "u=100000"],
    "uniform": ["uniform:low=-1,high=1", "w=5", "u=100000"],
    "truncated": ["truncated-normal:std=1", "w=5", "u=40000"],
    "sparse": ["sparse:sparsity=0.5,std=1", "w=5x3", "u=100x100"],
    "orthogonal": ["orthogonal", "w=24x24"],
    "stft": ["stft", "w=16x1x9"],
}
CLOSE = "approximate"


class OtherFunctions(Case):
    def setUp(self):
        super().setUp()
        if platform.machine() != "x86_64":
            self.skipTest("this is not an x86-64, so its old CPUs are not asked")
        self.old = (self.tool("qemu-x86_64"), "-cpu", "Nehalem", FANIN)

    def test_what_is_not_said_to_be_close_is_equal(self):
        said, differ = set(), set()
        for like in likes():
            for distribution, words in LAWS.items():
                for dtype in DTYPES:
                    case = (like, distribution, dtype)
                    with self.subTest(like=like, distribution=distribution, dtype=dtype):
                        options = ["--like", like, "--dtype", dtype, "--seed", 7, "--threads", 1, "--format", "safetensors", "-o", "-"]
                        try:
                            here = run("init", *words, *options)
                        except AssertionError:
                            continue  # The framework has no such distribution, or not of this type.
                        there = run("init", *words, *options, program=self.old)
                        values = [data(done.stdout) for done in (here, there)]
                        if CLOSE in there.stderr.decode() and CLOSE not in here.stderr.decode():
                            said.add(case)
                        if values[0] != values[1]:
                            differ.add(case)
                            self.assertIn(CLOSE, there.stderr.decode())
        # Whichever functions this glibc has twice, those of torch's doubles are among them.
        self.assertIn(("torch", "normal", "f64"), said)
        self.assertIn(("torch", "normal", "f64"), differ)
        # And nothing is said in vain of types that lose the last bits of doubles.
        self.assertEqual([case for case in said if case[2] != "f64" and not case[0].endswith("tensorflow")], [])


def likes():
    """The words that --like takes."""
    listed = run("list", "generators").stdout.decode().splitlines()
    return [line.split("--like ")[1].split(": ")[0] for line in listed if "--like " in line]


def data(file):
    """The values of a safetensors file; what the header says of closeness is another matter."""
    return file[8 + int.from_bytes(file[:8], "little") :]
