"""Folds repeated layers into blocks: tensors whose names differ in a number, if their shapes and schemes follow from it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from .numbers import Item, Line, literal, unify
from .tensors import Scheme

TOKENS = re.compile(r"(?<!\d)(0|[1-9]\d{0,5})(?!\d)")
BLOCK_LINES = 5  # lines of a block besides its tensors


@dataclass(frozen=True)
class Leaf:
    """A line of a recipe: one tensor, or one for each round of the blocks around it. Its name is relative to those."""

    name: str
    shape: tuple
    scheme: Scheme | None
    keys: tuple = ()
    tied: str | None = None
    note: str | None = None
    count: int = 1

    height = -1

    def key(self):
        return self.name

    def lines(self):
        return 1


@dataclass(frozen=True)
class Indices:
    """The indices of a block: those from `start` below `stop`, in steps; or a list."""

    start: object = 0
    stop: object = 0
    step: int = 1
    items: tuple | None = None

    @staticmethod
    def of(indices):
        step = indices[1] - indices[0] if len(indices) > 1 else 1
        if list(indices) == list(range(indices[0], indices[-1] + 1, step)):
            return Indices(indices[0], indices[-1] + 1, step)
        return Indices(items=tuple(indices))


@dataclass(frozen=True)
class Block:
    """A repeated block. Names inside it begin where `prefix` and the index end."""

    prefix: str
    indices: Indices
    items: tuple
    height: int

    def key(self):
        return f"{self.prefix}\0"

    def lines(self):
        return BLOCK_LINES + sum(item.lines() for item in self.items)


def fold(tensors):
    """The lines and blocks of a recipe for these tensors."""
    leaves = [
        (TOKENS.split(tensor.name), Leaf("", tensor.shape, tensor.scheme, keys(tensor), tensor.tied, tensor.note))
        for tensor in tensors
    ]
    return folded(leaves)


def keys(tensor):
    dtype = () if tensor.dtype == "f32" else (("dtype", tensor.dtype),)
    return dtype + tuple(sorted(tensor.keys.items()))


def folded(leaves):
    """The items for leaves with the tokens of their names: text, number, text, ..."""
    items, families = [], {}
    for tokens, leaf in leaves:
        if len(tokens) == 1:
            items.append(replace(leaf, name=tokens[0]))
            continue
        text, number, *rest = tokens
        if text not in families:
            families[text] = {}
            items.append(text)
        families[text].setdefault(int(number), []).append((rest, leaf))
    found = []
    for item in items:
        found += [item] if isinstance(item, Leaf) else family(item, families[item])
    return found


def family(prefix, members):
    """The items of siblings that differ in a number after `prefix`: those of the same structure together."""
    bodies = {number: folded(leaves) for number, leaves in sorted(members.items())}
    classes = {}
    for number, body in bodies.items():
        classes.setdefault(tuple(map(structure, body)), []).append(number)
    found = []
    for numbers in classes.values():
        found += cheapest(prefix, {number: bodies[number] for number in numbers})
    return [item for _, item in sorted(found, key=lambda pair: pair[0])]


def structure(item):
    """All of an item but its numbers."""
    if isinstance(item, Leaf):
        scheme = item.scheme and item.scheme.text
        return (item.name, len(item.shape), scheme, item.keys, item.tied is None, item.note)
    return (item.prefix, item.height, item.indices.items, item.indices.step, tuple(map(structure, item.items)))


def cheapest(prefix, bodies):
    """One block, a block for each set of equal bodies, or none: the shortest. Each item has its first index."""
    plain = unrolled(prefix, bodies)
    if len(bodies) < 2:
        return plain
    choices = [plain]
    if (whole := block(prefix, bodies)) is not None:
        choices.append([(min(bodies), whole)])
    equal = {}
    for number, body in bodies.items():
        equal.setdefault(tuple(body), []).append(number)
    if 1 < len(equal) < len(bodies):
        parts = []
        for body, numbers in equal.items():
            same = dict.fromkeys(numbers, body)
            inline = unrolled(prefix, same)
            part = block(prefix, same) if len(numbers) > 1 else None
            parts += min([inline, [(numbers[0], part)]], key=cost) if part is not None else inline
        choices.append(parts)
    return min(choices, key=cost)


def unrolled(prefix, bodies):
    return [(number, renamed(item, f"{prefix}{number}")) for number, body in bodies.items() for item in body]


def cost(pairs):
    """The lines of a recipe, and its lists of sizes."""
    items = [item for _, item in pairs]
    distinct = {numbers for item in items for numbers in tables(item)}
    return sum(item.lines() for item in items) + len(distinct)


def tables(item):
    """The lists in an item, up to a factor."""
    if isinstance(item, Leaf):
        numbers = item.shape + (item.scheme.numbers if item.scheme else ())
    else:
        for inner in item.items:
            yield from tables(inner)
        numbers = (item.indices.start, item.indices.stop)
    for number in numbers:
        if isinstance(number, Item):
            first = number.items[0]
            same = literal(first) and first and all(map(literal, number.items))
            yield tuple(round(one / first, 9) for one in number.items) if same else number
        elif isinstance(number, Line) and not literal(number.first):
            yield number


def listed(item):
    """The heights of the blocks whose index selects from a list."""
    if isinstance(item, Block):
        return set().union(*map(listed, item.items))
    numbers = item.shape + (item.scheme.numbers if item.scheme else ())
    return {number.depth for number in numbers if isinstance(number, Item)}


def renamed(item, start):
    if isinstance(item, Leaf):
        return replace(item, name=start + item.name)
    return replace(item, prefix=start + item.prefix)


def block(prefix, bodies):
    """One block for bodies of the same structure, or None."""
    indices = sorted(bodies)
    height = 1 + max(item.height for item in bodies[indices[0]])
    if height > 6:
        return None
    items = []
    for column in zip(*(bodies[index] for index in indices)):
        if (merged := merge(column, indices, height, prefix)) is None:
            return None
        items.append(merged)
    return Block(prefix, Indices.of(indices), tuple(items), height)


def merge(column, indices, height, prefix):
    """One item for the same item of each round, or None."""
    first = column[0]

    def one(numbers):
        return unify(list(numbers), indices, height)

    if isinstance(first, Block):
        start, stop = (one(getattr(item.indices, key) for item in column) for key in ("start", "stop"))
        items = [merge(inner, indices, height, first.prefix) for inner in zip(*(item.items for item in column))]
        if None in (start, stop) or None in items:
            return None
        if not (literal(start) and literal(stop)) and any(
            item.height in listed(inner) for item in column for inner in item.items
        ):
            return None  # a list for another number of rounds
        return replace(first, indices=replace(first.indices, start=start, stop=stop), items=tuple(items))
    shape = tuple(one(sizes) for sizes in zip(*(item.shape for item in column)))
    if None in shape:
        return None
    scheme = first.scheme
    if scheme is not None:
        numbers = tuple(one(values) for values in zip(*(item.scheme.numbers for item in column)))
        if None in numbers:
            return None
        scheme = Scheme(scheme.text, numbers)
    if first.tied is not None and len({item.tied for item in column}) > 1:
        return None
    return replace(first, shape=shape, scheme=scheme, count=sum(item.count for item in column))
