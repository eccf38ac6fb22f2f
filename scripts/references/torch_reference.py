"""PyTorch's own initializers: `torch.nn.init` and the modules of `torch.nn`, after `torch.manual_seed`."""

import torch
from torch import nn

DTYPES = {"f32": torch.float32, "f64": torch.float64, "bf16": torch.bfloat16, "f16": torch.float16}
SEEDS = (-(2**63), 2**64 - 1)
FULL = ("f32", "f64")
I = nn.init

# Of any rank: fanin's expression, and torch's call.
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
    "fan-in-uniform": lambda tensor: I.kaiming_uniform_(tensor, 5**0.5),
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


# What fanin is told, and torch's modules, of whose tensors those that fanin has are taken.
MODULES = {
    "torch.nn.Linear 16x17": lambda: nn.Linear(17, 16),
    "torch.nn.Linear:bias=false 5x3": lambda: nn.Linear(3, 5, bias=False),
    "torch.nn.Linear 257x255 10x257": lambda: nn.Sequential(nn.Linear(255, 257), nn.Linear(257, 10)),
    "torch.nn.Conv1d 16x8x5": lambda: nn.Conv1d(8, 16, 5),
    "torch.nn.Conv2d:groups=4 32x4x3x3": lambda: nn.Conv2d(16, 32, 3, groups=4),
    "torch.nn.Conv3d 8x4x3x2x3": lambda: nn.Conv3d(4, 8, (3, 2, 3)),
    "torch.nn.ConvTranspose1d 16x8x5": lambda: nn.ConvTranspose1d(16, 8, 5),
    "torch.nn.ConvTranspose2d:groups=2 16x4x3x3": lambda: nn.ConvTranspose2d(16, 8, 3, groups=2),
    "torch.nn.ConvTranspose3d 6x4x3x3x2": lambda: nn.ConvTranspose3d(6, 4, (3, 3, 2)),
    "torch.nn.Embedding 100x16": lambda: nn.Embedding(100, 16),
    "torch.nn.Embedding:padding_idx=2 3x5": lambda: nn.Embedding(3, 5, padding_idx=2),
    "torch.nn.EmbeddingBag 10x16": lambda: nn.EmbeddingBag(10, 16),
    "torch.nn.RNN 5x3": lambda: nn.RNN(3, 5),
    "torch.nn.LSTM 256x32": lambda: nn.LSTM(32, 64),
    "torch.nn.LSTM:num_layers=3,bidirectional=true 16x3": lambda: nn.LSTM(3, 4, num_layers=3, bidirectional=True),
    "torch.nn.GRU:layers=2,bias=false 12x3": lambda: nn.GRU(3, 4, 2, bias=False),
    "torch.nn.MultiheadAttention 192x64": lambda: nn.MultiheadAttention(64, 4),
    "torch.nn.MultiheadAttention:bias=false 15x5": lambda: nn.MultiheadAttention(5, 1, bias=False),
    "torch.nn.MultiheadAttention a=15x5 b=48x16": lambda: nn.ModuleDict(
        {"a": nn.MultiheadAttention(5, 1), "b": nn.MultiheadAttention(16, 2)}
    ),
    "torch.nn.Bilinear 8x16x32": lambda: nn.Bilinear(16, 32, 8),
    "torch.nn.GRU first=15x4 second=15x5": lambda: nn.ModuleDict({"first": nn.GRU(4, 5), "second": nn.GRU(5, 5)}),
    "torch.nn.Embedding a=3x3 b=7x1": lambda: nn.ModuleDict({"a": nn.Embedding(3, 3), "b": nn.Embedding(7, 1)}),
    "torch.nn.Linear 3x0": lambda: nn.Linear(0, 3),
    "torch.nn.Linear a=5x0 b=4x5": lambda: nn.ModuleDict({"a": nn.Linear(0, 5), "b": nn.Linear(5, 4)}),
    "torch.nn.Conv2d a=3x0x3x3 b=2x3x1x1": lambda: nn.ModuleDict({"a": nn.Conv2d(0, 3, 3), "b": nn.Conv2d(3, 2, 1)}),
    "torch.nn.ConvTranspose1d a=3x2x0 b=2x3x1": lambda: nn.ModuleDict(
        {"a": nn.ConvTranspose1d(3, 2, 0), "b": nn.ConvTranspose1d(2, 3, 1)}
    ),
    "torch.nn.Bilinear a=2x3x0 b=2x3x4": lambda: nn.ModuleDict({"a": nn.Bilinear(3, 0, 2), "b": nn.Bilinear(3, 4, 2)}),
    "torch.nn.Embedding:padding_idx=-2 7x5": lambda: nn.Embedding(7, 5, padding_idx=-2),
    "torch.nn.EmbeddingBag:padding_idx=0 a=3x20 b=2x3": lambda: nn.ModuleDict(
        {"a": nn.EmbeddingBag(3, 20, padding_idx=0), "b": nn.EmbeddingBag(2, 3, padding_idx=0)}
    ),
    "torch.nn.LSTM:num_layers=2,bidirectional=true,proj_size=2 16x3": lambda: nn.LSTM(
        3, 4, 2, bidirectional=True, proj_size=2
    ),
    "torch.nn.LSTM:proj_size=5,bias=false 28x9": lambda: nn.LSTM(9, 7, bias=False, proj_size=5),
    "torch.nn.RNNCell 20x10": lambda: nn.RNNCell(10, 20),
    "torch.nn.LSTMCell:bias=false 80x10": lambda: nn.LSTMCell(10, 20, bias=False),
    "torch.nn.LSTMCell 8x0": lambda: nn.LSTMCell(0, 2),
    "torch.nn.GRUCell a=9x5 b=60x3": lambda: nn.ModuleDict({"a": nn.GRUCell(5, 3), "b": nn.GRUCell(3, 20)}),
    "torch.nn.MultiheadAttention:kdim=3,vdim=7,num_heads=2 64x64": lambda: nn.MultiheadAttention(64, 2, kdim=3, vdim=7),
    "torch.nn.MultiheadAttention:kdim=3,vdim=8,add_bias_kv=true 8x8": lambda: nn.MultiheadAttention(
        8, 2, kdim=3, vdim=8, add_bias_kv=True
    ),
    "torch.nn.MultiheadAttention:add_bias_kv=true,bias=false 60x20": lambda: nn.MultiheadAttention(
        20, 5, bias=False, add_bias_kv=True
    ),
    "torch.nn.TransformerEncoderLayer:nhead=2 24x12": lambda: nn.TransformerEncoderLayer(12, 2, 24),
    "torch.nn.TransformerEncoderLayer:bias=false a=7x4 b=5x3": lambda: nn.ModuleDict(
        {"a": nn.TransformerEncoderLayer(4, 2, 7, bias=False), "b": nn.TransformerEncoderLayer(3, 3, 5, bias=False)}
    ),
    "torch.nn.TransformerDecoderLayer:activation=gelu 20x8": lambda: nn.TransformerDecoderLayer(
        8, 4, 20, activation="gelu"
    ),
    "torch.nn.TransformerEncoder:num_layers=3 20x8": lambda: nn.TransformerEncoder(
        nn.TransformerEncoderLayer(8, 4, 20), 3
    ),
    "torch.nn.TransformerEncoder:num_layers=2,norm=true,bias=false 6x4": lambda: nn.TransformerEncoder(
        nn.TransformerEncoderLayer(4, 1, 6, bias=False), 2, nn.LayerNorm(4, bias=False)
    ),
    "torch.nn.TransformerDecoder:num_layers=2 a=6x4 b=20x8": lambda: nn.ModuleDict(
        {
            "a": nn.TransformerDecoder(nn.TransformerDecoderLayer(4, 2, 6), 2),
            "b": nn.TransformerDecoder(nn.TransformerDecoderLayer(8, 2, 20), 2),
        }
    ),
    "torch.nn.Transformer:nhead=4,num_encoder_layers=2,num_decoder_layers=3 24x16": lambda: nn.Transformer(
        16, 4, 2, 3, 24
    ),
    "torch.nn.Transformer:bias=false,num_encoder_layers=1,num_decoder_layers=1 a=6x4 b=9x8": lambda: nn.ModuleDict(
        {"a": nn.Transformer(4, 2, 1, 1, 6, bias=False), "b": nn.Transformer(8, 2, 1, 1, 9, bias=False)}
    ),
    "torch.nn.Transformer a=5x4 b=3x2": lambda: nn.ModuleDict(
        {"a": nn.Transformer(4, 2, dim_feedforward=5), "b": nn.Transformer(2, 1, dim_feedforward=3)}
    ),
    "torch.nn.LayerNorm 3x5": lambda: nn.LayerNorm((3, 5)),
    "torch.nn.LayerNorm:bias=false 7": lambda: nn.LayerNorm(7, bias=False),
    "torch.nn.RMSNorm 7": lambda: nn.RMSNorm(7),
    "torch.nn.GroupNorm:num_groups=2 6": lambda: nn.GroupNorm(2, 6),
    "torch.nn.BatchNorm1d 7": lambda: nn.BatchNorm1d(7),
    "torch.nn.BatchNorm2d:affine=false 7": lambda: nn.BatchNorm2d(7, affine=False),
    "torch.nn.BatchNorm3d:track_running_stats=false 7": lambda: nn.BatchNorm3d(7, track_running_stats=False),
    "torch.nn.InstanceNorm2d:affine=true 7": lambda: nn.InstanceNorm2d(7, affine=True),
    "torch.nn.InstanceNorm1d:track_running_stats=true 7": lambda: nn.InstanceNorm1d(7, track_running_stats=True),
    "torch.nn.PReLU:init=0.1 3": lambda: nn.PReLU(3, 0.1),
    "torch.nn.PReLU 1": lambda: nn.PReLU(),
}


def modules(grid):
    for number, (told, module) in enumerate(MODULES.items()):
        for column, seed in enumerate(grid.seeds(SEEDS)):
            dtype = grid.dtypes[(number + column) % len(grid.dtypes)]
            scheme, *shapes = told.split()
            arguments = grid.init(scheme, (), "torch", seed, dtype)
            arguments[2:3] = shapes
            yield arguments, lambda m=module, s=seed, t=dtype: made(m, s, t)


def stacks(grid):
    """`fanin mlp` is a stack of dense layers with activations between them, which count."""
    for number, sizes in enumerate(((784, 256, 10), (3, 5, 5, 2), (4, 1))):
        for column, seed in enumerate(grid.seeds(SEEDS)):
            dtype = grid.dtypes[(number + column) % len(grid.dtypes)]
            given = ["--seed", str(seed)] if seed >= 0 else [f"--seed={seed}"]
            words = ["mlp", "-".join(map(str, sizes)), "--like", "torch", *given, "--dtype", dtype]
            layers = [part for pair in zip(sizes, sizes[1:], strict=False) for part in (pair, None)][:-1]
            yield words, lambda s=seed, t=dtype, layers=layers: made(
                lambda: nn.Sequential(*(nn.ReLU() if pair is None else nn.Linear(*pair) for pair in layers)), s, t
            )


def made(module, seed, dtype):
    """The tensors of a module that is made with elements of a type."""
    torch.set_default_dtype(DTYPES[dtype])
    torch.manual_seed(seed)
    try:
        # The counter of a batch norm is an integer, which fanin does not draw.
        return arrays({name: tensor for name, tensor in module().state_dict().items() if tensor.is_floating_point()})
    finally:
        torch.set_default_dtype(torch.float32)


def cases(grid):
    """What fanin is told, and what gives torch's arrays."""
    for part in (single, sequences, matrices, modules, stacks):
        yield from part(grid)
