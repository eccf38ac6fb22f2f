"""TensorFlow's values: command lines of fanin, each with a function that draws the same in TensorFlow."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import ml_dtypes  # noqa: E402, F401  bfloat16 for NumPy
import tensorflow as tf  # noqa: E402

PAIRS = ["5,7", "-1,9223372036854775807"]
DTYPES = {"f32": tf.float32, "f64": tf.float64, "f16": tf.float16, "bf16": tf.bfloat16}
# Words of the command line, the function, and its arguments.
LAWS = [
    ("stateless_normal", tf.random.stateless_normal, {}),
    ("stateless_normal:std=0.3,mean=-1.7", tf.random.stateless_normal, {"stddev": 0.3, "mean": -1.7}),
    ("stateless_uniform", tf.random.stateless_uniform, {}),
    ("stateless_uniform:low=-0.3,high=1.1", tf.random.stateless_uniform, {"minval": -0.3, "maxval": 1.1}),
    ("stateless_truncated_normal", tf.random.stateless_truncated_normal, {}),
    (
        "stateless_truncated_normal:std=0.3,mean=0.4",
        tf.random.stateless_truncated_normal,
        {"stddev": 0.3, "mean": 0.4},
    ),
]


def pair(seed, order):
    """The seeds of the tensor in that place: a second number grows by 1 from one tensor to the next."""
    first, second = (*map(int, seed.split(",")), 0)[:2]
    second = (second + order + 2**63) % 2**64 - 2**63
    return tf.constant([first, second], tf.int64)


def case(distribution, shapes, dtype, seed):
    """A command line, and the function that draws the same tensors."""
    words, function, arguments = distribution
    tensors = {f"w{place}": [int(axis) for axis in shape.split("x")] for place, shape in enumerate(shapes)}
    line = ["init", words, *(f"{name}={shape}" for name, shape in zip(tensors, shapes))]
    line += ["--like", "tensorflow", f"--seed={seed}", "--dtype", dtype]

    def draw():
        order = range(len(tensors))
        return {
            name: function(shape, seed=pair(seed, place), dtype=DTYPES[dtype], **arguments).numpy()
            for place, (name, shape) in zip(order, tensors.items())
        }

    return line, draw


def cases(grid):
    """Each distribution over the grid, then two seeds at once, and several tensors in a row."""
    for distribution in LAWS:
        for seed, shape, dtype in grid.cells(seeds=(-(2**63), 2**63 - 1)):
            yield case(distribution, [grid.words(shape)], dtype, str(seed))
        for seed in PAIRS:
            for dtype in DTYPES:
                yield case(distribution, ["17", "3x5", "1"], dtype, seed)
