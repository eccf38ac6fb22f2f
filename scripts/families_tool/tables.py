"""Tables of facts, `tests/data/families/TYPE.json`: cases are columns, and repeated layers are one row.

    "cases"    configurations, edited by hand: a class of the library, and what differs from its default configuration
    "body"     prefix of the base model's names in each case, written `^`; null if there is none
    "sizes"    axes, each with its size in each case, once if it never changes
    "places"   layers, each with its numbers in each case: `0-2,5`, or `0-1/0-2` for two numbers; null if there are none
    "laws"     distributions, likewise
    "tensors"  rows `NAME: AXES LAW` below `PREFIX@PLACES`; `= NAME` is tied to another tensor
"""

import json
import re
from itertools import groupby, product

from . import library

FOLDER = library.ROOT / "tests" / "data" / "families"
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def path(model_type):
    return FOLDER / f"{model_type}.json"


def cases(model_type):
    return read(model_type)["cases"] if path(model_type).exists() else []


def read(model_type):
    return json.loads(path(model_type).read_text())


def write(model_type, cases, facts):
    path(model_type).write_text("\n".join(lines({"cases": cases, **table(facts)})) + "\n")


# --- from facts to a table ------------------------------------------------------------------------------------------------------


class Facts:
    """A case: `tensors` has a shape and a law for each name, `ties` a name for each, `body` the prefix of the base model."""

    def __init__(self, tensors, ties, body):
        self.tensors, self.ties, self.body = tensors, ties, body


class Symbols:
    """Short names for columns, a value a case. A column with gaps has the name of any that fits."""

    def __init__(self, letters):
        self.letters, self.columns, self.exact = letters, [], {}

    def of(self, column):
        column = tuple(json.dumps(value) if isinstance(value, dict) else value for value in column)
        if column not in self.exact:
            fitting = (place for place, other in enumerate(self.columns) if fits(column, other))
            place = next(fitting, len(self.columns))
            if place == len(self.columns):
                self.columns.append(column)
            self.columns[place] = tuple(one if two is None else two for one, two in zip(column, self.columns[place]))
            self.exact[column] = place
        return self.name(self.exact[column])

    def name(self, place):
        high, low = divmod(place, len(self.letters))
        return (self.name(high - 1) if high else "") + self.letters[low]

    def table(self):
        """The columns by their names; a value that is the same in all cases once."""
        merged = {self.name(place): (unique(column), list(column)) for place, column in enumerate(self.columns)}
        return {name: values[0] if len(values) == 1 else column for name, (values, column) in merged.items()}


def fits(column, other):
    return all(one is None or two is None or (one == two and type(one) is type(two)) for one, two in zip(column, other))


def unique(column):
    return list(dict.fromkeys(value for value in column if value is not None))


def table(facts):
    """The table of the facts of all cases."""
    sizes, places, laws, rows = Symbols(LETTERS), {}, Symbols(LETTERS.upper()), {}
    # Full columns first: columns with gaps then find the ones that they fit.
    for name, columns in sorted(aligned(facts), key=lambda row: row[1].count(None)):
        numbers = [None if column is None else column[2] for column in columns]
        prefix, rest = split(name)
        everywhere = all(number == "" for number in numbers)
        mark = "" if everywhere else "@" + places.setdefault(tuple(numbers), Symbols(LETTERS).name(len(places)))
        rows[name, prefix + mark] = rest, text(columns, sizes, laws)
    tensors = {}
    for (_, key), (rest, row) in sorted(rows.items()):
        group = tensors.setdefault(key, {})
        while rest in group:
            rest += " "
        group[rest] = row
    return {
        "body": [fact.body for fact in facts],
        "sizes": sizes.table(),
        "places": {name: list(numbers) for numbers, name in places.items()},
        "laws": {name: law(column) for name, column in laws.table().items()},
        "tensors": tensors,
    }


def law(column):
    read = lambda value: json.loads(value) if isinstance(value, str) and value.startswith("{") else value
    return [read(value) for value in column] if isinstance(column, list) else read(column)


def text(columns, sizes, laws):
    """A row: its axes and its law, or the name that it is tied to."""
    first = next(column for column in columns if column)
    if isinstance(first[0], str):
        return f"= {first[0]}"
    axes = [sizes.of([None if column is None else column[0][axis] for column in columns]) for axis in range(len(first[0]))]
    found = [None if column is None else column[1] for column in columns]
    common = unique(map(repr, filter(lambda value: value is not None, found)))
    plain = common in (["0"], ["1"])
    return " ".join([*axes, common[0] if plain else laws.of(found)])


def split(name):
    """The part of a name up to its last layer number, and the rest."""
    end = name.rfind("{}.")
    return (name[: end + 3], name[end + 3 :]) if end >= 0 else ("", name)


def aligned(facts):
    """Rows: a folded name, and for each case its shape (or the name that it is tied to), law and numbers."""
    folded = {}
    for case, fact in enumerate(facts):
        entries = {name: (tuple(shape), law) for name, (shape, law) in fact.tensors.items()}
        entries |= {name: (relative(target, fact.body), None) for name, target in fact.ties.items()}
        for name, (shape, law) in entries.items():
            name, numbers = fold(relative(name, fact.body))
            if isinstance(shape, str):
                shape = fold(shape)[0] if fold(shape)[1] == numbers else shape
            kind = shape if isinstance(shape, str) else len(shape)
            key = shape, json.dumps(law)
            folded.setdefault((name, kind), {}).setdefault(case, {}).setdefault(key, []).append(numbers)
    for (name, _), found in folded.items():
        groups = {case: sorted(groups.items(), key=lambda group: group[1]) for case, groups in found.items()}
        for place in range(max(map(len, groups.values()))):
            columns = [groups[case][place] if place < len(groups.get(case, ())) else None for case in range(len(facts))]
            yield placed(name, columns)


def placed(name, columns):
    """A row with the numbers in its name that never change, and the others as text."""
    every = [numbers for column in columns if column for numbers in column[1]]
    changing = [place for place in range(len(every[0])) if len({numbers[place] for numbers in every}) > 1]
    parts = iter(range(len(every[0])))
    fixed = lambda _: "{}" if (place := next(parts)) in changing else str(every[0][place])
    name = re.sub(r"\{\}", fixed, name)
    row = []
    for column in columns:
        if column is None:
            row.append(None)
            continue
        (shape, law), numbers = column
        chosen = sorted({tuple(number[place] for place in changing) for number in numbers})
        row.append((shape, json.loads(law), ranges(chosen)))
    return name, row


def relative(name, body):
    if body is None or not name.startswith(body):
        return name
    return "^" + name[len(body) :]


def fold(name):
    """A name with `{}` for each number between dots, and the numbers."""
    numbers = tuple(int(word) for word in name.split(".") if word.isdigit())
    return ".".join("{}" if word.isdigit() else word for word in name.split(".")), numbers


def ranges(numbers):
    """Tuples of numbers as text: `0-2,5`; `0-1/0-2` for two; `;` between sets that are no product."""
    if not numbers[0]:
        return ""
    if len(numbers[0]) == 1:
        runs = groupby(enumerate(sorted(number for (number,) in numbers)), key=lambda pair: pair[1] - pair[0])
        runs = [[number for _, number in run] for _, run in runs]
        return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
    rests = {}
    for first, rest in groupby(numbers, key=lambda number: number[0]):
        rests.setdefault(ranges([number[1:] for number in rest]), []).append((first,))
    return ";".join(f"{ranges(first)}/{one}" for rest, first in rests.items() for one in rest.split(";"))


def numbers(text):
    """The tuples that a text of ranges stands for."""
    for part in text.split(";"):
        yield from product(*(list(span(axis)) for axis in part.split("/") if axis))


def span(text):
    for run in text.split(","):
        first, _, last = run.partition("-")
        yield from range(int(first), int(last or first) + 1)


# --- from a table to facts ------------------------------------------------------------------------------------------------------


def facts(table):
    """The facts of each case of a table."""
    found = []
    for case, body in enumerate(table["body"]):
        fact = Facts({}, {}, body)
        for key, rows in table["tensors"].items():
            prefix, _, places = key.partition("@")
            places = table["places"][places][case] if places else ""
            for chosen in numbers(places) if places is not None else ():
                for rest, row in rows.items():
                    add(fact, table, case, prefix + rest.rstrip(), chosen, row)
        found.append(fact)
    return found


def add(fact, table, case, name, numbers, row):
    """Adds a row with some numbers to the facts of a case."""

    def full(name):
        name = name.replace("^", fact.body or "", 1)
        for number in numbers:
            name = name.replace("{}", str(number), 1)
        return name

    def value(kind, symbol):
        column = table[kind][symbol]
        return column[case] if isinstance(column, list) else column

    if row.startswith("= "):
        fact.ties[full(name)] = full(row[2:])
        return
    *axes, law = row.split(" ")
    law = int(law) if law in "01" else value("laws", law)
    fact.tensors[full(name)] = [value("sizes", axis) for axis in axes], law


# --- the text of a table --------------------------------------------------------------------------------------------------------


def lines(table):
    yield "{"
    for place, (key, value) in enumerate(table.items()):
        comma = "," if place < len(table) - 1 else ""
        if key == "cases":
            yield from block(key, [json.dumps(case) for case in value], "[]", comma)
        elif key == "tensors":
            groups = [list(block(prefix, entries(rows), "{}", "")) for prefix, rows in value.items()]
            yield '"tensors": {'
            for number, group in enumerate(groups):
                yield from group[:-1]
                yield group[-1] + ("," if number < len(groups) - 1 else "")
            yield "}" + comma
        elif isinstance(value, dict):
            yield from block(key, entries(value), "{}", comma)
        else:
            yield f"{json.dumps(key)}: {json.dumps(value)}{comma}"
    yield "}"


def entries(table):
    return [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in table.items()]


def block(key, entries, brackets, comma):
    yield f"{json.dumps(key)}: {brackets[0]}"
    for place, entry in enumerate(entries):
        yield " " + entry + ("," if place < len(entries) - 1 else "")
    yield brackets[1] + comma
