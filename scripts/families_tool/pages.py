"""`docs/models.md`: the list of models, oddities of the library, and what other releases of it have changed."""

from . import check, library

PAGE = library.ROOT / "docs" / "models.md"
ODDITIES = "\n## Oddities of the library\n"
OTHERS = "\n## Other releases\n"


def write(others=None):
    """Writes the page, with the given lines about other releases or those that it has. The oddities are kept."""
    oddities, _, before = PAGE.read_text().partition(ODDITIES)[2].partition(OTHERS)
    others = before if others is None else "\n" + "\n".join(others) + "\n"
    PAGE.write_text(check.fanin("list", "models", "--markdown") + ODDITIES + oddities + OTHERS + others)


def release(changes):
    """The lines about the installed release, with the changes of each type."""
    if not changes:
        yield f"{library.RELEASE} has the same names, shapes, distributions, keys and defaults (`scripts/families news`)."
        return
    yield f"{library.RELEASE} differs as follows (`scripts/families news`).\n"
    for model_type, lines in changes.items():
        yield f"- `{model_type}`: {'; '.join(lines)}"
