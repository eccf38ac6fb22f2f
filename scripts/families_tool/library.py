"""The `transformers` library: its configurations and classes by the name of a model type."""

import importlib
import json
import os
import pkgutil
import tempfile
import warnings
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
warnings.filterwarnings("ignore")

import torch
import transformers

transformers.logging.set_verbosity(transformers.logging.CRITICAL)
transformers.logging.disable_progress_bar()
torch.set_num_threads(1)

ROOT = Path(__file__).resolve().parent.parent.parent
RELEASE = f"transformers {transformers.__version__}"

# The types of the parts of a configuration that has no default.
PARTS = {
    "encoder-decoder": {"encoder": "bert", "decoder": "bert"},
    "speech-encoder-decoder": {"encoder": "wav2vec2", "decoder": "bert"},
    "vision-encoder-decoder": {"encoder": "vit", "decoder": "gpt2"},
    "vision-text-dual-encoder": {"vision_config": "clip_vision_model", "text_config": "bert"},
    "musicgen": {"text_encoder": "t5", "audio_encoder": "encodec", "decoder": "musicgen_decoder"},
}


def config_class(model_type):
    """The class of the configurations of a model type."""
    if model_type in transformers.CONFIG_MAPPING:
        return transformers.CONFIG_MAPPING[model_type]
    for module in pkgutil.iter_modules(transformers.models.__path__):
        try:
            found = importlib.import_module(f"transformers.models.{module.name}.configuration_{module.name}")
        except ImportError:
            continue
        for value in vars(found).values():
            if isinstance(value, type) and getattr(value, "model_type", None) == model_type:
                return value
    raise SystemExit(f"unknown model type `{model_type}`")


def model_class(name):
    """The class of a model; it may be one that the library does not export."""
    if exported := getattr(transformers, name, None):
        return exported
    for module in pkgutil.iter_modules(transformers.models.__path__):
        try:
            found = importlib.import_module(f"transformers.models.{module.name}.modeling_{module.name}")
        except ImportError:
            continue
        if hasattr(found, name):
            return getattr(found, name)
    raise SystemExit(f"unknown class `{name}`")


def config(model_type, values=None):
    """A configuration with some values in place of the defaults."""
    parts = {name: {"model_type": part} for name, part in PARTS.get(model_type, {}).items()}
    return config_class(model_type).from_dict(merged(parts, values or {}))


def merged(table, other):
    """Two nested tables; the second overrides the first."""
    both = dict(table)
    for key, value in other.items():
        nested = isinstance(value, dict) and isinstance(both.get(key), dict)
        both[key] = merged(both[key], value) if nested else value
    return both


def saved(config):
    """The `config.json` of a configuration."""
    with tempfile.TemporaryDirectory() as folder:
        config.save_pretrained(folder)
        return json.loads((Path(folder) / "config.json").read_text())
