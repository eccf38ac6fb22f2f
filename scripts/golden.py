#!/usr/bin/env python3
"""Writes the frameworks' own values to tests/data/parity/FRAMEWORK.txt, which tests/values/parity.rs compares with fanin.

    scripts/golden.py                       every framework that this Python has
    scripts/golden.py torch jax             only these
    scripts/golden.py --replace torch       also replace cases with other values or versions

A file begins with the versions of its framework. A line is a command line of fanin and, for each tensor, its name, shape
and dtype, the first 128 bits of the SHA-256 of its little-endian bytes, and the bits of its first values. An approximate
scheme has a tolerance and more values instead of the hash. Existing cases never change without --replace: differences
are printed, and the exit status is 1.
"""

import argparse
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "references"))
import frameworks

FOLDER = frameworks.ROOT / "tests" / "data" / "parity"


def read(path):
    """The first line, and the values of each case."""
    if not path.exists():
        return None, {}
    first, *lines = path.read_text(encoding="utf-8").splitlines()
    return first, dict(line.split(" = ", 1) for line in lines)


def without_notes(versions):
    return re.sub(r" \([^)]*\)", "", versions)


def renew(name, python, replace):
    """True if a framework's file has the framework's values, after adding missing cases."""
    versions, rows = frameworks.run(name, python)
    first = "# " + ", ".join(f"{what} {version}" for what, version in versions.items())
    drawn = {row["case"]: row["drawn"] for row in rows}
    path = FOLDER / f"{name}.txt"
    had, recorded = read(path)
    differing = [case for case in drawn if recorded.get(case, drawn[case]) != drawn[case]]
    gone = [case for case in recorded if case not in drawn]
    added = [case for case in drawn if case not in recorded]
    # The CPU's kernels are recorded only; they do not matter if all cases agree.
    other = had is not None and without_notes(had) != without_notes(first)
    if replace:
        recorded = drawn
    elif differing or other:
        print(f"{name}: made with `{had}`, and this is `{first}`" if other else f"{name}: {len(differing)} cases differ")
        for case in differing[:20]:
            print(f"  {case}\n    recorded {recorded[case]}\n    drawn    {drawn[case]}")
        return False
    lines = [first if replace else had or first, *(f"{case} = {values}" for case, values in {**drawn, **recorded}.items())]
    FOLDER.mkdir(exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    kept = "dropped" if replace else "kept though no case makes them now"
    notes = [f"{len(drawn)} cases", f"{len(added)} new", *([f"{len(gone)} {kept}"] if gone else [])]
    notes += [f"{len(differing)} replaced"] if differing else []
    print(f"{name}: {', '.join(notes)}; {path.stat().st_size:,} bytes")
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("frameworks", nargs="*", metavar="FRAMEWORK", help=", ".join(frameworks.FRAMEWORKS))
    parser.add_argument("--replace", action="store_true", help="overwrite the files")
    given = parser.parse_args()
    if unknown := set(given.frameworks) - set(frameworks.FRAMEWORKS):
        parser.error(f"no framework {', '.join(sorted(unknown))}: {', '.join(frameworks.FRAMEWORKS)}")
    failed = False
    for name in given.frameworks or frameworks.FRAMEWORKS:
        if package := frameworks.missing(name, sys.executable):
            print(f"{name}: left out, {package} is missing")
            failed |= bool(given.frameworks)
        else:
            failed |= not renew(name, sys.executable, given.replace)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
