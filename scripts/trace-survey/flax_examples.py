"""Small modules of Flax for the survey of scripts/trace.py: the package has no models of its own."""

import jax
import jax.numpy as jnp
from flax import linen, nnx


class Perceptron(nnx.Module):
    def __init__(self, *, rngs):
        self.layers = nnx.List([nnx.Linear(64, 64, rngs=rngs) for _ in range(3)])
        self.norm = nnx.BatchNorm(64, rngs=rngs)
        self.head = nnx.Linear(64, 10, kernel_init=nnx.initializers.normal(0.02), rngs=rngs)


class Convolutions(nnx.Module):
    def __init__(self, *, rngs):
        sizes = [3, 16, 32, 64]
        self.stages = nnx.List(
            [
                nnx.Conv(one, two, (3, 3), kernel_init=nnx.initializers.he_normal(), rngs=rngs)
                for one, two in zip(sizes, sizes[1:])
            ]
        )
        self.norms = nnx.List([nnx.GroupNorm(size, num_groups=4, rngs=rngs) for size in sizes[1:]])
        self.head = nnx.Linear(64, 10, kernel_init=nnx.initializers.zeros, rngs=rngs)


class Layer(nnx.Module):
    def __init__(self, width, *, rngs):
        self.norm1, self.norm2 = nnx.LayerNorm(width, rngs=rngs), nnx.LayerNorm(width, rngs=rngs)
        self.attention = nnx.MultiHeadAttention(4, width, rngs=rngs)
        self.up, self.down = nnx.Linear(width, 4 * width, rngs=rngs), nnx.Linear(4 * width, width, rngs=rngs)


class Decoder(nnx.Module):
    def __init__(self, width=48, layers=4, *, rngs):
        self.embedding = nnx.Embed(1000, width, rngs=rngs)
        self.positions = nnx.Param(0.02 * jax.random.normal(rngs.params(), (128, width)))
        self.scale = nnx.Param(jnp.full(width, 0.1))
        self.layers = nnx.List([Layer(width, rngs=rngs) for _ in range(layers)])


class Recurrent(nnx.Module):
    def __init__(self, *, rngs):
        self.cell = nnx.OptimizedLSTMCell(16, 32, rngs=rngs)
        self.gates = nnx.GRUCell(32, 32, rngs=rngs)
        self.lora = nnx.LoRA(32, 4, 32, rngs=rngs)


class Attention(linen.Module):
    layers: int = 3

    @linen.compact
    def __call__(self, x, train):
        x = x + self.param("positions", linen.initializers.normal(0.02), (1, *x.shape[1:]))
        for _ in range(self.layers):
            y = linen.LayerNorm()(x)
            x = x + linen.MultiHeadDotProductAttention(4)(y, y)
            x = x + linen.Dense(x.shape[-1])(linen.gelu(linen.Dense(4 * x.shape[-1])(linen.LayerNorm()(x))))
        x = linen.BatchNorm(use_running_average=not train)(x)
        return linen.Dense(10, kernel_init=linen.initializers.orthogonal())(x.mean(axis=1))


class Scanned(linen.Module):
    """Layers whose parameters are stacked."""

    @linen.compact
    def __call__(self, x):
        def step(layer, x, _):
            return layer(x), None

        stack = linen.scan(step, variable_axes={"params": 0}, split_rngs={"params": True}, length=5)
        x, _ = stack(linen.Dense(x.shape[-1], name="dense"), x, None)
        return linen.ConvTranspose(3, (4, 4), name="up")(x)
