#!/usr/bin/env python3
"""Writes what the frameworks themselves draw to tests/parity/FRAMEWORK.txt, which tests/parity.rs compares fanin with.

    scripts/golden.py                       every framework that this Python has
    scripts/golden.py torch jax             these alone
    scripts/golden.py --replace torch       also where a case had other values, or the versions are others

A file begins with the versions that it was made with. A line is a command line of fanin and, for each tensor, its name,
shape and dtype, the first 128 bits of the SHA-256 of its little-endian bytes, and the bits of its first values; a law that
is close by nature has a tolerance and more values in place of the hash. Cases that are there are never changed without
--replace: what differs is told, and the exit status is 1.
"""

import argparse
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "references"))
import frameworks

FOLDER = frameworks.ROOT / "tests" / "parity"


def read(path):
    """The first line, and what each case drew."""
    if not path.exists():
        return None, {}
    first, *lines = path.read_text(encoding="utf-8").splitlines()
    return first, dict(line.split(" = ", 1) for line in lines)


def without_notes(versions):
    return re.sub(r" \([^)]*\)", "", versions)


def renew(name, python, replace):
    """Whether a framework's file has what the framework draws, once missing cases are added."""
    versions, rows = frameworks.run(name, python)
    first = "# " + ", ".join(f"{what} {version}" for what, version in versions.items())
    drawn = {row["case"]: row["drawn"] for row in rows}
    path = FOLDER / f"{name}.txt"
    had, recorded = read(path)
    differing = [case for case in drawn if recorded.get(case, drawn[case]) != drawn[case]]
    gone = [case for case in recorded if case not in drawn]
    added = [case for case in drawn if case not in recorded]
    # Which kernels a CPU has is told, and changes nothing where all cases are the same.
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
    parser.add_argument("--replace", action="store_true", help="write the files anew, whatever was in them")
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
