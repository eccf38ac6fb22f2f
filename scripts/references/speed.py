"""The speed of `fanin --like FRAMEWORK` against the framework in its own process on all threads, in interleaved pairs."""

import json
import os
import statistics
import subprocess
import time
from pathlib import Path

from frameworks import FRAMEWORKS, QUIET, ROOT

PAGE = ROOT / "docs" / "parity.md"
BEGIN, END = "<!-- speed -->\n", "<!-- end -->"
HEADER = ["`--like`", "what is drawn", "elements", "fanin", "framework", "times as fast", "spread", "peak of 4 GiB"]

# Runs statements that come on its standard input, and says how many seconds each took after one that was not counted.
SERVER = """
import json, sys, time
space = {}
for line in sys.stdin:
    setup, statement = json.loads(line)
    exec(setup, space)
    begun = time.perf_counter()
    exec(statement, space)
    print(time.perf_counter() - begun, file=sys.stderr, flush=True)
"""

TORCH = "import torch; t = torch.empty({n}, dtype=torch.{t}) if 't' not in globals() or (t.numel(), t.dtype) != ({n}, torch.{t}) else t"
NUMPY = "import numpy as np; g = np.random.default_rng(0); a = np.empty({n}, np.{t})"
LEGACY = "import numpy as np; np.random.seed(0)"
JAX = "import jax; from jax import numpy as jnp; jax.config.update('jax_enable_x64', False); key = jax.random.key(0)"
FLOW = "import tensorflow as tf"
KERAS = "import keras; I = keras.initializers; f = keras.ops.convert_to_numpy"
LASAGNE = "import sys; sys.path.insert(0, {references!r}); import lasagne_reference as L; import numpy as np; np.random.seed(0)"
M = 1 << 20

# The framework to start; what follows --like, the words of fanin and the dtype; how many elements; the framework's own.
ROWS = [
    ("torch", "torch", "normal:std=1", "f32", 64 * M, TORCH, "t.normal_()"),
    ("torch", "torch", "uniform:low=0,high=1", "f32", 64 * M, TORCH, "t.uniform_()"),
    ("torch", "torch", "truncated-normal:std=1,low=-2,high=2", "f32", 16 * M, TORCH, "torch.nn.init.trunc_normal_(t)"),
    ("torch", "torch", "normal:std=1", "bf16", 64 * M, TORCH, "t.normal_()"),
    ("torch", "torch", "normal:std=1", "f64", 16 * M, TORCH, "t.normal_()"),
    ("numpy", "numpy", "standard-normal", "f32", 32 * M, NUMPY, "g.standard_normal(dtype=np.float32, out=a)"),
    ("numpy", "numpy", "standard-normal", "f64", 32 * M, NUMPY, "g.standard_normal(out=a)"),
    ("numpy", "numpy", "standard-uniform", "f32", 64 * M, NUMPY, "g.random(dtype=np.float32, out=a)"),
    ("numpy", "numpy", "standard-uniform", "f64", 64 * M, NUMPY, "g.random(out=a)"),
    ("numpy", "numpy-legacy", "normal:std=1", "f64", 16 * M, LEGACY, "np.random.randn({n})"),
    ("numpy", "numpy-legacy", "uniform:low=0,high=1", "f64", 32 * M, LEGACY, "np.random.rand({n})"),
    ("jax", "jax", "uniform:low=0,high=1", "f32", 64 * M, JAX, "jax.random.uniform(key, ({n},)).block_until_ready()"),
    ("jax", "jax", "normal:std=1", "f32", 64 * M, JAX, "jax.random.normal(key, ({n},)).block_until_ready()"),
    ("jax", "jax", "truncated-normal:std=1", "f32", 64 * M, JAX, "jax.random.truncated_normal(key, -2, 2, ({n},)).block_until_ready()"),
    ("tensorflow", "tensorflow", "normal:std=1", "f32", 64 * M, FLOW, "tf.random.stateless_normal(({n},), seed=[1, 2]).numpy()"),
    ("tensorflow", "tensorflow", "uniform:low=0,high=1", "f32", 64 * M, FLOW, "tf.random.stateless_uniform(({n},), seed=[1, 2]).numpy()"),
    ("lasagne", "lasagne", "GlorotUniform", "f32", 16 * M, LASAGNE, "L.init.GlorotUniform().sample((4096, {n} // 4096))"),
    *(
        (f"keras-{name}", f"keras:{name}", "RandomNormal", "f32", 32 * M, KERAS, "f(I.RandomNormal(seed=1)(({n} // 4096, 4096)))")
        for name in ("jax", "tensorflow", "torch", "numpy")
    ),
]
# Those that draw one number after the other: a file of theirs takes no more memory, however large.
IN_ORDER = ("torch", "numpy", "numpy-legacy", "lasagne", "keras:torch")
TYPES = {"f32": ("float32", 4), "f64": ("float64", 8), "bf16": ("bfloat16", 2)}


def command(program, like, scheme, dtype, elements):
    shape = f"{elements // 4096}x4096"
    return [str(program), "init", scheme, shape, "--like", like, "--dtype", dtype, "--seed", "1", "--format", "raw", "-q", "-o", "-"]


def drawn(words):
    """The seconds that a whole run takes, and the most memory that it had, in bytes."""
    begun = time.perf_counter()
    child = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - begun
    if status != 0:
        raise RuntimeError(" ".join(words))
    return seconds, usage.ru_maxrss * 1024


class Peer:
    """A Python process that has a framework loaded and times statements in itself."""

    def __init__(self, name, python):
        environment = {**os.environ, **QUIET, **FRAMEWORKS[name][2]}
        self.process = subprocess.Popen(
            [python, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment, text=True
        )

    def seconds(self, setup, statement):
        self.process.stdin.write(json.dumps([setup, statement]) + "\n")
        self.process.stdin.flush()
        said = []
        # Frameworks talk on standard error too.
        for line in self.process.stderr:
            try:
                return float(line)
            except ValueError:
                said.append(line)
        raise RuntimeError("".join(said))

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def row(program, peer, entry, pairs):
    """The cells of a row but the last."""
    _, like, scheme, dtype, elements, setup, statement = entry
    kind, width = TYPES[dtype]
    references = str(Path(__file__).resolve().parent)
    setup, statement = (text.format(n=elements, t=kind, references=references) for text in (setup, statement))
    words = command(program, like, scheme, dtype, elements)
    drawn(words), peer.seconds(setup, statement)
    taken = [(drawn(words)[0], peer.seconds(setup, statement)) for _ in range(pairs)]
    ours, theirs = (statistics.median(side) for side in zip(*taken))
    ratios = [their / our for our, their in taken]
    speed = lambda seconds: f"{elements * width / seconds / 1e9:.2f} GB/s"
    told = f"`{scheme.split(':')[0]}` {dtype}"
    middle = statistics.median(ratios)
    spread = f"{min(ratios):.2f} .. {max(ratios):.2f}"
    return [f"`{like}`", told, f"{elements >> 20} Mi", speed(ours), speed(theirs), f"{middle:.2f}", spread]


def measured(program, python, name, pairs, only=""):
    """The rows of a framework."""
    entries = [entry for entry in ROWS if entry[0] == name and only in f"{entry[1]} {entry[2]} {entry[3]}"]
    if not entries:
        return
    peer = Peer(name, python)
    seen = set()
    for entry in entries:
        cells = row(program, peer, entry, pairs)
        like, scheme, dtype = entry[1:4]
        # The first row of an engine tells of a tensor of 4 GiB.
        peak = ""
        if like in IN_ORDER and like not in seen:
            peak = f"{drawn(command(program, like, scheme, dtype, (4 << 30) // TYPES[dtype][1]))[1] / 2**20:.0f} MiB"
        seen.add(like)
        yield [*cells, peak]
    peer.end()


def line(cells):
    return f"| {' | '.join(cells)} |\n"


def write(rows):
    """Renews those rows of the page, and leaves the others as they are."""
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    table, after = rest.split(END, 1)
    found = ([cell.strip() for cell in text.split("|")[1:-1]] for text in table.splitlines()[2:])
    had = {tuple(cells[:2]): cells for cells in found}
    had |= {tuple(cells[:2]): cells for cells in rows}
    order = [(f"`{entry[1]}`", f"`{entry[2].split(':')[0]}` {entry[3]}") for entry in ROWS]
    lines = [line(HEADER), line(["---"] * len(HEADER)), *(line(had[key]) for key in order if key in had)]
    PAGE.write_text(before + BEGIN + "".join(lines) + END + after, encoding="utf-8")
