"""Traces the models of models.txt and writes their tables in docs/tracing.md.

    scripts/trace-survey [WORDS] [--page FILE]

WORDS limits it to the models whose command has them, and traces those again. The Python that runs it needs timm,
torchvision, Keras, Flax and flaxmodels. FANIN names the program [default: target/release/fanin].
"""

import argparse
import gc
import json
import math
import os
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "scripts/wheel"), str(HERE)]
os.environ.setdefault("FANIN", str(ROOT / "target/release/fanin"))

from fanin.trace import callables, check, toml  # noqa: E402

PAGE = ROOT / "docs" / "tracing.md"
KEPT = ROOT / "target" / "trace-survey.json"  # results by model: a survey that is stopped goes on where it was
DRAWN = 40_000_000  # elements of a model that is drawn; of larger ones, names, shapes and dtypes are compared
BEGIN, END = "<!-- survey -->", "<!-- end of the survey -->"


def models():
    """Every model of models.txt: its section, the words of its command, and example inputs."""
    section = ""
    for line in (HERE / "models.txt").read_text().splitlines():
        words, *inputs = line.split(" --input ")
        if line.startswith("# "):
            section = line[2:]
        elif line:
            word, *words = words.split()
            yield section, word, words, inputs


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="?", default="")
    parser.add_argument("--page", type=Path, default=PAGE, metavar="FILE")
    arguments = parser.parse_args()
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    KEPT.parent.mkdir(exist_ok=True)
    wrong, wanted = 0, arguments.words
    for section, word, words, inputs in models():
        name = " ".join([word, *words])
        if wanted and wanted not in name:
            continue
        if name not in kept or wanted:
            started = time.monotonic()
            kept[name] = one(section, word, words, inputs)
            KEPT.write_text(json.dumps(kept, indent=1))
            print(f"{time.monotonic() - started:6.1f} s  {name}: {kept[name]['result']}", file=sys.stderr, flush=True)
        wrong += bool(kept[name]["wrong"])
    page(arguments.page, kept)
    return 1 if wrong else 0


def one(section, word, words, inputs):
    """The result of one model."""
    framework = {"keras.applications": "keras", "Flax": "flax"}.get(section, "torch")
    try:
        model = callables.of_name(word, words, framework, inputs)
    except BaseException as error:  # noqa: BLE001 - a survey goes on
        if isinstance(error, KeyboardInterrupt):
            raise
        return {"wrong": True, "result": f"not traced: {type(error).__name__}: {str(error).splitlines()[0][:100]}"}
    text = toml.write(model)
    elements = sum(math.prod(tensor.shape) for tensor in model.tensors if not tensor.tied)
    drawn = elements <= DRAWN
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recipe.toml"
        path.write_text(text)
        try:
            wrong = list((check.values if drawn else check.names)(model, path))
        except Exception as error:  # noqa: BLE001
            wrong = [f"{type(error).__name__}: {error}"]
    missing = [tensor for tensor in model.tensors if tensor.note]
    result = "drawn" if drawn else "names, shapes, types"
    if wrong:
        result = f"{len(wrong)} differences: {wrong[0][:160]}"
    notes = {}
    for tensor in missing:
        notes[tensor.note] = notes.get(tensor.note, 0) + 1
    gc.collect()
    versions = model.source.partition("; ")[2]
    return {
        "tensors": len(model.tensors),
        "elements": elements,
        "lines": text.count("\n"),
        "notes": notes,
        "wrong": wrong[:5],
        "result": result,
        "versions": versions,
    }


def page(path, kept):
    """Writes the tables between their marks."""
    sections = {}
    for section, word, words, _ in models():
        if (row := kept.get(" ".join([word, *words]))) is not None:
            shown = words[0] if word == "timm.create_model" else word.rpartition(".")[2]
            sections.setdefault(section, []).append((shown, row))
    lines = [BEGIN, ""]
    for section, rows in sections.items():
        [versions, *_] = sorted({row["versions"] for _, row in rows if "versions" in row}) or ["none"]
        lines += [f"## {section}", "", f"Versions: {versions}.", ""]
        lines += ["| model | tensors | elements | lines | not recorded | compared |", "|---|---|---|---|---|---|"]
        for shown, row in rows:
            notes = "; ".join(f"{count}: {note}" for note, count in row.get("notes", {}).items())
            sizes = [str(row.get("tensors", "")), f"{row.get('elements', 0):,}", str(row.get("lines", ""))]
            lines.append("| " + " | ".join([f"`{shown}`", *sizes, notes, row["result"]]).replace("|  |", "| |") + " |")
        lines.append("")
    text = path.read_text() if path.exists() else f"{BEGIN}\n{END}\n"
    before, _, rest = text.partition(BEGIN)
    path.write_text(before + "\n".join(lines) + END + rest.partition(END)[2])


if __name__ == "__main__":
    sys.exit(main())
