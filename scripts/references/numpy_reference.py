"""NumPy's own distributions: `numpy.random.RandomState`, whose numbers `numpy.random.seed` draws too."""

import numpy

LEGACY = (0, 2**32 - 1)
# NumPy has no bfloat16.
DTYPES = {"f32": numpy.float32, "f64": numpy.float64, "f16": numpy.float16}

# What fanin is told, and what is asked of the generator.
LAWS = {
    "normal:std=1": lambda generator, shape: generator.normal(0, 1, shape),
    "normal:mean=0.5,std=0.02": lambda generator, shape: generator.normal(0.5, 0.02, shape),
    "uniform:low=0,high=1": lambda generator, shape: generator.uniform(0, 1, shape),
    "uniform:low=-0.3,high=1.1": lambda generator, shape: generator.uniform(-0.3, 1.1, shape),
}


def drawn(law, seed, shapes, dtype):
    generator = numpy.random.RandomState(seed)
    return {name: law(generator, shape).astype(DTYPES[dtype]) for name, shape in shapes.items()}


def legacy(grid):
    for scheme, law in LAWS.items():
        for seed, shape, dtype in grid.cells(seeds=LEGACY, dtypes=tuple(DTYPES)):
            arguments = grid.init(scheme, shape, "numpy-legacy", seed, dtype)
            yield arguments, lambda d=law, s=seed, h=shape, t=dtype: drawn(d, s, {"w": h}, t)
        for seed, shape, dtype in grid.cells(seeds=LEGACY, dtypes=tuple(DTYPES), most=20000):
            # An odd count leaves half of a pair of normals for the next tensor.
            shapes = {"w": shape, "a": (5,), "b": (17,), "c": (3, 3)}
            arguments = grid.init(scheme, shape, "numpy-legacy", seed, dtype)
            arguments[3:3] = [f"{name}={grid.words(size)}" for name, size in list(shapes.items())[1:]]
            yield arguments, lambda d=law, s=seed, h=shapes, t=dtype: drawn(d, s, h, t)


def cases(grid):
    """What fanin is told, and what gives NumPy's arrays."""
    yield from legacy(grid)
