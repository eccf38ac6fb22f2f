"""Default configurations: `src/model/configs/TYPE.json` has each key with its type and its default."""

import json
import types
import typing
from dataclasses import fields, is_dataclass

import transformers

from . import library

FOLDER = library.ROOT / "src" / "model" / "configs"
OMITTED = ("transformers_version", "architectures", "dtype", "torch_dtype", "model_type")
# Keys from which classes compute others, and which no changed value shows.
SOURCES = {"per_layer_config": {"global_head_dim", "num_global_key_value_heads"}, "down_ops": {"key_dim"}}
WORDS = {bool: "bool", int: "int", float: "float", str: "str", type(None): "none", typing.Any: "any", object: "any"}
ORDER = ["bool", "int", "float", "str", "list", "dict", "any", "none"]


def write(model_type):
    path = FOLDER / f"{model_type}.json"
    path.write_text("\n".join(lines(facts(library.config(model_type)))) + "\n")
    print(f"{path.stat().st_size:7} {path.relative_to(library.ROOT)}")


def facts(config, table=None):
    """Second names and keys of a configuration; those of its parts are nested."""
    table = library.saved(config) if table is None else table
    kinds, sources, keys = annotations(type(config)), computed(type(config)), {}
    for key, value in table.items():
        part = vars(config).get(key)
        if key in OMITTED:
            continue
        if isinstance(part, transformers.PreTrainedConfig):
            keys[key] = {"model_type": part.model_type, **facts(part, value)}
        else:
            keys[key] = [kinds.get(key, "any"), value]
            family = getattr(config.sub_configs.get(key), "model_type", "")
            if value is None and family:
                keys[key].append(family)  # a part that is absent by default
            if key in sources:
                counted = counting(type(config), key, value, sources[key])
                keys[key] += [sources[key], *([counted] if counted else [])]
    return {**second_names(type(config), table), "keys": keys}


def second_names(config_class, table):
    """The second names of keys. Those that the class ignores are left out, or listed if it does so only next to the first name."""
    alias, overridden = {}, []
    for name, key in sorted(config_class.attribute_map.items()):
        value = table.get(key)
        other = next((other for other in others(value) if other != value), None)
        alone, both = changed(config_class, {name: other}), changed(config_class, {key: other, name: value})
        tested = key in table and name != key and other is not None
        if tested and alone and alone[key] == value:
            continue
        alias[name] = key
        if tested and both and both[key] == other:
            overridden.append(name)
    return {"alias": alias, **({"overridden": overridden} if overridden else {})}


def computed(config_class):
    """The keys that the class computes from others if they are missing, each with those others."""
    try:
        table = library.saved(config_class())
    except Exception:  # a class without a default configuration
        return {}
    found = moved(config_class, table, {})
    for switch in (key for key, value in table.items() if isinstance(value, bool)):
        # A switch counts for keys that matter with it only.
        for key, sources in moved(config_class, table, {switch: not table[switch]}).items():
            if more := sources - found.get(key, set()) - {key}:
                found.setdefault(key, set()).update({switch, *more} - {key})
    return {key: sorted(sources | SOURCES.get(key, set())) for key, sources in found.items()}


def counting(config_class, key, value, sources):
    """The key that counts the items of a computed list whose first items are the same for fewer, if there is one."""
    if not isinstance(value, list) or len(value) < 4:
        return None
    if value == list(range(len(value))):
        return None  # numbers of layers, such as all of those with experts
    for source in sources:
        fewer = {count: changed(config_class, {source: count}) for count in (len(value) - 1, len(value) // 2, 2)}
        if all(table and table.get(key) == value[:count] for count, table in fewer.items()):
            return source
    return None


def moved(config_class, table, values):
    """The keys that differ from these values' configuration if another key is changed, each with those others."""
    found = {}
    before = changed(config_class, values) or {}
    for key in table.keys() - values.keys() - set(OMITTED):
        for other in others(before.get(key)):
            after = changed(config_class, {**values, key: other}) or before
            for name in table.keys() - {key, *OMITTED}:
                if after.get(name) != before.get(name):
                    found.setdefault(name, set()).add(key)
    return found


def changed(config_class, values):
    """The configuration as it is saved with some values changed; `None` if the class refuses them."""
    try:
        return library.saved(config_class(**values))
    except Exception:
        return None


def others(value):
    """Other values of a key, the likeliest first."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [2 * value, value // 2, value + 1]
    if isinstance(value, float):
        return [2 * value + 1.0]
    if isinstance(value, list) and value:
        inner = value[0][0][::-1] if isinstance(value[0], list) and isinstance(value[0][0], list) else None
        return [value + value, value[:-1], value[::-1], *([[[inner, *value[0][1:]], *value[1:]]] if inner else [])]
    return [7] if value is None else ["relu", "gated-gelu"] if isinstance(value, str) else []


def annotations(config_class):
    """The types of the keys that the library checks; a field may have the second name of a key."""
    if not is_dataclass(config_class):
        return {}
    types = {field.name: words(field.type) for field in fields(config_class)}
    return {**{config_class.attribute_map.get(name, name): kinds for name, kinds in types.items()}, **types}


def words(annotation):
    """A type in simple words: `int|none`."""
    if isinstance(annotation, str):
        annotation = eval(annotation, {**vars(typing), "torch": library.torch})
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        known = {word for part in typing.get_args(annotation) for word in words(part).split("|")}
        return "|".join(sorted(known, key=ORDER.index))
    if typing.get_origin(annotation) is typing.Literal:
        return words(typing.Union[tuple(type(value) for value in typing.get_args(annotation))])
    if typing.get_origin(annotation) is typing.Annotated:
        return words(typing.get_args(annotation)[0])
    plain = typing.get_origin(annotation) or annotation
    if plain in WORDS:
        return WORDS[plain]
    if not isinstance(plain, type):
        return "any"
    if issubclass(plain, (list, tuple, set)):
        return "list"
    if issubclass(plain, (dict, transformers.PreTrainedConfig)):
        return "dict"
    return "any"


def lines(facts, indent=""):
    """The text of a table of facts, a key on each line."""
    names = "".join(f"{json.dumps(key)}: {json.dumps(facts[key])}, " for key in ("alias", "overridden") if key in facts)
    yield f'{indent}{{{names}"keys": {{'
    last = len(facts["keys"]) - 1
    for place, (key, value) in enumerate(facts["keys"].items()):
        comma = "," if place < last else ""
        if isinstance(value, list):
            yield f"{indent}  {json.dumps(key)}: {json.dumps(value)}{comma}"
            continue
        first, *rest = lines(value, indent + "  ")
        head = f'{json.dumps(key)}: {{"model_type": {json.dumps(value["model_type"])}, '
        yield f"{indent}  {head}{first.strip()[1:]}"
        yield from rest[:-1]
        yield rest[-1] + comma
    yield indent + "}}"
