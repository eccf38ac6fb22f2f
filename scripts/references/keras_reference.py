"""Keras's values: command lines of fanin, each with a function that draws the same in Keras.

The backend is that of the environment variable KERAS_BACKEND: Keras has one per process. JAX draws in double precision only
with 64-bit types on. They are on here for f64, and off, as by default, for all other types.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402
import ml_dtypes  # noqa: E402, F401  bfloat16 for NumPy

BACKEND = keras.backend.backend()
LIKE = f"keras:{BACKEND}"
NAMES = {"f32": "float32", "f64": "float64", "bf16": "bfloat16", "f16": "float16"}
# The seeds that the backend takes.
WIDE = (-(2**63), 2**63 - 1)
SEEDS = {"jax": (0, 2**32 - 1), "numpy": (0, 2**32 - 1), "tensorflow": WIDE, "torch": WIDE}[BACKEND]
# Those that its generator of seeds takes, where they are fewer.
ROW_SEEDS = (-(2**31), 2**31 - 1) if BACKEND == "torch" else SEEDS
# With NumPy, Keras gives some arrays in single precision whatever is asked for: identities for bfloat16; biases and matrices for f64.
IDENTITY_TYPES = ("f32", "f64", "f16") if BACKEND == "numpy" else tuple(NAMES)
MODEL_TYPES = ("f32", "f16", "bf16") if BACKEND == "numpy" else tuple(NAMES)
# Keras decomposes no matrix of a half type.
MATRIX_TYPES = ("f32",) if BACKEND == "numpy" else ("f32", "f64")
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
# With TensorFlow, Keras takes a constant by way of single precision.
HELD = [("Constant:value=0.1", I.Constant, {"value": 0.1})] if BACKEND != "tensorflow" else []
TINY = [("Constant:value=-1e-40", I.Constant, {"value": -1e-40})]
SEEDLESS = [*HELD, *TINY, ("Constant:value=0.125", I.Constant, {"value": 0.125}), ("Zeros", I.Zeros, {}), ("Ones", I.Ones, {})]
ORTHOGONAL = [("Orthogonal", I.Orthogonal, {}), ("Orthogonal:gain=1.3", I.Orthogonal, {"gain": 1.3})]
# What Keras draws none of and computes in the element type, which the backends do each in its way.
STFT = [
    ("STFT", ()),
    ("STFT:side=imag,window=hamming,scaling=spectrum,periodic=true", ("imag", "hamming", "spectrum", True)),
    ("STFT:side=imag,window=blackman", ("imag", "blackman", "density", False)),
    ("STFT:scaling=none,window=hamming", ("real", "hamming", None, False)),
    ("STFT:window=none", ("real", None, None, False)),
]
# Places and frequencies.
STFT_SHAPES = ((8, 1, 5), (17, 1, 7), (90, 1, 2), (128, 1, 65), (1024, 1, 3), (16, 1, 300), (400, 1, 201))
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
    for seed, shape, dtype in grid.cells(seeds=SEEDS, ranks=(2,), most=1000, dtypes=IDENTITY_TYPES):
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
    for seed, shape, dtype in grid.cells(seeds=LAYER_SEEDS, ranks=(2, 3, 4), most=20000, dtypes=MODEL_TYPES):
        arguments = ["mlp", "-".join(map(str, shape)), "--like", LIKE, "--seed", seed, "--dtype", dtype]
        yield arguments, lambda s=seed, h=shape, t=dtype: stack(s, h, "relu", t)


def of_layers(made):
    """The weights of layers, under their names."""
    return {f"{layer.name}/{weight.name}": array(weight) for layer in made for weight in layer.weights}


def mixed(seed, units, dtype):
    """Layers with weights, and such as have none and take a seed."""
    switch(dtype)
    keras.utils.set_random_seed(seed)
    L, given = keras.layers, {"dtype": NAMES[dtype]}
    made = [
        L.Embedding(20, units, name="table", **given),
        L.GaussianNoise(0.1, **given),
        L.Conv1D(4, 3, name="conv", **given),
        L.SpatialDropout1D(0.1, **given),
        L.AlphaDropout(0.1, **given),
        L.BatchNormalization(name="norm", **given),
        L.Dense(units, name="dense", **given),
    ]
    # They are no layers of this model: the first takes no seed, and the second takes two.
    L.Dropout(0.0), L.RandomCrop(2, 2)
    made.append(L.Dense(2, name="last", kernel_initializer=I.RandomNormal(), **given))
    return of_layers(keras.Sequential([keras.Input((9,)), *made]).layers)


def recurrent(seed, units, dtype):
    switch(dtype)
    keras.utils.set_random_seed(seed)
    L, given = keras.layers, {"dtype": NAMES[dtype]}
    made = [
        L.Embedding(20, units, name="table", **given),
        L.LSTM(4, return_sequences=True, name="lstm", **given),
        L.GaussianDropout(0.1, **given),
        L.GRU(units, return_sequences=True, name="gru", **given),
        L.SimpleRNN(3, name="rnn", **given),
        L.Dense(2, name="last", **given),
    ]
    return of_layers(keras.Sequential([keras.Input((9,)), *made]).layers)


def recipes(grid):
    """Layers of a model, as tests/data/parity/*.toml have them."""
    for recipe, made, dtypes, far in (
        ("keras-layers.toml", mixed, MODEL_TYPES, None),
        ("keras-recurrent.toml", recurrent, ("f32",), 1e-5),
    ):
        for seed, (units, *_), dtype in grid.cells(seeds=LAYER_SEEDS, ranks=(1,), most=200, dtypes=dtypes):
            arguments = ["model", recipe, "--like", LIKE, "--seed", seed, "--dtype", dtype, "--set", f"units={units}"]
            yield arguments, lambda m=made, s=seed, u=units, t=dtype: m(s, u, t), *([far] if far else [])


def stft(shape, dtype, given):
    switch(dtype)
    # With NumPy some come in single precision, and fanin gives the type that was asked for.
    return {"w": array(I.STFT(*given)(shape, dtype=NAMES[dtype])).astype(NAMES[dtype])}


def counts(shape, dtype):
    """Whether the backend counts to these sizes in a type."""
    return BACKEND != "tensorflow" or all(float(ml_dtypes.finfo(NAMES[dtype]).dtype.type(n)) == n for n in shape)


def transforms(grid):
    for turn, (words, given) in enumerate(STFT):
        # So that each shape comes with every type.
        shapes = STFT_SHAPES[turn:] + STFT_SHAPES[:turn]
        for seed, shape, dtype in grid.cells(seeds=(0, 0), ranks=(3,), shapes=shapes):
            if counts(shape, dtype):
                places, _, _ = shape
                sums = {"spectrum": places * 0.4, "density": (places * 0.3) ** 0.5}
                scale = sums.get(given[2] if given else "density", 1.0)
                single = dtype == "f64" and BACKEND in ("jax", "numpy")
                unit = {"f64": -22 if single else -50, "f32": -22, "f16": -9, "bf16": -6}[dtype]
                arguments = grid.init(words, shape, LIKE, seed, dtype)
                yield arguments, lambda h=shape, t=dtype, g=given: stft(h, t, g), 2.0**unit / scale


def matrices(grid):
    """What is close and not exact."""
    for words, make, given in ORTHOGONAL:
        for seed, shape, dtype in grid.cells(seeds=SEEDS, ranks=(2, 3, 4), dtypes=MATRIX_TYPES, most=20000):
            arguments = grid.init(words, shape, LIKE, seed, dtype)
            yield arguments, lambda m=make, g=given, s=seed, h=shape, t=dtype: one(m, {**g, "seed": s}, h, t)


def cases(grid):
    """What fanin is told, and what gives Keras's arrays."""
    for part in (elementwise, seedless, rows, models, recipes, transforms, matrices):
        yield from part(grid)
