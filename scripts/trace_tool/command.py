"""The command line of scripts/trace.py."""

import argparse
import ast
import importlib.util
import json
import re
import sys
from pathlib import Path

from . import check, recipe
from .tensors import Refusal

FRAMEWORKS = ("torch", "keras", "flax")


def main():
    arguments = parser().parse_args()
    try:
        return run(arguments)
    except Refusal as error:
        print(f"trace.py: {error}", file=sys.stderr)
        return 2


def run(arguments):
    if arguments.survey is not None:
        from . import survey

        return survey.main(arguments)
    if arguments.callable is None:
        parser().error("a callable or a config.json is missing: pass one, such as timm.create_model resnet50")
    if (arguments.check or arguments.table) and not arguments.output:
        parser().error("--check and --table need -o FILE")
    model = trace(arguments.callable, arguments.arguments, arguments.framework, arguments.input)
    text = recipe.write(model)
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
    summary, _, rest = sys.modules["__main__"].__doc__.partition("\n\n")
    parser = argparse.ArgumentParser(description=summary, epilog=rest, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "callable", nargs="?", help="function or class that builds the model (a.b.c or a.b:c), or a config.json of transformers"
    )
    parser.add_argument("arguments", nargs="*", metavar="ARGUMENT", help="its arguments: values, or NAME=VALUE")
    parser.add_argument("-o", "--output", metavar="FILE", help="recipe to write [default: standard output]")
    parser.add_argument("--check", action="store_true", help="draw with fanin and compare with a real draw of the model")
    parser.add_argument(
        "--table", metavar="FILE", help="JSON file to write: name, shape, dtype, mean and standard deviation of a real draw"
    )
    parser.add_argument("--strict", action="store_true", help="exit status 1 if a tensor could not be recorded")
    parser.add_argument("--framework", choices=FRAMEWORKS, help="framework of the model [default: from the callable]")
    parser.add_argument(
        "--input",
        action="append",
        default=[],
        metavar="SHAPE",
        help="shape of an example input for Flax's linen, as in 1,28,28,1 or 1,16:int32; repeatable",
    )
    parser.add_argument(
        "--survey",
        nargs="?",
        const="",
        metavar="FILE",
        help="trace a list of models and write the table of docs/tracing.md, or of FILE",
    )
    return parser


def trace(word, words, framework=None, inputs=()):
    """The traced model of a callable with the words of its arguments, or of a config.json."""
    path = Path(word)
    if path.suffix == ".json" or path.is_dir():
        if not path.exists():
            raise Refusal(f"`{word}`: no such file")
        from . import transformers_model

        return transformers_model.trace(path, words)
    framework = framework or guess(word)
    try:
        module = importlib.import_module(f".{framework}_model", __package__)
    except ModuleNotFoundError as error:
        raise Refusal(f"{error}: run it with a Python that has the packages of the model") from error
    function = found(word)  # after the framework's recorder is in place
    positional = [value(one) for one in words if not named(one)]
    keywords = {name: value(text) for name, _, text in (one.partition("=") for one in words if named(one))}
    shown = ", ".join([*map(repr, positional), *(f"{name}={one!r}" for name, one in keywords.items())])
    source = f"{word}({shown}){versions(word)}"
    options = {"inputs": inputs} if framework == "flax" else {}

    def build(**more):
        return function(*positional, **keywords, **more)

    build.function = function
    return module.trace(build, source, **options)


def guess(word):
    """The framework that a callable belongs to: that of its package, or the one that its module imports."""
    package = word.replace(":", ".").split(".")[0]
    if package in ("keras", "flax"):
        return package
    if package in ("torch", "timm", "torchvision"):
        return "torch"
    spec = importlib.util.find_spec(package)
    text = "".join(path.read_text(errors="replace") for path in sources(spec)) if spec else ""
    return max(
        ("torch", "keras", "flax"), key=lambda framework: len(re.findall(rf"^\s*(?:import|from) {framework}\b", text, re.M))
    )


def sources(spec):
    if spec.submodule_search_locations:
        return sorted(Path(spec.submodule_search_locations[0]).rglob("*.py"))[:200]
    return [Path(spec.origin)] if spec.origin else []


def found(word):
    """The object of a path such as a.b.c or a.b:c."""
    module, colon, rest = word.partition(":")
    if not colon:
        module, _, rest = word.rpartition(".")
    parts = rest.split(".")
    while True:
        try:
            one = importlib.import_module(module)
            break
        except ModuleNotFoundError as error:
            outer, _, last = module.rpartition(".")
            if colon or not outer or error.name != module:
                raise Refusal(f"`{word}`: {error}: run it with a Python that has the package") from error
            module, parts = outer, [last, *parts]
    for part in parts:
        if not hasattr(one, part):
            raise Refusal(f"`{word}`: `{module}` has no `{'.'.join(parts)}`")
        one = getattr(one, part)
    return one


def named(word):
    return word.partition("=")[0].isidentifier() and "=" in word


def value(text):
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def versions(word):
    package = word.replace(":", ".").split(".")[0]
    version = getattr(sys.modules.get(package), "__version__", "")
    return f"; {package} {version}" if version and package not in FRAMEWORKS else ""


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
