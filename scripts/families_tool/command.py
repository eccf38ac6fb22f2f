"""The commands of `scripts/families`."""

import argparse
import time
import traceback

from . import configs, facts, library, pages, proposals, published, tables


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


def news(model_type):
    from . import news

    return news.of(model_type)


OTHERS = 2  # random configurations that `check` tries
COMMANDS = {"config": config, "propose": propose, "record": record, "check": check, "run": run_model, "news": news}


def run(arguments, text):
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=[*COMMANDS, "published", "page"])
    parser.add_argument("types", nargs="*", help="model types [default: all families]")
    asked = parser.parse_args(arguments)
    if asked.command == "published":
        published.write([published.measured(model) for model in published.models()])
        return 0
    if asked.command == "page":
        pages.write()
        return 0
    wrong = {}
    for model_type in asked.types or families():
        start = time.monotonic()
        try:
            found = COMMANDS[asked.command](model_type)
        except Exception as error:
            found = traceback.format_exception(error)[-3:]
        seconds = time.monotonic() - start
        if found:
            wrong[model_type] = found
            print(f"FAILED {model_type} ({seconds:.1f} s)", *found, sep="\n       ", flush=True)
        elif asked.command in ("check", "run", "news"):
            print(f"ok     {model_type} ({seconds:.1f} s)", flush=True)
    if asked.command == "news" and not asked.types:
        pages.write(pages.release(wrong))
    return 1 if wrong else 0
