"""The program: its place, its version, and its runs."""

import contextlib
import functools
import os
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import IO, Iterator, List, Sequence

from fanin._version import __version__


class Error(ValueError):
    """An error of the program, in its one line, or of an argument that it never saw."""


def path() -> str:
    """Return the path of the program.

    `FANIN` in the environment names it. Else it is beside this interpreter or this package, where `pip` puts it, or in `PATH`.

    Raises:
        Error: if there is none, or if it has another version than this module.
    """
    named = os.environ.get("FANIN")
    found = named or next(_installed(), None) or shutil.which("fanin")
    if found is None:
        raise Error("the program `fanin` is not installed: reinstall this package, or set FANIN to its path")
    _check_version(found)
    return found


def _installed() -> Iterator[str]:
    """The places where `pip install` puts programs: of this environment, of `--user`, and of `--target`."""
    folders = [sysconfig.get_path("scripts")]
    if f"{os.name}_user" in sysconfig.get_scheme_names():
        folders.append(sysconfig.get_path("scripts", f"{os.name}_user"))
    folders.append(str(Path(__file__).parents[1] / "bin"))
    for folder in folders:
        program = os.path.join(folder, "fanin")
        if os.path.isfile(program) and os.access(program, os.X_OK):
            yield program


@functools.lru_cache(maxsize=None)
def _check_version(program: str) -> None:
    try:
        done = subprocess.run([program, "--version"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except OSError as error:
        raise Error(f"`{program}` does not start: {error.strerror}") from None
    found = done.stdout.decode("utf-8", "replace").strip()
    if found != f"fanin {__version__}":
        shown = found[:60] or f"exit status {done.returncode}"
        raise Error(f"`{program}` is `{shown}`, but this module needs fanin {__version__}: install one package of both")


def run(arguments: Sequence[str], text: bytes = b"", statuses: Sequence[int] = (0,)) -> "subprocess.CompletedProcess[bytes]":
    """Run the program to its end, with `text` on its standard input.

    Raises:
        Error: if its exit status is not one of `statuses`.
    """
    done = subprocess.run([path(), *arguments], input=text, capture_output=True, check=False)
    if done.returncode not in statuses:
        raise _error(done.returncode, done.stderr)
    return done


@contextlib.contextmanager
def piped(arguments: Sequence[str], text: bytes = b"") -> Iterator[IO[bytes]]:
    """Run the program with `text` on its standard input, and give its standard output to the body.

    The process has ended when the block is left, for any reason.

    Raises:
        Error: if the program fails. An `EOFError` of the body counts as its failure, so that its own line is shown.
    """
    process = subprocess.Popen(
        [path(), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin and process.stdout and process.stderr
    try:
        # A program that fails early closes its standard input.
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(text)
            process.stdin.close()
        ended_early = False
        try:
            yield process.stdout
        except EOFError:
            ended_early = True
        process.stdout.close()
        message = process.stderr.read()
        if process.wait() != 0:
            raise _error(process.returncode, message)
        if ended_early:
            raise Error("fanin wrote fewer bytes than its plan has")
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            # A close flushes bytes that the program no longer reads.
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


def read_into(pipe: IO[bytes], buffer: memoryview) -> None:
    """Fill `buffer` from a pipe. Raises EOFError if the pipe ends before."""
    while buffer.nbytes > 0:
        count = pipe.readinto(buffer)  # type: ignore[attr-defined]
        if not count:
            raise EOFError
        buffer = buffer[count:]


def options(**values: object) -> List[str]:
    """Return command-line options; a value of `None` is left out, and `True` is an option without value."""
    words: List[str] = []
    for key, value in values.items():
        option = f"--{key.replace('_', '-')}"
        if value is True:
            words.append(option)
        elif value is not None and value is not False:
            words.append(f"{option}={value}")
    return words


def _error(status: int, message: bytes) -> Error:
    """The program's line, without its name."""
    lines = message.decode("utf-8", "replace").splitlines()
    line = next((line for line in lines if line.startswith("fanin: ")), "")
    if line:
        return Error(line[len("fanin: ") :])
    ended = f"signal {-status}" if status < 0 else f"exit status {status}"
    return Error(f"fanin ended with {ended}")
