"""The seeds, shapes and dtypes of the cases, as two grids with one interface.

`cases(grid)` of a reference module yields `(arguments, callable)`, or `(arguments, callable, tolerance)` for an
approximate scheme: the words of a command line after `fanin`, and a function that returns the framework's arrays by name.

    for seed, shape, dtype in grid.cells(seeds=(0, 2**32 - 1), ranks=(2, 3, 4)):
        yield grid.init("he-normal", shape, "jax", seed, dtype), lambda seed=seed, shape=shape, dtype=dtype: {"w": ...}

Fixed has the cells of the files of tests/data/parity. Random has others for each number.
"""

import random
from math import prod

DTYPES = ("f32", "f64", "bf16", "f16")
SEEDS = (0, 42, 2**32 + 7, -1)
SIZES = (1, 5, 15, 16, 17, 100, 65537)
SHAPES = (
    *((size,) for size in SIZES),
    *((1, 1), (5, 3), (16, 17), (64, 48), (257, 255)),
    *((2, 3, 4), (16, 8, 5)),
    *((4, 3, 2, 2), (8, 6, 3, 3)),
)


def words(shape):
    """A shape as the command line has it."""
    return "x".join(map(str, shape))


def init(scheme, shape, like, seed, dtype, *options, name="w", steps=()):
    """The command line of one tensor; `steps` are those of the seed, as `fold-in=3`."""
    text = ",".join([str(seed), *steps])
    given = ["--seed", text] if seed >= 0 else [f"--seed={text}"]
    return ["init", scheme, f"{name}={words(shape)}", "--like", like, *given, "--dtype", dtype, *options]


def legal(seed, seeds):
    return seeds is None or seeds[0] <= seed <= seeds[1]


class Fixed:
    """The same cells always. Within a call every pair of a seed and a shape is there, and every dtype with each of both."""

    init = staticmethod(init)
    words = staticmethod(words)
    dtypes, sizes, shapes = DTYPES, SIZES, SHAPES

    def seeds(self, seeds=None):
        """Those from `seeds[0]` to `seeds[1]`; as many as there are without bounds."""
        found = [seed for seed in SEEDS if legal(seed, seeds)]
        stand_ins = (seed for seed in (7, 2**31 - 3, 12345, 2**16) if legal(seed, seeds))
        return found + [seed for seed, _ in zip(stand_ins, SEEDS[len(found) :], strict=False)]

    def cells(self, seeds=None, ranks=(1, 2, 3, 4), dtypes=DTYPES, most=None, shapes=None):
        """(seed, shape, dtype), of shapes with at most `most` elements."""
        chosen = [s for s in shapes or self.shapes if len(s) in ranks and (most is None or prod(s) <= most)]
        for row, shape in enumerate(chosen):
            for column, seed in enumerate(self.seeds(seeds)):
                yield seed, shape, dtypes[(row + column) % len(dtypes)]


class Random:
    """Other cells under every `number`, and `count` of them in a call."""

    init = staticmethod(init)
    words = staticmethod(words)
    dtypes, sizes = DTYPES, SIZES

    def __init__(self, number, count):
        self.random = random.Random(number)
        self.count = count

    def seeds(self, seeds=None):
        return [self.seed(seeds) for _ in range(self.count)]

    def seed(self, seeds=None):
        """Of every magnitude, and negative, where that is legal."""
        while True:
            seed = self.random.getrandbits(self.random.choice((4, 16, 31, 32, 40, 63)))
            seed = -seed if self.random.random() < 0.2 else seed
            if legal(seed, seeds):
                return seed

    @property
    def shapes(self):
        return [self.shape((1, 2, 3, 4), None) for _ in range(self.count)]

    def shape(self, ranks, most):
        """Of every order of magnitude, to 200,000 elements or `most`."""
        rank = self.random.choice(list(ranks))
        while True:
            target = min(most or 200_000, 200_000) ** self.random.random()
            shape = tuple(max(1, round(target ** (1 / rank) * self.random.uniform(0.4, 2.5))) for _ in range(rank))
            if most is None or prod(shape) <= most:
                return shape

    def cells(self, seeds=None, ranks=(1, 2, 3, 4), dtypes=DTYPES, most=None, shapes=None):
        for _ in range(self.count):
            shape = self.random.choice(shapes) if shapes else self.shape(ranks, most)
            yield self.seed(seeds), shape, self.random.choice(dtypes)
