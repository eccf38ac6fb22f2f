"""Proposed cases: small and odd sizes, every flag that changes the tensors, and every class of the library."""

import copy
import functools
import importlib
import json
import re

import torch
import transformers

from . import facts, library

SIZED = 3  # cases of different sizes
# Sizes of the first cases by the words of a key; the first pattern that matches decides.
SIZES = [
    (r"type_vocab_size", (2, 3, 1)),
    (r"vocab_size", (101, 67, 131)),
    (r"num_(local_|routed_)?experts$|n_routed_experts|moe_num_experts", (4, 6, 8)),
    (r"experts_per_tok|top_?k|num_selected_experts", (2, 2, 2)),
    (r"n_group|topk_group|n_shared_experts|num_shared_experts|first_k_dense_replace", (1, 1, 2)),
    (r"key_value_heads|num_kv_heads|n_head_kv", (2, 4, 1)),
    (r"heads|n_head$", (4, 4, 2)),
    (r"(num|n|encoder|decoder)_(.*_)?layers?$|^depth$", (2, 3, 1)),
    (r"head_dim|^d_kv$|^d_head$", (16, 12, 8)),
    (r"intermediate|ffn|^d_ff$|^n_inner$|mlp_dim|feed_?forward_(dim|size)", (56, 37, 51)),
    (r"lora_rank|state_size|mamba_d_state|_rank$", (8, 6, 10)),
    (r"max_(source_|target_)?(position|sequence)|n_positions|^n_ctx$|max_seq_len", (40, 33, 51)),
    (r"image_size|^img_size$", (32, 24, 40)),
    (r"patch_size$", (8, 8, 4)),
    (r"hidden_size|^d_model$|^n_embd$|^dim$|embed(ding)?_dim|hidden_dim|projection_dim|emb_dim|embedding_size", (48, 40, 24)),
]
# Sizes of the stages of a network, in a list.
STAGES = [
    (r"depth|num_layers|num_blocks", (1, 2, 1, 1)),
    (r"heads", (1, 2, 4, 4)),
    (r"hidden_sizes|embed_dims|dims$|channels|hidden_size$", (8, 16, 24, 48)),
]
UNUSUAL = re.compile("PreTrained|Pretrained|Backbone$")
CHANGED = [(r"initializer_range|init_std|^std$|initializer_std", 0.05), (r"initializer_factor|init_factor", 0.7)]


def propose(model_type, cases):
    """The given cases, or a small one, and more until each class and each flag has one."""
    names = classes(model_type)
    base = copy.deepcopy(cases[0]["config"]) if cases else small(model_type, names[0], 0)
    if not cases:
        cases = [{"class": names[0], "config": base}]
    for number in range(len(cases), SIZED):
        name = names[number % len(names)]
        name = name if builds(model_type, name, base) else cases[0]["class"]
        cases.append({"class": name, "config": resized(model_type, name, base, number)})
    flip(model_type, cases)
    known = {case["class"] for case in cases}
    # The others need more than sizes, such as a list of layers.
    others = [name for name in names if name not in known and builds(model_type, name, base)]
    return cases + [{"class": name, "config": base} for name in others]


def classes(model_type):
    """The classes of a model type: those that generate or predict first, the base model second."""
    config_class = library.config_class(model_type)
    module = config_class.__module__.replace("configuration_", "modeling_")
    found = []
    for name, value in vars(importlib.import_module(module)).items():
        own = isinstance(value, type) and issubclass(value, transformers.PreTrainedModel) and value.__module__ == module
        if own and value.config_class is config_class and hasattr(transformers, name) and not UNUSUAL.search(name):
            found.append(name)
    order = ("ForConditionalGeneration", "ForCausalLM", "LMHeadModel", "ForMaskedLM", "ForImageClassification", "Model")
    rank = lambda name: next((place for place, end in enumerate(order) if name.endswith(end)), len(order))
    return sorted(found, key=rank)


# --- sizes ----------------------------------------------------------------------------------------------------------------------


def small(model_type, name, column):
    """A configuration with a small size for each key that has a pattern and can be changed."""
    config, default = {}, library.saved(library.config(model_type))
    wanted = [(path, size) for path, value in leaves(default) if (size := size_of(path[-1], value, column)) is not None]
    for _ in range(2):
        for path, size in wanted:
            changed = put(config, path, size)
            if builds(model_type, name, changed):
                config = changed
    return config


def resized(model_type, name, base, column):
    """A configuration with other sizes in the keys of a small one."""
    config = copy.deepcopy(base)
    for path, value in leaves(base):
        size = size_of(path[-1], value, column)
        if size is not None and builds(model_type, name, changed := put(config, path, size)):
            config = changed
    for path, value in leaves(library.saved(library.config(model_type, base))):
        number = next((number for pattern, number in CHANGED if re.search(pattern, path[-1])), None)
        if column == 2 and number and isinstance(value, float):
            config = put(config, path, number)
    return config


def size_of(key, value, column):
    if isinstance(value, list) and value and all(type(item) is int for item in value):
        stages = next((stages for pattern, stages in STAGES if re.search(pattern, key)), None)
        width = 1 + column if stages and stages[-1] == 48 else 1
        return stages and [width * stages[place % len(stages)] for place in range(len(value))]
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return next((sizes[column] for pattern, sizes in SIZES if re.search(pattern, key)), None)


def leaves(table, path=()):
    for key, value in table.items():
        if isinstance(value, dict) and key not in ("rope_parameters", "per_layer_config"):
            yield from leaves(value, (*path, key))
        elif key not in ("model_type", "transformers_version"):
            yield (*path, key), value


def put(table, path, value):
    """A copy of a nested table with one value changed."""
    table = copy.deepcopy(table)
    inner = table
    for key in path[:-1]:
        inner = inner.setdefault(key, {})
    inner[path[-1]] = value
    return table


def builds(model_type, name, config):
    try:
        shapes(model_type, name, config)
    except Exception:
        return False
    return True


def shapes(model_type, name, config):
    """Names and shapes on the meta device."""
    with torch.device("meta"):
        model = getattr(transformers, name)(library.config(model_type, config))
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}, model.all_tied_weights_keys


# --- flags ----------------------------------------------------------------------------------------------------------------------


def flip(model_type, cases):
    """Changes the flags and the keys that may be null, in the first case after the first that allows it."""
    for path, value in changes(model_type, cases[0]):
        if any(at(case["config"], path) is not None for case in cases[1:]):
            continue
        for case in cases[1:]:
            changed = put(case["config"], path, value)
            if builds(model_type, case["class"], changed) and facts_of(model_type, case, changed) != facts_of(model_type, case):
                case["config"] = changed
                break


def changes(model_type, case):
    """The changes of one key that change the tensors of a case."""
    before = facts_of(model_type, case)
    for path, value in leaves(library.saved(library.config(model_type, case["config"]))):
        for other in others(path[-1], value):
            changed = put(case["config"], path, other)
            after = facts_of(model_type, case, changed)
            if after not in (before, None):
                yield path, other
                break


def others(key, value):
    if isinstance(value, bool):
        return [not value]
    if key.endswith("pad_token_id"):
        return [None, 7] if value is not None else [7]
    if value is None:
        return [2, 24]
    if key.startswith("num_key_value") or key.endswith("_rank"):
        return [None]
    return []


def at(table, path):
    for key in path:
        table = table.get(key) if isinstance(table, dict) else None
    return table


def facts_of(model_type, case, config=None):
    """What a change of a flag may change; `None` if the library refuses it."""
    return recorded(model_type, case["class"], json.dumps(case["config"] if config is None else config))


@functools.lru_cache(maxsize=8)
def recorded(model_type, name, config):
    try:
        found = facts.of(model_type, {"class": name, "config": json.loads(config)}, draws=0)
        return found.tensors, found.ties
    except Exception:
        return None
