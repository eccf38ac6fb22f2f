"""JAX's own initializers: `jax.nn.initializers`, and keys by `jax.random.key`, `split` and `fold_in`.

JAX draws in double precision only with 64-bit types on, and then makes keys from all 64 bits of a seed. They are on here
for f64, and off, as by default, for all other types. `normal` with a mean and `uniform` with bounds have no initializer in
JAX: their references use `jax.random`.
"""

import jax
import jax.numpy as jnp

DTYPES = {"f32": jnp.float32, "f64": jnp.float64, "bf16": jnp.bfloat16, "f16": jnp.float16}
SEEDS = (-(2**63), 2**63 - 1)
I = jax.nn.initializers


def scaled(scale, mode, distribution, **axes):
    return I.variance_scaling(scale, mode, distribution, **axes)


def shifted(key, shape, dtype):
    """`normal:mean=0.5,std=0.1`."""
    return jax.random.normal(key, shape, dtype) * jnp.array(0.1, dtype) + jnp.array(0.5, dtype)


def between(low, high):
    return lambda key, shape, dtype: jax.random.uniform(key, shape, dtype, low, high)


# Of any rank: what fanin is told, and what JAX is.
ANY = {
    "zeros": I.zeros,
    "ones": I.ones,
    "jax.constant:value=0.1": I.constant(0.1),
    "jax.normal": I.normal(),
    "normal:std=0.02": I.normal(0.02),
    "normal:mean=0.5,std=0.1": shifted,
    "jax.uniform": I.uniform(),
    "jax.uniform:scale=0.3": I.uniform(0.3),
    "uniform:low=0.25,high=1.5": between(0.25, 1.5),
    "uniform:low=-0.1,high=0.7": between(-0.1, 0.7),
    "uniform:low=-0.05,high=0.05": between(-0.05, 0.05),
    "uniform:low=-0.25,high=0.25": between(-0.25, 0.25),
    "jax.truncated_normal": I.truncated_normal(),
    "jax.truncated_normal:stddev=0.7,lower=-1.1,upper=2.3": I.truncated_normal(0.7, lower=-1.1, upper=2.3),
    "jax.truncated_normal:stddev=0.02,lower=0.3,upper=4": I.truncated_normal(0.02, lower=0.3, upper=4.0),
}

R = jax.random


def moved(draw, scale, centre=None):
    """Scaled after the call, and then moved."""

    def scaled(key, shape, dtype):
        value = draw(key, shape, dtype) * jnp.array(scale, dtype)
        return value if centre is None else value + jnp.array(centre, dtype)

    return scaled


def of(draw, setting):
    """A distribution with a setting, which is of the dtype."""
    return lambda key, shape, dtype: draw(key, jnp.array(setting, dtype), shape, dtype)


# The distributions of `jax.random` that have a scheme here, of any rank.
DISTRIBUTIONS = {
    "jax.exponential": R.exponential,
    "exponential:rate=3": lambda key, shape, dtype: R.exponential(key, shape, dtype) / jnp.array(3, dtype),
    "jax.laplace": R.laplace,
    "laplace:scale=0.3,mean=0.1": lambda key, shape, dtype: (
        R.laplace(key, shape, dtype) * jnp.array(0.3, dtype) + jnp.array(0.1, dtype)
    ),
    "jax.rademacher": R.rademacher,
    "rademacher:value=0.7": lambda key, shape, dtype: R.rademacher(key, shape, dtype) * jnp.array(0.7, dtype),
    "jax.lognormal": of(R.lognormal, 1),
    "log-normal:sigma=0.37": of(R.lognormal, 0.37),
}

# No value of these fits f16 for certain.
WIDE = {
    "jax.cauchy": R.cauchy,
    "cauchy:scale=0.3,median=0.1": moved(R.cauchy, 0.3, 0.1),
}

# What is close and not exact, as far apart as this, by the type, as a part of the largest value.
APART = {"f64": 1e-14, "f32": 1e-5, "f16": 2**-9, "bf16": 2**-6}
ESTIMATED = {
    "jax.gamma": of(R.gamma, 1),
    "gamma:shape=1.7,scale=0.3": moved(of(R.gamma, 1.7), 0.3),
    "gamma:shape=0.3": of(R.gamma, 0.3),
    "student-t:dof=5,scale=0.05": moved(of(R.t, 5), 0.05),
    "student-t:dof=3,scale=0.001,mean=-1": moved(of(R.t, 3), 0.001, -1),
}

# Of two axes and more.
WEIGHTS = {
    "lecun-normal": I.lecun_normal(),
    "jax.lecun_uniform": I.lecun_uniform(),
    "glorot-normal": I.glorot_normal(),
    "glorot-uniform": I.glorot_uniform(),
    "jax.xavier_normal": I.xavier_normal(),
    "jax.xavier_uniform": I.xavier_uniform(),
    "he-normal": I.he_normal(),
    "he-uniform": I.he_uniform(),
    "jax.kaiming_normal": I.kaiming_normal(),
    "kaiming_uniform": I.kaiming_uniform(),
    "variance-scaling:scale=1.7,mode=fan-out,distribution=normal": scaled(1.7, "fan_out", "normal"),
    "variance-scaling:scale=0.3,mode=fan-avg,distribution=uniform": scaled(0.3, "fan_avg", "uniform"),
    "jax.variance_scaling:scale=2.5,mode=fan_geo_avg,distribution=truncated_normal": scaled(
        2.5, "fan_geo_avg", "truncated_normal"
    ),
}

# Which axis is what, as fanin and as JAX have it.
LAYOUTS = {
    2: ("oi", {"in_axis": 1, "out_axis": 0}),
    3: ("bio", {"in_axis": 1, "out_axis": 2, "batch_axis": 0}),
    4: ("iiko", {"in_axis": (0, 1), "out_axis": 3}),
}


def key_of(seed, dtype, steps=()):
    """The key, 64-bit types switched as the dtype needs them."""
    jax.config.update("jax_enable_x64", dtype == "f64")
    key = jax.random.key(seed)
    for word, *numbers in steps:
        key = jax.random.fold_in(key, *numbers) if word == "fold-in" else jax.random.split(key, numbers[1])[numbers[0]]
    return key


def one(draw, seed, shape, dtype, steps=()):
    return {"w": draw(key_of(seed, dtype, steps), shape, DTYPES[dtype])}


def several(draw, seed, shapes, dtype, steps=()):
    """Tensors of one command: each that draws has a key of its own."""
    keys = jax.random.split(key_of(seed, dtype, steps), len(shapes))
    return {name: draw(key, shape, DTYPES[dtype]) for key, (name, shape) in zip(keys, shapes.items(), strict=True)}


def elementwise(grid):
    for ranks, initializers in (((1, 2, 3, 4), ANY), ((2, 3, 4), WEIGHTS)):
        for scheme, draw in initializers.items():
            for seed, shape, dtype in grid.cells(seeds=SEEDS, ranks=ranks):
                arguments = grid.init(scheme, shape, "jax", seed, dtype)
                yield arguments, lambda d=draw, s=seed, h=shape, t=dtype: one(d, s, h, t)


def arranged(grid):
    """Other layouts than JAX's own."""
    for rank, (letters, axes) in LAYOUTS.items():
        draw = I.he_normal(**axes)
        for seed, shape, dtype in grid.cells(seeds=SEEDS, ranks=(rank,)):
            arguments = grid.init("he-normal", shape, "jax", seed, dtype, "--layout", letters)
            yield arguments, lambda d=draw, s=seed, h=shape, t=dtype: one(d, s, h, t)


def keys(grid):
    """Keys that are split and folded in."""
    chains = (
        (("fold-in", 3),),
        (("fold-in", 2**32 - 1), ("fold-in", 0)),
        (("split", 2, 4),),
        (("split", 0, 7), ("split", 6, 7), ("fold-in", 12345)),
    )
    for steps in chains:
        words = [f"{word}={'/'.join(map(str, numbers))}" for word, *numbers in steps]
        for seed, shape, dtype in grid.cells(seeds=SEEDS, ranks=(1, 2), most=4096):
            arguments = grid.init("jax.normal:stddev=1", shape, "jax", seed, dtype, steps=words)
            yield arguments, lambda s=seed, h=shape, t=dtype, k=steps: one(I.normal(1.0), s, h, t, k)


def sequences(grid):
    for seed, shape, dtype in grid.cells(seeds=SEEDS, ranks=(2,), most=20000):
        shapes = {"w": shape, "b": shape[::-1], "v": (3, 5)}
        arguments = grid.init("he-uniform", shape, "jax", seed, dtype, steps=["fold-in=1"])
        arguments[3:3] = [f"{name}={grid.words(size)}" for name, size in list(shapes.items())[1:]]
        yield arguments, lambda s=seed, h=shapes, t=dtype: several(I.he_uniform(), s, h, t, [("fold-in", 1)])


def matrices(grid):
    """What is close and not exact. JAX decomposes no matrix of a half type."""
    for scheme, gain in (("orthogonal", 1.0), ("jax.orthogonal:scale=1.5", 1.5)):
        for seed, shape, dtype in grid.cells(seeds=SEEDS, ranks=(2, 3, 4), dtypes=("f32", "f64"), most=20000):
            arguments = grid.init(scheme, shape, "jax", seed, dtype)
            yield arguments, lambda g=gain, s=seed, h=shape, t=dtype: one(I.orthogonal(g), s, h, t)
    for seed, shape, dtype in grid.cells(seeds=SEEDS, ranks=(3, 4), dtypes=("f32", "f64"), most=4096):
        shape = (*shape[:-2], *sorted(shape[-2:]))
        arguments = grid.init("delta-orthogonal", shape, "jax", seed, dtype)
        yield arguments, lambda s=seed, h=shape, t=dtype: one(I.delta_orthogonal(), s, h, t)
    for seed, shape, dtype in grid.cells(seeds=SEEDS, ranks=(2,), dtypes=("f32", "f64"), most=20000):
        arguments = grid.init("orthogonal", shape, "jax", seed, dtype, "--layout", "oi")
        yield arguments, lambda s=seed, h=shape, t=dtype: one(I.orthogonal(column_axis=0), s, h, t)


def distributions(grid):
    for draws, dtypes in ((DISTRIBUTIONS, tuple(DTYPES)), (WIDE, ("f32", "f64", "bf16"))):
        for scheme, draw in draws.items():
            for seed, shape, dtype in grid.cells(seeds=SEEDS, dtypes=dtypes):
                arguments = grid.init(scheme, shape, "jax", seed, dtype)
                yield arguments, lambda d=draw, s=seed, h=shape, t=dtype: one(d, s, h, t)


def estimated(grid):
    for scheme, draw in ESTIMATED.items():
        for seed, shape, dtype in grid.cells(seeds=SEEDS, most=4096):
            arrays = one(draw, seed, shape, dtype)
            arguments = grid.init(scheme, shape, "jax", seed, dtype)
            yield arguments, lambda a=arrays: a, APART[dtype] * float(abs(arrays["w"].astype(float)).max())


def cases(grid):
    """What fanin is told, and what gives JAX's arrays."""
    for part in (elementwise, arranged, keys, sequences, matrices, distributions, estimated):
        yield from part(grid)
