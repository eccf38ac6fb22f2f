"""The initializers of Lasagne, which draw from NumPy's RandomState.

Lasagne's last release is from 2015, and its package imports Theano, which no longer runs. Its module of initializers needs
only the array type from Theano, and runs unchanged with that.
"""

import importlib.machinery
import importlib.util
import sys
import types

import numpy

SEEDS = (0, 2**32 - 1)
FLOATS = {"f32": "float32", "f64": "float64", "f16": "float16"}


def modules():
    """`lasagne.init` and `lasagne.random` without the rest of the package, and what stands for `theano.config`."""
    config = types.SimpleNamespace(floatX="float32")
    theano, tensor = types.ModuleType("theano"), types.ModuleType("theano.tensor")
    theano.config, theano.tensor = config, tensor
    sys.modules |= {"theano": theano, "theano.tensor": tensor}
    package = types.ModuleType("lasagne")
    package.__path__ = importlib.util.find_spec("lasagne").submodule_search_locations
    sys.modules["lasagne"] = package
    return importlib.import_module("lasagne.init"), importlib.import_module("lasagne.random"), config


init, rng, config = modules()

# What fanin is told, the initializer, and the ranks that it takes.
ALL, FANS = (1, 2, 3, 4), (2, 3, 4)
INITIALIZERS = [
    ("Normal", lambda: init.Normal(), ALL),
    ("Normal:std=0.3,mean=-1.7", lambda: init.Normal(0.3, -1.7), ALL),
    ("Uniform", lambda: init.Uniform(), ALL),
    ("Uniform:range=0.3", lambda: init.Uniform(0.3), ALL),
    ("Uniform:low=-0.3,high=1.1", lambda: init.Uniform((-0.3, 1.1)), ALL),
    ("Uniform:std=0.7,mean=0.1", lambda: init.Uniform(std=0.7, mean=0.1), ALL),
    ("GlorotNormal", lambda: init.GlorotNormal(), FANS),
    ("GlorotNormal:gain=relu", lambda: init.GlorotNormal("relu"), FANS),
    ("GlorotUniform", lambda: init.GlorotUniform(), FANS),
    ("GlorotUniform:gain=1.3", lambda: init.GlorotUniform(1.3), FANS),
    ("HeNormal", lambda: init.HeNormal(), FANS),
    ("HeNormal:gain=relu", lambda: init.HeNormal("relu"), FANS),
    ("HeUniform", lambda: init.HeUniform(), FANS),
    ("HeUniform:gain=1.3", lambda: init.HeUniform(1.3), FANS),
    ("Sparse", lambda: init.Sparse(), (2,)),
    ("Sparse:sparsity=0.29,std=0.5", lambda: init.Sparse(0.29, 0.5), (2,)),
    ("Constant:val=0.1", lambda: init.Constant(0.1), ALL),
]


def drawn(make, seed, shapes, dtype):
    config.floatX = FLOATS[dtype]
    rng.set_rng(numpy.random.RandomState(seed))
    return {name: make().sample(shape) for name, shape in shapes.items()}


def stack(seed, sizes, dtype):
    """The weights and biases of DenseLayers, as `numpy.savez(FILE, *get_all_param_values(network))` numbers them."""
    config.floatX = FLOATS[dtype]
    rng.set_rng(numpy.random.RandomState(seed))
    arrays = {}
    for inputs, outputs in zip(sizes, sizes[1:], strict=False):
        arrays[f"arr_{len(arrays)}"] = init.GlorotUniform().sample((inputs, outputs))
        arrays[f"arr_{len(arrays)}"] = init.Constant(0.0).sample((outputs,))
    return arrays


def cases(grid):
    """What fanin is told, and what gives Lasagne's arrays."""
    types_of = tuple(FLOATS)
    for words, make, ranks in INITIALIZERS:
        for seed, shape, dtype in grid.cells(seeds=SEEDS, ranks=ranks, dtypes=types_of):
            arguments = grid.init(words, shape, "lasagne", seed, dtype)
            yield arguments, lambda m=make, s=seed, h=shape, t=dtype: drawn(m, s, {"w": h}, t)
        for seed, shape, dtype in grid.cells(seeds=SEEDS, ranks=(2,), dtypes=types_of, most=20000):
            shapes = {"w": shape, "a": (3, 5), "b": (17, 3)}
            arguments = grid.init(words, shape, "lasagne", seed, dtype)
            arguments[3:3] = [f"{name}={grid.words(size)}" for name, size in list(shapes.items())[1:]]
            yield arguments, lambda m=make, s=seed, h=shapes, t=dtype: drawn(m, s, h, t)
    for seed, shape, dtype in grid.cells(seeds=SEEDS, ranks=(2, 3, 4), dtypes=types_of, most=20000):
        arguments = ["mlp", grid.words(shape).replace("x", "-"), "--like", "lasagne", "--seed", seed, "--dtype", dtype]
        yield arguments, lambda s=seed, h=shape, t=dtype: stack(s, h, t)
