"""What Keras draws, as cases of a fanin command line and the function that gives the same by Keras itself.

The backend is that of the environment variable KERAS_BACKEND: Keras takes one for a process. JAX draws in double precision only
with 64-bit types on. They are on here for f64, and off, as by default, for all other types.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402
import ml_dtypes  # noqa: E402, F401  bfloat16 for NumPy

BACKEND = keras.backend.backend()
LIKE = f"keras:{BACKEND}"
NAMES = {"f32": "float32", "f64": "float64", "f16": "float16", "bf16": "bfloat16"}
# The seeds that the backend takes.
SEEDS = {"jax": (0, 2**32 - 1), "tensorflow": (-(2**63), 2**63 - 1), "torch": (-(2**63), 2**63 - 1)}[BACKEND]
# Those that its generator of seeds takes, where they are fewer.
ROW_SEEDS = (-(2**31), 2**31 - 1) if BACKEND == "torch" else SEEDS
LAYER_SEEDS = (0, 2**32 - 1)
I = keras.initializers

# What fanin is told, the initializer, and its arguments.
ANY = [
    ("RandomNormal", I.RandomNormal, {}),
    ("RandomNormal:std=0.3,mean=-1.7", I.RandomNormal, {"stddev": 0.3, "mean": -1.7}),
    ("RandomUniform", I.RandomUniform, {}),
    ("RandomUniform:low=-0.3,high=1.1", I.RandomUniform, {"minval": -0.3, "maxval": 1.1}),
    ("TruncatedNormal", I.TruncatedNormal, {}),
    ("TruncatedNormal:std=0.3,mean=0.4", I.TruncatedNormal, {"stddev": 0.3, "mean": 0.4}),
    ("GlorotUniform", I.GlorotUniform, {}),
    ("GlorotNormal", I.GlorotNormal, {}),
    ("HeUniform", I.HeUniform, {}),
    ("HeNormal", I.HeNormal, {}),
    ("LecunUniform", I.LecunUniform, {}),
    ("LecunNormal", I.LecunNormal, {}),
    (
        "VarianceScaling:scale=0.7,mode=fan-out,distribution=untruncated_normal",
        I.VarianceScaling,
        {"scale": 0.7, "mode": "fan_out", "distribution": "untruncated_normal"},
    ),
    (
        "VarianceScaling:scale=2.5,mode=fan-avg,distribution=uniform",
        I.VarianceScaling,
        {"scale": 2.5, "mode": "fan_avg", "distribution": "uniform"},
    ),
    # Keras takes "normal" for "truncated_normal".
    ("VarianceScaling:distribution=normal", I.VarianceScaling, {"distribution": "normal"}),
]
# A constant that single precision holds: with TensorFlow, Keras takes it by way of that.
SEEDLESS = [("Constant:value=0.125", I.Constant, {"value": 0.125}), ("Zeros", I.Zeros, {}), ("Ones", I.Ones, {})]
ORTHOGONAL = [("Orthogonal", I.Orthogonal, {}), ("Orthogonal:gain=1.3", I.Orthogonal, {"gain": 1.3})]
# Of several tensors by one generator of seeds.
ROWS = [ANY[0], ANY[2], ANY[4], ANY[6], ANY[9]]


def array(value):
    return keras.ops.convert_to_numpy(value)


def switch(dtype):
    if BACKEND == "jax":
        import jax

        jax.config.update("jax_enable_x64", dtype == "f64")


def one(make, given, shape, dtype):
    switch(dtype)
    return {"w": array(make(**given)(shape, dtype=NAMES[dtype]))}


def several(make, given, seed, shapes, dtype):
    """Each tensor by an initializer of its own: they have the generator of seeds in common."""
    switch(dtype)
    seeds = keras.random.SeedGenerator(seed)
    return {name: array(make(**given, seed=seeds)(shape, dtype=NAMES[dtype])) for name, shape in shapes.items()}


def elementwise(grid):
    for words, make, given in ANY:
        # Those of a variance draw as the others do: what differs is arithmetic over the fans.
        shapes = list(grid.shapes)[:: 1 if words.startswith(("Random", "Truncated")) else 3]
        for seed, shape, dtype in grid.cells(seeds=SEEDS, shapes=shapes):
            arguments = grid.init(words, shape, LIKE, seed, dtype)
            yield arguments, lambda m=make, g=given, s=seed, h=shape, t=dtype: one(m, {**g, "seed": s}, h, t)


def seedless(grid):
    for words, make, given in SEEDLESS:
        for seed, shape, dtype in grid.cells(seeds=SEEDS, most=100):
            arguments = grid.init(words, shape, LIKE, seed, dtype)
            yield arguments, lambda m=make, g=given, h=shape, t=dtype: one(m, g, h, t)
    for seed, shape, dtype in grid.cells(seeds=SEEDS, ranks=(2,), most=1000):
        arguments = grid.init("Identity:gain=1.5", shape, LIKE, seed, dtype)
        yield arguments, lambda h=shape, t=dtype: one(I.Identity, {"gain": 1.5}, h, t)


def rows(grid):
    for words, make, given in ROWS:
        for seed, shape, dtype in grid.cells(seeds=ROW_SEEDS, ranks=(2,), most=20000):
            shapes = {"w": shape, "b": shape[:1], "v": (3, 5)}
            arguments = grid.init(words, shape, LIKE, seed, dtype)
            arguments[3:3] = [f"{name}={grid.words(size)}" for name, size in list(shapes.items())[1:]]
            yield arguments, lambda m=make, g=given, s=seed, h=shapes, t=dtype: several(m, g, s, h, t)


def stack(seed, sizes, activation, dtype):
    """The weights of a model that is made after `set_random_seed`, under the names that its layers have in a fresh process."""
    switch(dtype)
    keras.utils.set_random_seed(seed)
    layers = [keras.layers.Dense(size, activation, dtype=NAMES[dtype]) for size in sizes[1:]]
    model = keras.Sequential([keras.Input(sizes[:1]), *layers])
    names = ["dense", *(f"dense_{place}" for place in range(1, len(layers)))]
    return {
        f"{name}/{weight.name}": array(weight)
        for name, layer in zip(names, model.layers, strict=True)
        for weight in layer.weights
    }


def models(grid):
    for seed, shape, dtype in grid.cells(seeds=LAYER_SEEDS, ranks=(2, 3, 4), most=20000):
        arguments = ["mlp", "-".join(map(str, shape)), "--like", LIKE, "--seed", seed, "--dtype", dtype]
        yield arguments, lambda s=seed, h=shape, t=dtype: stack(s, h, "relu", t)


def matrices(grid):
    """What is close and not exact. Keras decomposes no matrix of a half type."""
    for words, make, given in ORTHOGONAL:
        for seed, shape, dtype in grid.cells(seeds=SEEDS, ranks=(2, 3, 4), dtypes=("f32", "f64"), most=20000):
            arguments = grid.init(words, shape, LIKE, seed, dtype)
            yield arguments, lambda m=make, g=given, s=seed, h=shape, t=dtype: one(m, {**g, "seed": s}, h, t)


def cases(grid):
    """What fanin is told, and what gives Keras's arrays."""
    for part in (elementwise, seedless, rows, models, matrices):
        yield from part(grid)
