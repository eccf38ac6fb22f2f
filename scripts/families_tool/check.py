"""Checks of fanin against the library: plans, written folders, and models that run."""

import json
import os
import random
import subprocess
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file

from . import compare, facts, inputs, library, proposals, recorder, tables

FANIN = os.environ.get("FANIN", library.ROOT / "target" / "release" / "fanin")


def fanin(*arguments):
    if not Path(FANIN).exists():
        raise SystemExit(f"{FANIN} is missing: build it, or set FANIN")
    run = subprocess.run([FANIN, *map(str, arguments)], capture_output=True, text=True)
    if run.returncode:
        raise ValueError(run.stderr.strip())
    return run.stdout


def check(model_type, others):
    """The faults of all cases, of some random configurations, and of a model by its name."""
    cases = tables.cases(model_type)
    if not cases:
        return ["no cases: use `scripts/families propose`"]
    chosen = random.Random(model_type)
    named = {f"case {number}": case for number, case in enumerate(cases)}
    named |= {f"random {number}": varied_case(model_type, chosen.choice(cases), chosen) for number in range(others)}
    wrong = {}
    for title, case in named.items():
        with tempfile.TemporaryDirectory() as folder:
            for line in checked(model_type, case, Path(folder), load=title.startswith("case")):
                wrong.setdefault(line, []).append(title)
    failed = {title for titles in wrong.values() for title in titles if title.startswith("random")}
    lines = [f"{line} [{', '.join(titles)}]" for line, titles in wrong.items()]
    return lines + [f"{title} is {json.dumps(named[title])}" for title in sorted(failed)]


def checked(model_type, case, folder, load):
    """The faults of a case."""
    model_class = facts.class_of(case)
    config = {"model_type": model_type, "architectures": [case["class"]], **case["config"]}
    (folder / "config.json").write_text(json.dumps(config))
    recorded = []
    try:
        known = facts.of(model_type, case, recorded.append)
    except ZeroDivisionError:
        # The library divides by a size less one.
        if load:
            raise
        return
    yield from recorded
    try:
        report = json.loads(fanin("model", folder / "config.json", "-o", f"{folder}/out/", "--dry-run", "--json"))
    except ValueError as error:
        # Random sizes need not divide each other.
        if load or "must be a multiple" not in str(error):
            yield str(error).replace(f"{folder}/", "")
        return
    faults, drawn = compare.plans(report, known)
    if faults.counts or not (load or drawn):
        yield from faults.lines()
        return
    fanin("model", folder / "config.json", "-o", f"{folder}/out/", "-q")
    written = load_file(folder / "out" / "model.safetensors")
    for name, values in written.items():
        if wrong := facts.complaint(known.tensors[name][1], values):
            faults.add(name, f"{wrong}, not as {known.tensors[name][1]}")
    yield from faults.lines()
    if load:
        yield from loaded(model_class, case, folder / "out", written, known.body)


def loaded(model_class, case, folder, written, body):
    """The faults of a folder that the library reads."""
    model, info = model_class.from_pretrained(folder, output_loading_info=True)
    for kind, found in info.items():
        if found:
            yield f"{kind}: {sorted(map(str, found))[:8]}"
    faults = compare.Faults(body)
    again = {name: values.contiguous() for name, values in recorder.converted(model, recorder.state(model)).items()}
    differing = [name for name, values in again.items() if name in written and not torch.equal(written[name], values)]
    for name in set(differing) - (altered(model_class, model.config) if differing else set()):
        faults.add(name, "other values when the library saves it again")
    for name in written.keys() - again.keys() - set(case.get("untied", ())):
        faults.add(name, "not saved again")
    yield from faults.lines()


def altered(model_class, config):
    """The tensors that the library changes when it reads its own file: Mamba's rescaled projections."""
    with tempfile.TemporaryDirectory() as folder:
        model_class._from_config(config).save_pretrained(folder)
        own = load_file(Path(folder) / "model.safetensors")
        model = model_class.from_pretrained(folder)
    reread = recorder.converted(model, recorder.state(model))
    return {name for name in own if name in reread and not torch.equal(own[name], reread[name])}


def varied_case(model_type, case, chosen):
    """A case with other sizes and flags."""
    config = case["config"]
    for path, value in proposals.leaves(library.saved(library.config(model_type, config))):
        column = chosen.randrange(proposals.SIZED)
        size = proposals.size_of(path[-1], value, column) if proposals.at(config, path) is not None else None
        if isinstance(value, bool) and chosen.random() < 0.15:
            size = not value
        if size is not None and proposals.builds(model_type, case["class"], changed := proposals.put(config, path, size)):
            config = changed
    return {**case, "config": config}


# --- a model by its name --------------------------------------------------------------------------------------------------------


def run(model_type):
    """The faults of a small model that fanin writes by its name: a forward pass and, if it can, a generation."""
    values = tables.cases(model_type)[0]["config"]
    chosen = [*proposals.leaves(values), *inputs.small(library.config(model_type, values))]
    settings = [word for path, value in chosen for word in ("--set", f"{'.'.join(path)}={setting(value)}")]
    with tempfile.TemporaryDirectory() as folder:
        fanin("model", model_type, *settings, "-o", f"{folder}/out/", "-q")
        name = json.loads((Path(folder) / "out" / "config.json").read_text())["architectures"][0]
        model, info = library.model_class(name).from_pretrained(f"{folder}/out", output_loading_info=True)
    wrong = [f"{name}: {kind}: {sorted(map(str, found))[:8]}" for kind, found in info.items() if found]
    with torch.no_grad():
        error = forward(model.eval())
    return wrong + [f"{name}: {error}"] * bool(error)


def setting(value):
    return value if isinstance(value, str) else json.dumps(value)


def forward(model):
    """Runs a model; the first error if no choice of inputs works."""
    error = None
    for chosen in inputs.of(model):
        try:
            model(**chosen)
            generated = model.can_generate()
            if generated:
                # The default configuration of some models has none.
                if model.generation_config.decoder_start_token_id is None:
                    model.generation_config.decoder_start_token_id = 0
                model.generate(**{name: value for name, value in chosen.items() if not name.startswith("decoder_")}, max_new_tokens=3)
            print(f"       {type(model).__name__} runs on {', '.join(chosen)}" + ", and generates" * generated)
            return None
        except Exception as found:
            error = error or f"{type(found).__name__}: {str(found).splitlines()[0] if str(found) else ''}"
    return error
