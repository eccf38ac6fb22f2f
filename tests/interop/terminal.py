"""A terminal of a given width, for programs that look whether they have one."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios


def run(command, columns=100, **options):
    """Runs a command with its output and errors on a terminal; gives its exit status and the bytes that came."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 50, columns, 0, 0))
    # Line ends as they are written, not as a teletype needs them.
    mode = termios.tcgetattr(theirs)
    mode[1] &= ~termios.OPOST
    termios.tcsetattr(theirs, termios.TCSANOW, mode)
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, **options) as process:
        os.close(theirs)
        shown = b"".join(iter(lambda: read(ours), b""))
    os.close(ours)
    return process.returncode, shown


def read(terminal):
    try:
        return os.read(terminal, 1 << 16)
    except OSError:
        # The other side is closed.
        return b""


def settled(text):
    """What is left to read of a terminal's text: no colours, and of a line that was drawn over the last that was drawn."""
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    return "\n".join(line.rstrip("\r").rsplit("\r", 1)[-1] for line in text.split("\n"))
