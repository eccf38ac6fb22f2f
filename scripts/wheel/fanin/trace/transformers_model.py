"""Traces a model of transformers from its config.json, under the names of the files that `save_pretrained` writes."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import torch

from . import torch_model
from .tensors import Model, Tensor
from .torch_recorder import Recorder


def trace(path, words):
    """The tensors of the class that `architectures` names, or of `class=NAME`."""
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    folder = path if path.is_dir() else path.parent
    file = path / "config.json" if path.is_dir() else path
    given = json.loads(file.read_text())
    settings = dict(word.split("=", 1) for word in words)
    config, model_class = found(transformers, folder, given, settings.get("class"))
    return of_class(model_class, config, f" of {file.name}")


def of_class(model_class, config, origin=""):
    """The tensors of a class with a configuration."""
    import transformers

    def build():
        return model_class(config)

    with Recorder() as recorder, torch.device("meta"), torch_model.initialising():
        module = build()
    rows = saved(recorder, module)
    source = f"{model_class.__name__}{origin}; transformers {transformers.__version__}"
    model = Model(f"{source}; torch {torch.__version__.split('+')[0]}", "torch", rows, build=build)
    torch_model.measure(model)
    model.load = lambda model, written: load(transformers, model_class, config, written)
    return model


def found(transformers, folder, given, word):
    """The configuration and the class of the model; remote code comes from the folder."""
    remote = given.get("auto_map")
    config = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=bool(remote))
    if remote:
        from transformers.dynamic_module_utils import get_class_from_dynamic_module

        names = [reference for key, reference in remote.items() if key != "AutoConfig"]
        wanted = word or (given.get("architectures") or [names[0].rpartition(".")[2]])[0]
        reference = next((name for name in names if name.endswith(f".{wanted}")), names[0])
        return config, get_class_from_dynamic_module(reference, folder)
    name = word or (given.get("architectures") or [None])[0]
    if name and hasattr(transformers, name):
        return config, getattr(transformers, name)
    return config, type(transformers.AutoModel.from_config(config))


def saved(recorder, module):
    """The tensors under the names of the file, and their schemes."""
    from transformers.core_model_loading import revert_weight_conversion

    state = module.state_dict(keep_vars=True)
    tied = dict(getattr(module, "all_tied_weights_keys", None) or {})
    for name in [*tied, *(module._keys_to_ignore_on_save or [])]:
        state.pop(name, None)
    plain = {name: tensor.detach() for name, tensor in state.items()}
    with Recorder() as second:
        second.states = recorder.states
        file = revert_weight_conversion(module, dict(plain))
    rows = torch_model.resolve(second, file)
    names = {row.name for row in rows}
    return rows + [Tensor(name, (), tied=to) for name, to in tied.items() if to in names]


def load(transformers, model_class, config, written):
    """A real draw as the library saves it, and fanin's file after the library has read it."""
    from safetensors.torch import load_file

    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        model_class(config).save_pretrained(folder / "own", max_shard_size="1TB")
        drawn = load_file(folder / "own" / "model.safetensors")
        (folder / "ours").mkdir()
        config.save_pretrained(folder / "ours")
        (folder / "ours" / "model.safetensors").write_bytes(Path(written).read_bytes())
        model, info = model_class.from_pretrained(folder / "ours", output_loading_info=True)
        wrong = {what: names for what, names in info.items() if names}
        if wrong:
            raise RuntimeError(f"from_pretrained: {wrong}")
    written = load_file(written)
    return {name: torch_model.array(tensor) for name, tensor in drawn.items()}, {
        name: torch_model.array(tensor) for name, tensor in written.items()
    }
