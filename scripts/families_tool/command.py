"""The commands of `scripts/families`."""

import argparse
import time
import traceback

from . import configs, facts, library, proposals, tables


def families():
    """The model types that fanin knows."""
    return sorted(path.stem for path in (library.ROOT / "src" / "model" / "families").glob("*.toml") if path.stem != "shared")


def config(model_type):
    configs.write(model_type)
    return []


def propose(model_type):
    cases = proposals.propose(model_type, tables.cases(model_type))
    return written(model_type, cases)


def record(model_type):
    cases = tables.cases(model_type) or proposals.propose(model_type, [])
    return written(model_type, cases)


def written(model_type, cases):
    wrong = []
    tables.write(model_type, cases, [facts.of(model_type, case, wrong.append) for case in cases])
    print(f"{tables.path(model_type).stat().st_size:7} {tables.path(model_type).relative_to(library.ROOT)}: {len(cases)} cases")
    return wrong


def check(model_type):
    from . import check

    wrong = check.check(model_type, OTHERS)
    return wrong or run_model(model_type)


def run_model(model_type):
    from . import check

    return [f"by name: {line}" for line in check.run(model_type)]


OTHERS = 2  # random configurations that `check` tries
COMMANDS = {"config": config, "propose": propose, "record": record, "check": check, "run": run_model}


def run(arguments, text):
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("types", nargs="*", help="model types [default: all families]")
    asked = parser.parse_args(arguments)
    failed = 0
    for model_type in asked.types or families():
        start = time.monotonic()
        try:
            wrong = COMMANDS[asked.command](model_type)
        except Exception as error:
            wrong = [line for line in traceback.format_exception(error)[-3:]]
        failed += bool(wrong)
        if asked.command in ("check", "run") and not wrong:
            print(f"ok     {model_type} ({time.monotonic() - start:.1f} s)")
        if wrong:
            print(f"FAILED {model_type} ({time.monotonic() - start:.1f} s)", *wrong, sep="\n       ")
    return 1 if failed else 0
