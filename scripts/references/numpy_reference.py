"""NumPy's own distributions: `numpy.random.default_rng`, and `numpy.random.RandomState`, which `numpy.random.seed` uses too."""

import numpy

LEGACY = (0, 2**32 - 1)
# NumPy has no bfloat16.
DTYPES = {"f32": numpy.float32, "f64": numpy.float64, "f16": numpy.float16}

# fanin's expression, and the generator's call.
LAWS = {
    "normal:std=1": lambda generator, shape: generator.normal(0, 1, shape),
    "normal:mean=0.5,std=0.02": lambda generator, shape: generator.normal(0.5, 0.02, shape),
    "uniform:low=0,high=1": lambda generator, shape: generator.uniform(0, 1, shape),
    "uniform:low=-0.3,high=1.1": lambda generator, shape: generator.uniform(-0.3, 1.1, shape),
}


def drawn(distribution, seed, shapes, dtype):
    generator = numpy.random.RandomState(seed)
    return {name: distribution(generator, shape).astype(DTYPES[dtype]) for name, shape in shapes.items()}


def legacy(grid):
    for scheme, distribution in LAWS.items():
        for seed, shape, dtype in grid.cells(seeds=LEGACY, dtypes=tuple(DTYPES)):
            arguments = grid.init(scheme, shape, "numpy-legacy", seed, dtype)
            yield arguments, lambda d=distribution, s=seed, h=shape, t=dtype: drawn(d, s, {"w": h}, t)
        for seed, shape, dtype in grid.cells(seeds=LEGACY, dtypes=tuple(DTYPES), most=20000):
            # An odd count leaves half of a pair of normals for the next tensor.
            shapes = {"w": shape, "a": (5,), "b": (17,), "c": (3, 3)}
            arguments = grid.init(scheme, shape, "numpy-legacy", seed, dtype)
            arguments[3:3] = [f"{name}={grid.words(size)}" for name, size in list(shapes.items())[1:]]
            yield arguments, lambda d=distribution, s=seed, h=shapes, t=dtype: drawn(d, s, h, t)


# What default_rng has besides; in single precision it draws these alone.
STANDARD = {
    "standard-normal": lambda generator, shape, dtype: generator.standard_normal(shape, dtype=dtype),
    "standard-uniform": lambda generator, shape, dtype: generator.random(shape, dtype=dtype),
}
SCHEMES = [*LAWS, *STANDARD]
# Seeds of 128 bits, and lists; split=I/N stands for SeedSequence.spawn.
WIDE = ("340282366920938463463374607431768211455", "18446744073709551616", "1,2,3", "0,0,7", "4294967301,5,6,7,18446744073709551615")
SPLITS = (("0/1",), ("2/4",), ("1/3", "70000/70001"))


def call(generator, scheme, shape, dtype):
    """What default_rng draws of a scheme."""
    if scheme in LAWS:
        return LAWS[scheme](generator, shape).astype(DTYPES[dtype])
    own = DTYPES[dtype] if dtype != "f16" else numpy.float64
    return STANDARD[scheme](generator, shape, own).astype(DTYPES[dtype])


def modern_rng(seed, splits):
    """The generator of `--seed A,B,split=I/N,...`."""
    numbers = [int(number) for number in str(seed).split(",")]
    sequence = numpy.random.SeedSequence(numbers if len(numbers) > 1 else numbers[0])
    for split in splits:
        index, of = map(int, split.split("/"))
        sequence = sequence.spawn(of)[index]
    return numpy.random.default_rng(sequence)


def modern_drawn(scheme, seed, splits, shapes, dtype):
    generator = modern_rng(seed, splits)
    return {name: call(generator, scheme, shape, dtype) for name, shape in shapes.items()}


def modern(grid):
    for scheme in SCHEMES:
        for seed, shape, dtype in grid.cells(seeds=(0, 2**64 - 1), dtypes=tuple(DTYPES)):
            arguments = grid.init(scheme, shape, "numpy", seed, dtype)
            yield arguments, lambda c=scheme, s=seed, h=shape, t=dtype: modern_drawn(c, s, (), {"w": h}, t)
        for seed, shape, dtype in grid.cells(seeds=(0, 2**64 - 1), dtypes=tuple(DTYPES), most=20000):
            # Of single precision an odd count leaves half of a word for the next tensor.
            shapes = {"w": shape, "a": (5,), "b": (17,), "c": (3, 3)}
            arguments = grid.init(scheme, shape, "numpy", seed, dtype)
            arguments[3:3] = [f"{name}={grid.words(size)}" for name, size in list(shapes.items())[1:]]
            yield arguments, lambda c=scheme, s=seed, h=shapes, t=dtype: modern_drawn(c, s, (), h, t)
        for seed in WIDE:
            for splits in ((), *SPLITS):
                for dtype in ("f32", "f64"):
                    text = ",".join([seed, *(f"split={split}" for split in splits)])
                    arguments = ["init", scheme, "w=100", "--like", "numpy", "--seed", text, "--dtype", dtype]
                    yield arguments, lambda c=scheme, s=seed, p=splits, t=dtype: modern_drawn(c, s, p, {"w": (100,)}, t)


def cases(grid):
    """What fanin is told, and what gives NumPy's arrays."""
    yield from legacy(grid)
    yield from modern(grid)
