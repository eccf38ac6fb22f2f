"""Runs the console blocks of Markdown files and compares what they say with what stands there.

    FANIN=target/release/fanin target/python-env/bin/python tests/interop/console.py README.md ...

A block fenced as ```console holds commands, each after `$ ` (continued after a backslash), with its output below. All blocks
of a file run in order in one new folder, each command in a bash at a terminal of 100 columns, with `fanin` and `python` on
the path. A line `...` stands for any lines, also none, but a command that fails must show at least a line of what it says.
Blocks of other kinds are not run.
"""

import difflib
import os
import re
import sys
import tempfile
from pathlib import Path

import terminal
from support import FANIN


class Step:
    """A command, the lines that should follow, and the number of its line in the file."""

    def __init__(self, line, command):
        self.line, self.command, self.expected = line, command, []


def steps(markdown):
    """The commands of all console blocks."""
    found, fence, console = [], None, False
    for number, line in enumerate(markdown.splitlines(), 1):
        opened = re.match(r" {0,3}(`{3,}|~{3,})\s*(\S*)", line)
        if fence is None:
            if opened:
                fence, console, begun = opened[1], opened[2] == "console", len(found)
        elif opened and opened[1].startswith(fence) and not opened[2]:
            fence = None
        elif console and line.startswith("$ "):
            found.append(Step(number, line[2:]))
        elif console and len(found) == begun:
            raise ValueError(f"line {number}: a console block begins with a command after `$ `")
        elif console and not found[-1].expected and found[-1].command.endswith("\\"):
            found[-1].command += "\n" + line.removeprefix("> ")
        elif console:
            found[-1].expected.append(line)
    if fence is not None:
        raise ValueError(f"a block fenced by {fence} is not closed")
    return found


def agree(expected, shown):
    """Whether lines are those expected, where `...` stands for any."""
    pattern = "".join(r"(?:.*\n)*?" if line == "..." else re.escape(line) + r"\n" for line in expected)
    return re.fullmatch(pattern, "".join(line + "\n" for line in shown)) is not None


def lines(text):
    """The lines of a text without blanks at their ends, nor empty ones at its end."""
    return [line.rstrip() for line in "\n".join(text).rstrip().split("\n")] if "".join(text).strip() else []


def faults(path):
    """Runs a file; gives how many commands it has, and for each that said something else a text that shows it."""
    found, told = steps(Path(path).read_text(encoding="utf-8")), []
    with tempfile.TemporaryDirectory(prefix="fanin-") as folder:
        bin_folder, work = Path(folder, "bin"), Path(folder, "work")
        bin_folder.mkdir()
        work.mkdir()
        (bin_folder / "fanin").symlink_to(Path(FANIN).resolve())
        python = Path(sys.executable).parent
        path_variable = os.pathsep.join(map(str, [bin_folder, python, os.environ["PATH"]]))
        env = {**os.environ, "PATH": path_variable, "TERM": "xterm", "NO_COLOR": "1", "LC_ALL": "C.UTF-8"}
        for step in found:
            status, data = terminal.run(["bash", "-c", step.command], cwd=work, env=env)
            shown = lines(terminal.settled(data.decode("utf-8", "replace")).split("\n"))
            expected = lines(step.expected)
            hidden = status != 0 and all(line == "..." for line in expected)
            if hidden or not agree(expected, shown):
                difference = difflib.unified_diff(expected, shown, "what stands there", "what it says", lineterm="")
                told.append("\n".join([f"{path}:{step.line}: $ {step.command}: exit {status}", *difference]))
    return len(found), told


def main(paths):
    wrong = 0
    for path in paths:
        count, told = faults(path)
        wrong += len(told)
        print(*told, f"{path}: {count} commands, {len(told)} say something else", sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
