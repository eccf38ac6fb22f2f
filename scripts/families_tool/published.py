"""Published models, `tests/data/families/published.json`: their configurations, and the names and shapes of their tensors.

`config` is edited by hand: what differs from the default configuration in the published one and shapes a tensor. `tensors`,
`parameters` and `sha256` are of the model on the meta device. The hash is that of the sorted lines `NAME SHAPE`.
"""

import hashlib
import json
import math

import torch

from . import library, recorder, tables

PATH = tables.FOLDER / "published.json"


def models():
    return json.loads(PATH.read_text())


def write(models):
    PATH.write_text("[\n" + ",\n".join(f" {json.dumps(model)}" for model in models) + "\n]\n")


def measured(model):
    """A published model with the facts of its tensors."""
    model_class = getattr(library.transformers, model["class"])
    with torch.device("meta"):
        built = model_class(library.config(model["type"], {"architectures": [model["class"]], **model["config"]}))
    saved = recorder.converted(built, recorder.state(built))
    return {**model, **facts({name: list(tensor.shape) for name, tensor in saved.items()})}


def facts(shapes):
    lines = sorted(f"{name} {'x'.join(map(str, shape))}\n" for name, shape in shapes.items())
    return {
        "tensors": len(shapes),
        "parameters": sum(map(math.prod, shapes.values())),
        "sha256": hashlib.sha256("".join(lines).encode()).hexdigest(),
    }
