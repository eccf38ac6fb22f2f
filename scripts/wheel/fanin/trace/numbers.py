"""Numbers of a recipe: literals, and expressions of the number of a repeated layer."""

from __future__ import annotations

from dataclasses import dataclass, fields

# A number is an int, a float, or one of the classes below. `depth` is the height of the block whose index it uses: 0 for a
# block without blocks inside.


@dataclass(frozen=True)
class Line:
    """`first + step * index`."""

    first: object
    step: object
    depth: int


@dataclass(frozen=True)
class Item:
    """One item of a list for each index, the first of which is `start`."""

    items: tuple
    start: int
    depth: int


@dataclass(frozen=True)
class InverseRoot:
    """`top / sqrt(first + step * index)`, such as a standard deviation that decreases with the depth."""

    top: object
    first: object
    step: object
    depth: int


def literal(number):
    return isinstance(number, (int, float))


def unify(numbers, indices, depth):
    """One number that has these values at these indices, or None."""
    if all(number == numbers[0] and type(number) is type(numbers[0]) for number in numbers):
        return numbers[0]
    if all(map(literal, numbers)):
        return formula(numbers, indices, depth)
    kinds = {type(number) for number in numbers if not literal(number)}
    if len(kinds) != 1:
        return None
    kind = kinds.pop()
    sample = next(number for number in numbers if not literal(number))
    numbers = [promoted(number, sample) for number in numbers]
    if any(type(number) is not kind for number in numbers):
        return None
    return unify_parts(kind, numbers, indices, depth)


def promoted(number, sample):
    """A literal in the form of an expression with the same value."""
    if not literal(number):
        return number
    if isinstance(sample, Line):
        return Line(number, 0, sample.depth)
    if isinstance(sample, Item):
        return Item((number,) * len(sample.items), sample.start, sample.depth)
    return number


def unify_parts(kind, numbers, indices, depth):
    parts = []
    for field in fields(kind):
        values = [getattr(number, field.name) for number in numbers]
        if field.name in ("start", "depth"):
            if len(set(values)) != 1:
                return None
            parts.append(values[0])
        elif field.name == "items":
            if len({len(value) for value in values}) != 1:
                return None
            items = tuple(unify(column, indices, depth) for column in zip(*values))
            if None in items:
                return None
            parts.append(items)
        elif (part := unify(values, indices, depth)) is None:
            return None
        else:
            parts.append(part)
    return kind(*parts)


def formula(values, indices, depth):
    """An expression of the index for literals that differ."""
    first, span = indices[0], indices[-1] - indices[0]
    if len(values) > 2 and all(isinstance(value, int) for value in values):
        step, rest = divmod(values[-1] - values[0], span)
        if not rest and all(value == values[0] + step * (index - first) for value, index in zip(values, indices)):
            return Line(values[0] - step * first, step, depth)
    if len(values) > 2 and all(isinstance(value, float) and value > 0 for value in values):
        if (found := inverse_root(values, indices, depth)) is not None:
            return found
    if list(indices) == list(range(first, first + len(indices))):
        return Item(tuple(values), first, depth)
    return None


def inverse_root(values, indices, depth):
    """`top / sqrt(first + step * index)` with small integers, as in fixed rescalings by the number of a layer."""
    slope = (values[-1] ** -2 - values[0] ** -2) / (indices[-1] - indices[0])
    if slope <= 0:
        return None
    found = []
    for step in (1, 2, 4):
        top = float(f"{(step / slope) ** 0.5:.9g}")
        first = round(top**2 / values[0] ** 2 - step * indices[0])
        below = [first + step * index for index in indices]
        if all(n > 0 and abs(top / n**0.5 - value) <= 1e-8 * value for n, value in zip(below, values)):
            found.append(InverseRoot(top, first, step, depth))
    return min(found, key=lambda one: len(repr(one.top)), default=None)


def lists(number):
    """The lists of literals in a number."""
    if isinstance(number, Item):
        if all(map(literal, number.items)):
            yield number.items
        for item in number.items:
            yield from lists(item)
    elif isinstance(number, Line):
        yield from lists(number.first)
        yield from lists(number.step)
    elif isinstance(number, InverseRoot):
        for part in (number.top, number.first, number.step):
            yield from lists(part)


class Writer:
    """Writes numbers as expressions of fanin. `letters[depth]` is the name of an index; `named` gives a list its name."""

    def __init__(self, letters, named):
        self.letters, self.named = letters, named

    def text(self, number):
        if literal(number):
            return shown(number)
        index = self.letters[number.depth]
        if isinstance(number, Line):
            return self.line(number.first, number.step, index)
        if isinstance(number, Item):
            place = index if number.start == 0 else f"{index} - {number.start}"
            if all(map(literal, number.items)):
                factor, name = self.named(number.items)
                return f"{name}[{place}]" if factor == 1 else f"{factor} * {name}[{place}]"
            return f"[{', '.join(self.text(item) for item in number.items)}][{place}]"
        return f"{self.part(number.top)} / sqrt({self.line(number.first, number.step, index)})"

    def line(self, first, step, index):
        product = index if step == 1 else f"{self.part(step)} * {index}"
        if first == 0:
            return product
        if step == -1:
            return f"{self.text(first)} - {index}"
        return f"{self.text(first)} + {product}" if first != 0 else product

    def part(self, number):
        """The text of a number as a factor."""
        text = self.text(number)
        return text if literal(number) and number >= 0 or text.isidentifier() else f"({text})"


def shown(number):
    """A literal as short as it can be."""
    if isinstance(number, float) and number.is_integer() and abs(number) < 1e15:
        return str(int(number))
    return repr(number)
