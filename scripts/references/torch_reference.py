"""PyTorch's own initializers: `torch.nn.init` and the modules of `torch.nn`, after `torch.manual_seed`."""

import torch
from torch import nn

DTYPES = {"f32": torch.float32, "f64": torch.float64, "bf16": torch.bfloat16, "f16": torch.float16}
SEEDS = (-(2**63), 2**64 - 1)
FULL = ("f32", "f64")
I = nn.init

# Of any rank: what fanin is told, and what torch is.
ANY = {
    "torch.normal_": I.normal_,
    "normal:mean=0.5,std=0.02": lambda tensor: I.normal_(tensor, 0.5, 0.02),
    "torch.uniform_": I.uniform_,
    "uniform:low=-0.3,high=1.1": lambda tensor: I.uniform_(tensor, -0.3, 1.1),
    "torch.trunc_normal_": I.trunc_normal_,
}

# Of two axes and more.
WEIGHTS = {
    "torch.xavier_uniform_": I.xavier_uniform_,
    "torch.xavier_normal_": I.xavier_normal_,
    "glorot-uniform:gain=tanh": lambda tensor: I.xavier_uniform_(tensor, 5 / 3),
    "he-uniform:gain=relu": lambda tensor: I.kaiming_uniform_(tensor, nonlinearity="relu"),
    "he-normal:gain=relu": lambda tensor: I.kaiming_normal_(tensor, nonlinearity="relu"),
    "he-normal:gain=relu,mode=fan-out": lambda tensor: I.kaiming_normal_(tensor, mode="fan_out", nonlinearity="relu"),
    "torch-linear": lambda tensor: I.kaiming_uniform_(tensor, 5**0.5),
}


def arrays(tensors):
    """As NumPy has them; bfloat16 as its words."""
    plain = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
    return {n: (t.view(torch.uint16) if t.dtype == torch.bfloat16 else t).numpy() for n, t in plain.items()}


def drawn(draw, seed, shapes, dtype):
    torch.manual_seed(seed)
    return arrays({name: draw(torch.empty(shape, dtype=DTYPES[dtype])) for name, shape in shapes.items()})


def single(grid):
    for ranks, initializers in (((1, 2, 3, 4), ANY), ((2, 3, 4), WEIGHTS)):
        for scheme, draw in initializers.items():
            for seed, shape, dtype in grid.cells(seeds=SEEDS, ranks=ranks):
                arguments = grid.init(scheme, shape, "torch", seed, dtype)
                yield arguments, lambda d=draw, s=seed, h=shape, t=dtype: drawn(d, s, {"w": h}, t)


def sequences(grid):
    """Small tensors of an odd count leave half of a pair of normals for the next small one."""
    for scheme in ("torch.normal_", "torch.uniform_", "torch.trunc_normal_"):
        for seed, shape, dtype in grid.cells(seeds=SEEDS, most=20000):
            shapes = {"w": shape, "a": (5,), "b": (17,), "c": (3, 3)}
            arguments = grid.init(scheme, shape, "torch", seed, dtype)
            arguments[3:3] = [f"{name}={grid.words(size)}" for name, size in list(shapes.items())[1:]]
            yield arguments, lambda d=ANY[scheme], s=seed, h=shapes, t=dtype: drawn(d, s, h, t)


def matrices(grid):
    for seed, shape, dtype in grid.cells(seeds=SEEDS, ranks=(2,), dtypes=FULL, most=20000):
        yield (
            grid.init("torch.sparse_:sparsity=0.3", shape, "torch", seed, dtype),
            lambda s=seed, h=shape, t=dtype: drawn(lambda tensor: I.sparse_(tensor, 0.3), s, {"w": h}, t),
        )
    for seed, shape, dtype in grid.cells(seeds=SEEDS, ranks=(2, 3, 4), dtypes=FULL, most=20000):
        arguments = grid.init("torch.orthogonal_", shape, "torch", seed, dtype)
        yield arguments, lambda s=seed, h=shape, t=dtype: drawn(I.orthogonal_, s, {"w": h}, t)


def cases(grid):
    """What fanin is told, and what gives torch's arrays."""
    for part in (single, sequences, matrices):
        yield from part(grid)
