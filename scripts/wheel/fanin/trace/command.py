"""Writes a recipe of fanin for any model: names, shapes, dtypes and initial distributions, as its constructor draws them.

    python -m fanin.trace timm.create_model resnet50 -o resnet50.toml
    python -m fanin.trace torchvision.models.resnet18 num_classes=10 -o resnet18.toml --check
    python -m fanin.trace mymodule:build width=64 -o mine.toml
    python -m fanin.trace path/config.json -o model.toml
    python -m fanin.trace keras.applications.MobileNetV2 weights=None -o mobilenet.toml
    python -m fanin.trace flaxmodels.ResNet50 pretrained=None --input 1,224,224,3 -o resnet.toml

The Python that runs it needs the model's framework. FANIN names the program [default: fanin].
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from . import callables, check, toml
from .tensors import Refusal


def main():
    arguments = parser().parse_args()
    try:
        return run(arguments)
    except Refusal as error:
        print(f"fanin.trace: {error}", file=sys.stderr)
        return 2


def run(arguments):
    if (arguments.check or arguments.table) and not arguments.output:
        parser().error("--check and --table need -o FILE")
    model = callables.of_name(arguments.callable, arguments.arguments, arguments.framework, arguments.input)
    text = toml.write(model)
    if arguments.output:
        Path(arguments.output).write_text(text)
    else:
        sys.stdout.write(text)
    missing = report(model, text, arguments.output)
    wrong = checked(model, arguments.output, arguments.check) if arguments.output else 0
    if arguments.table:
        rows = check.table(model, arguments.output)
        Path(arguments.table).write_text("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n")
    return 1 if wrong or (missing and arguments.strict) else 0


def parser():
    summary, _, rest = __doc__.partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="python -m fanin.trace",
        description=summary,
        epilog=rest,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "callable", help="function or class that builds the model (a.b.c or a.b:c), or a config.json of transformers"
    )
    parser.add_argument("arguments", nargs="*", metavar="ARGUMENT", help="its arguments: values, or NAME=VALUE")
    parser.add_argument("-o", "--output", metavar="FILE", help="recipe to write [default: standard output]")
    parser.add_argument("--check", action="store_true", help="draw with fanin and compare with a real draw of the model")
    parser.add_argument(
        "--table", metavar="FILE", help="JSON file to write: name, shape, dtype, mean and standard deviation of a real draw"
    )
    parser.add_argument("--strict", action="store_true", help="exit status 1 if a tensor could not be recorded")
    parser.add_argument("--framework", choices=callables.FRAMEWORKS, help="framework of the model [default: from the callable]")
    parser.add_argument(
        "--input",
        action="append",
        default=[],
        metavar="SHAPE",
        help="shape of an example input for Flax's linen, as in 1,28,28,1 or 1,16:int32; repeatable",
    )
    return parser


def report(model, text, output):
    """Says what was traced; returns the number of tensors that were not recorded."""
    missing = [tensor for tensor in model.tensors if tensor.note]
    tied = sum(tensor.tied is not None for tensor in model.tensors)
    lines = text.count("\n")
    print(
        f"{len(model.tensors)} tensors, {tied} of them tied; {lines} lines{f' in {output}' if output else ''}", file=sys.stderr
    )
    reasons = {}
    for tensor in missing:
        reasons.setdefault(tensor.note, []).append(tensor.name)
    for reason, names in reasons.items():
        print(f"not recorded: {len(names)} tensors: {reason}: {names[0]}{', ...' if len(names) > 1 else ''}", file=sys.stderr)
    return len(missing)


def checked(model, path, draw):
    """Compares the recipe with the model; returns the number of differences."""
    wrong = list((check.values if draw else check.names)(model, path))
    for line in wrong[:20]:
        print(f"different: {line}", file=sys.stderr)
    if draw or wrong:
        print(
            f"{len(wrong)} differences" if wrong else "checked: fanin's values have the model's distributions", file=sys.stderr
        )
    return len(wrong)
