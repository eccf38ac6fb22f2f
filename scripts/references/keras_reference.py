"""What Keras draws, as cases of a fanin command line and the function that gives the same by Keras itself.

The backend is that of the environment variable KERAS_BACKEND: Keras takes one for a process.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402
import ml_dtypes  # noqa: E402, F401  bfloat16 for NumPy

BACKEND = keras.backend.backend()
RELEASE = f"Keras {keras.__version__} on {BACKEND}"
SEEDS = {
    "jax": [0, 42, 2**31 + 5, 2**32 - 1],
    "numpy": [0, 42, 2**31 + 5, 2**32 - 1],
    "tensorflow": [0, 42, 2**31 - 2, 2**32 + 7, -7],
    "torch": [0, 42, 2**31 - 1, -7],
}[BACKEND]
SHAPES = ["1", "5", "15", "16", "17", "100", "65537", "16x17", "3x5x7", "2x3x4x5"]
DTYPES = {"f32": "float32", "f16": "float16", "bf16": "bfloat16"}
# Words of the command line, the initializer, and its arguments.
INITIALIZERS = [
    ("RandomNormal", "RandomNormal", {}),
    ("RandomNormal:std=0.3,mean=-1.7", "RandomNormal", {"stddev": 0.3, "mean": -1.7}),
    ("RandomUniform", "RandomUniform", {}),
    ("RandomUniform:low=-0.3,high=1.1", "RandomUniform", {"minval": -0.3, "maxval": 1.1}),
    ("TruncatedNormal", "TruncatedNormal", {}),
    ("TruncatedNormal:std=0.3,mean=0.4", "TruncatedNormal", {"stddev": 0.3, "mean": 0.4}),
    ("GlorotUniform", "GlorotUniform", {}),
    ("GlorotNormal", "GlorotNormal", {}),
    ("HeUniform", "HeUniform", {}),
    ("HeNormal", "HeNormal", {}),
    ("LecunUniform", "LecunUniform", {}),
    ("LecunNormal", "LecunNormal", {}),
    (
        "VarianceScaling:scale=0.7,mode=fan-out,distribution=untruncated_normal",
        "VarianceScaling",
        {"scale": 0.7, "mode": "fan_out", "distribution": "untruncated_normal"},
    ),
    # Keras takes "normal" for "truncated_normal".
    ("VarianceScaling:distribution=normal", "VarianceScaling", {"distribution": "normal"}),
    ("Orthogonal", "Orthogonal", {}),
    ("Orthogonal:gain=1.3", "Orthogonal", {"gain": 1.3}),
    ("Identity:gain=1.5", "Identity", {"gain": 1.5}),
    ("Constant:value=0.1", "Constant", {"value": 0.1}),
    ("Zeros", "Zeros", {}),
    ("Ones", "Ones", {}),
]
SEEDLESS = {"Identity", "Constant", "Zeros", "Ones"}


def case(initializer, shapes, dtype, seed):
    """A command line, and the function that draws the same tensors: of several, by one generator of seeds."""
    words, name, arguments = initializer
    tensors = {f"w{place}": [int(axis) for axis in shape.split("x")] for place, shape in enumerate(shapes)}
    line = ["init", words, *(f"{tensor}={shape}" for tensor, shape in zip(tensors, shapes))]
    line += ["--like", f"keras:{BACKEND}", "--seed", str(seed), "--dtype", dtype]

    def draw():
        seeds = {} if name in SEEDLESS else {"seed": seed}
        if seeds and len(tensors) > 1:
            seeds = {"seed": keras.random.SeedGenerator(seed)}
        make = getattr(keras.initializers, name)
        # Each tensor by an initializer of its own: they have the generator of seeds in common.
        values = {
            tensor: make(**arguments, **seeds)(shape, dtype=DTYPES[dtype]) for tensor, shape in tensors.items()
        }
        return {tensor: keras.ops.convert_to_numpy(value) for tensor, value in values.items()}

    return line, draw


def suits(name, shape, dtype):
    """Whether Keras has such an initializer of such a shape and type."""
    rank = shape.count("x") + 1
    if name == "Orthogonal":
        return rank >= 2 and dtype == "f32"
    return name != "Identity" or rank == 2


def cases(grid):
    """All cases; of a `grid` that is not full, those of few shapes."""
    shapes = SHAPES if grid == "full" else SHAPES[1::3]
    for initializer in INITIALIZERS:
        for dtype in DTYPES:
            for seed in SEEDS:
                for shapes_of_case in [*([shape] for shape in [*shapes, "2x3x4x5"]), ["17x4", "3x5", "1x2"]]:
                    if all(suits(initializer[1], shape, dtype) for shape in shapes_of_case):
                        yield case(initializer, shapes_of_case, dtype, seed)
