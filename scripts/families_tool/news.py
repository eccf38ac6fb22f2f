"""Differences between the committed facts and the release of the library that is installed."""

import json

from . import compare, configs, facts, library, proposals, published, tables


def of(model_type):
    """The changes of a model type, each as a line."""
    found = list(keys(read_config(model_type), configs.facts(library.config(model_type))))
    table = tables.read(model_type)
    for number, (case, before) in enumerate(zip(table["cases"], tables.facts(table))):
        after = facts.of(model_type, case, found.append)
        found += [f"case {number} {case['class']}: {line}" for line in compare.changes(before, after)]
    for model in published.models():
        if model["type"] == model_type and published.measured(model) != model:
            found.append(f"{model['name']}: other tensors")
    known = {case["class"] for case in table["cases"]}
    found += [f"class without a case: {name}" for name in proposals.classes(model_type) if name not in known]
    return found


def read_config(model_type):
    return json.loads((configs.FOLDER / f"{model_type}.json").read_text())


def keys(before, after, path=""):
    """The changes of a configuration."""
    for kind, names in (("alias", "second names"), ("overridden", "overridden names")):
        if before.get(kind) != after.get(kind):
            yield f"{path or 'config'}: {names} {after.get(kind)}, they were {before.get(kind)}"
    for key in sorted(before["keys"].keys() | after["keys"].keys()):
        one, other = before["keys"].get(key), after["keys"].get(key)
        if isinstance(one, dict) and isinstance(other, dict):
            yield from keys(one, other, f"{path}{key}.")
        elif one != other:
            shown = lambda fact: "absent" if fact is None else f"{json.dumps(fact[1])} ({fact[0]})" if isinstance(fact, list) else "a table"
            yield f"{path}{key}: {shown(other)}, it was {shown(one)}"
