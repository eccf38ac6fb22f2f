"""Writes a recipe in TOML from folded tensors."""

from __future__ import annotations

import re
from collections import Counter
from fnmatch import fnmatchcase

from .folding import Block, Leaf, fold
from .numbers import Writer, lists, literal

LETTERS = "ijklmno"
WORDS = ["counts", "sizes", "fans", "numbers"]  # the names of lists, by their use
RULED = re.compile(r"[\w./*-]+")  # names that a pattern can have as they are


def write(model):
    """The text of the recipe of a model."""
    items = fold(model.tensors)
    dtype = common_dtype(model.tensors)
    names = name_lists(items)
    rules, covered = rules_of(items)
    lines = [f"# {line}" for line in heading(model)]
    if dtype != "f32":
        lines.append(f'dtype = "{dtype}"')
    lines += [f'layout = "{model.layout}"', ""]
    if names:
        lines += ["[constants]", *(f"{name} = {numbers(values)}" for values, name in names.items()), ""]
    if rules:
        lines += ["[rules]", *(f"{quoted(pattern)} = {content}" for pattern, content in rules), ""]
    page = Page(names, covered, dtype)
    leaves = [item for item in items if isinstance(item, Leaf)]
    if leaves:
        lines += ["[tensors]", *(line for leaf in leaves for line in page.leaf(leaf, [])), ""]
    for item in items:
        if isinstance(item, Block):
            lines += page.block(item, "blocks", [], [])
    return "\n".join(lines).rstrip("\n") + "\n"


def heading(model):
    missing = Counter(tensor.note for tensor in model.tensors if tensor.note)
    yield f"Traced by fanin.trace: {model.source}"
    count = sum(missing.values())
    yield f"{len(model.tensors)} tensors" + (
        f", {count} of them not as the model initialises them (`not recorded`)" if count else ""
    )


def common_dtype(tensors):
    counts = Counter(tensor.dtype for tensor in tensors if tensor.dtype in ("f64", "f32", "f16", "bf16"))
    return counts.most_common(1)[0][0] if counts else "f32"


def numbers(values):
    return "[" + ", ".join(map(repr, values)) + "]"


# --- names of lists -------------------------------------------------------------------------------------------------------


def name_lists(items):
    """A name for each list of numbers; a multiple of another list has none."""
    found = {}

    def add(number, word):
        for values in lists(number):
            found.setdefault(values, word)

    def visit(item):
        if isinstance(item, Leaf):
            for size in item.shape:
                add(size, "sizes")
            for number in item.scheme.numbers if item.scheme else ():
                add(number, "fans" if all(isinstance(one, int) for one in flat(number)) else "numbers")
            return
        for number in (item.indices.start, item.indices.stop):
            add(number, "counts")
        for inner in item.items:
            visit(inner)

    for item in items:
        visit(item)
    names, taken = {}, set()
    for values in sorted(found, key=lambda values: (WORDS.index(found[values]), abs(values[0]), values)):
        if any(multiple(values, other, found) for other in names):
            continue
        name, number = found[values], 1
        while name in taken:
            number += 1
            name = f"{found[values]}{number}"
        taken.add(name)
        names[values] = name
    return names


def flat(number):
    return [one for values in lists(number) for one in values]


def multiple(values, base, words=None):
    """The integer k with values = k base, or None."""
    if len(values) != len(base) or not all(isinstance(one, int) for one in values + base):
        return None
    if words and (words[values] == "counts" or words[base] == "counts"):
        return 1 if values == base else None
    if not base[0] or values[0] % base[0] or any(one * base[0] != other * values[0] for one, other in zip(values, base)):
        return None
    factor = values[0] // base[0]
    return factor if 1 <= factor <= 8 else None


# --- rules ----------------------------------------------------------------------------------------------------------------


def rules_of(items):
    """Rules from patterns to schemes, and the tensors that they cover. A rule covers at least two lines of the recipe."""
    leaves = [(name, content(leaf)) for name, leaf in full_names(items, "")]
    tree = {}
    for name, what in leaves:
        if what is None or not RULED.fullmatch(name):
            continue
        node = tree
        for word in reversed(re.findall(r"[^./]+[./]?|[./]", name)):
            node = node.setdefault(word, {})
        node.setdefault(None, []).append((name, what))
    rules = []
    for word, node in tree.items():
        add_rules(node, word, rules)
    rules[:0] = normalisations(leaves, rules)
    while True:
        covers, covered = Counter(), set()
        for name, what in leaves:
            rule = next((rule for rule in rules if what is not None and fnmatchcase(name, rule[0])), None)
            if rule is not None and rule[1] == what:
                covers[rule] += 1
                covered.add(name)
        idle = next((rule for rule in rules if covers[rule] < 2), None)
        if idle is None:
            return rules, covered
        rules.remove(idle)


def normalisations(leaves, rules):
    """Rules such as `*norm*.weight` for the tensors that no rule of an end covers."""
    for name, what in leaves:
        rule = next((rule for rule in rules if what is not None and fnmatchcase(name, rule[0])), None)
        word = re.search(r"norm|ln|bn", name.rpartition(".")[0], re.IGNORECASE)
        if word is None or what is None or (rule is not None and rule[1] == what):
            continue
        pattern = f"*{word[0]}*.{name.rpartition('.')[2]}"
        if all(other == what for one, other in leaves if fnmatchcase(one, pattern)):
            yield pattern, what
            return


def content(leaf):
    """The right side of a rule, or None if the tensor keeps its own scheme."""
    if leaf.note or leaf.tied or leaf.scheme is None or not all(map(literal, leaf.scheme.numbers)):
        return None
    scheme, keys = quoted(leaf.scheme.plain()), [f"{key} = {quoted(value)}" for key, value in leaf.keys]
    return f"{{ {', '.join([f'scheme = {scheme}', *keys])} }}" if keys else scheme


def full_names(items, prefix):
    """The name of each leaf, with a star for each index."""
    for item in items:
        if isinstance(item, Leaf):
            yield prefix + item.name, item
        else:
            yield from full_names(item.items, f"{prefix}{item.prefix}*")


def below(node):
    for word, child in node.items():
        yield from child if word is None else below(child)


def add_rules(node, suffix, rules):
    """Adds the rules of the names that end in `suffix`: those of longer ends first, then the commonest scheme."""
    every = list(below(node))
    best, count = Counter(what for _, what in every).most_common(1)[0]
    if count < 2:
        return
    for word, child in node.items():
        if word is not None and Counter(what for _, what in below(child)).most_common(1)[0][0] != best:
            add_rules(child, word + suffix, rules)
    before = {name[: len(name) - len(suffix)][-1:] for name, _ in every}
    separator = before.pop() if len(before) == 1 else ""
    rules.append((f"*{separator}{suffix}", best))


# --- text -----------------------------------------------------------------------------------------------------------------


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def escaped(name):
    return name.replace("{", "{{").replace("}", "}}")


class Page:
    """Writes lines and blocks."""

    def __init__(self, names, covered, dtype):
        self.names, self.covered, self.dtype = names, covered, dtype

    def named(self, values):
        if values in self.names:
            return 1, self.names[values]
        for base, name in self.names.items():
            if factor := multiple(values, base):
                return factor, name
        return 1, numbers(values)

    def size(self, number, writer):
        return str(number) if literal(number) else quoted(writer.text(number))

    def leaf(self, leaf, path, letters=None, prefix=""):
        """The lines of a tensor; `path` are the prefixes of the blocks around it, with a star for each index."""
        writer = Writer(letters or {}, self.named)
        name = escaped(leaf.name[len(prefix) :]) if prefix else escaped(leaf.name)
        if leaf.note:
            yield f"# not recorded: {leaf.note}"
        if leaf.tied:
            yield f"{quoted(name)} = {{ tied = {quoted(escaped(leaf.tied))} }}"
            return
        shape = "[" + ", ".join(self.size(number, writer) for number in leaf.shape) + "]"
        if "".join(path) + leaf.name in self.covered:
            yield f"{quoted(name)} = {shape}"
            return
        keys = [f"shape = {shape}", f"scheme = {quoted(leaf.scheme.write(writer.text))}"]
        keys += [f"{key} = {quoted(value)}" for key, value in leaf.keys]
        if self.dtype != "f32" and not any(key == "dtype" for key, _ in leaf.keys):
            keys.append('dtype = "f32"')
        yield f"{quoted(name)} = {{ {', '.join(keys)} }}"

    def block(self, block, table, path, outer, cut=""):
        """The lines of a block; `cut` is the start of its prefix that the block around it has."""
        top = outer[0] if outer else block.height
        letters = {height: LETTERS[top - height] for height in range(top + 1)}
        index = letters[block.height]
        path = [*path, f"{block.prefix}*"]
        common = separator(block.items)
        lines = [f"[[{table}]]", f"repeat = {{ {index} = {self.indices(block.indices, Writer(letters, self.named))} }}"]
        lines.append(f"prefix = {quoted(escaped(block.prefix[len(cut) :]) + '{' + index + '}' + common)}")
        leaves = [item for item in block.items if isinstance(item, Leaf)]
        if leaves:
            lines.append(f"[{table}.tensors]")
            for leaf in leaves:
                lines += self.leaf(leaf, path, letters, common)
        lines.append("")
        for item in block.items:
            if isinstance(item, Block):
                lines += self.block(item, f"{table}.blocks", path, [top], common)
        return lines

    def indices(self, indices, writer):
        if indices.items is not None:
            return numbers(indices.items)
        start, stop, step = indices.start, indices.stop, indices.step
        if start == 0 and step == 1:
            return self.size(stop, writer)
        if step == 1:
            return quoted(f"range({writer.text(start)}, {writer.text(stop)})")
        return quoted(f"range({writer.text(start)}, {writer.text(stop)}, {step})")


def separator(items):
    """The text that all names of a block begin with, if it is a separator."""
    starts = {(item.name if isinstance(item, Leaf) else item.prefix)[:1] for item in items}
    return starts.pop() if len(starts) == 1 and starts <= {".", "/"} else ""
