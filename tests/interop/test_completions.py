"""The Tab key in bash, zsh and fish completes every word that fanin knows."""

import os
import subprocess
import tempfile
import time
from pathlib import Path

from support import FANIN, Case

# How each shell starts without the settings of this machine, and loads the completions.
SHELLS = {
    "bash": ("bash --norc --noprofile", "source <(fanin completions bash)"),
    "zsh": ("zsh -f", "autoload -Uz compinit; compinit -D -u; source <(fanin completions zsh)"),
    "fish": ("fish --no-config", "fanin completions fish | source"),
}

# What is typed before the Tab key, and the line after it. Each has one candidate.
LINES = [
    ("fanin insp", "fanin inspect "),
    ("fanin init glorot-n", "fanin init glorot-normal "),
    ("fanin init keras.HeN", "fanin init keras.HeNormal "),
    ("fanin init torch.nn.Linea", "fanin init torch.nn.Linear "),
    ("fanin init zeros 3 4x5 --dt", "fanin init zeros 3 4x5 --dtype "),
    ("fanin init zeros 3 --dtype bf", "fanin init zeros 3 --dtype bf16 "),
    ("fanin init normal:std=2 a=3 --dtype bf", "fanin init normal:std=2 a=3 --dtype bf16 "),
    ("fanin init zeros 3 --layout ker", "fanin init zeros 3 --layout keras "),
    ("fanin init zeros 3 --like tenso", "fanin init zeros 3 --like tensorflow "),
    ("fanin init zeros 3 --format safe", "fanin init zeros 3 --format safetensors "),
    ("fanin mlp 3-4 --activation softp", "fanin mlp 3-4 --activation softplus "),
    ("fanin mlp 3-4 --outp", "fanin mlp 3-4 --output"),
    ("fanin model distil", "fanin model distilbert "),
    ("fanin model recip", "fanin model recipe.toml "),
    ("fanin pretrain weig", "fanin pretrain weight-norm "),
    ("fanin pretrain rbm 3-4 --visible gau", "fanin pretrain rbm 3-4 --visible gaussian "),
    ("fanin list pretr", "fanin list pretrain-methods "),
    ("fanin list schemes --framework lasa", "fanin list schemes --framework lasagne "),
    ("fanin explain pack", "fanin explain packing "),
    ("fanin man expl", "fanin man explain "),
    ("fanin completions fi", "fanin completions fish "),
    ("fanin verify weig", "fanin verify weights.npy "),
]


class Terminal:
    """A shell in a terminal of tmux."""

    def __init__(self, tmux, folder, start):
        # fish writes into its home in the background, even after its end.
        self.home = tempfile.TemporaryDirectory(prefix="fanin-", ignore_cleanup_errors=True)
        path = os.pathsep.join([str(Path(FANIN).resolve().parent), os.environ["PATH"]])
        self.environment = {**os.environ, "PATH": path, "HOME": self.home.name, "PS1": "$ ", "LC_ALL": "C.UTF-8"}
        self.tmux = [tmux, "-S", f"{self.home.name}/socket", "-f", os.devnull]
        self.run("new-session", "-d", "-s", "s", "-x", "200", "-y", "50", "-c", str(folder), start)

    def run(self, *words):
        command = [*self.tmux, *words]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60, check=True)
        return done.stdout

    def send(self, text, *keys):
        if text:
            self.run("send-keys", "-t", "s", "-l", text)
        if keys:
            self.run("send-keys", "-t", "s", *keys)

    def screen(self):
        return self.run("capture-pane", "-t", "s", "-p", "-N")

    def shows(self, wanted, seconds=10):
        """True if the screen shows a text in time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if wanted in self.screen():
                return True
            time.sleep(0.05)
        return False

    def close(self):
        subprocess.run([*self.tmux, "kill-server"], env=self.environment, capture_output=True, timeout=60, check=False)
        self.home.cleanup()


class Completions(Case):
    def terminal(self, shell, load):
        self.tool(shell)
        terminal = Terminal(self.tool("tmux"), self.folder, SHELLS[shell][0])
        self.addCleanup(terminal.close)
        terminal.send(f"{load}; echo lo''aded", "Enter")
        self.assertTrue(terminal.shows("\nloaded"), terminal.screen())
        return terminal

    def completes(self, terminal, typed, expected):
        terminal.send("", "C-c")
        terminal.send("clear", "Enter")
        time.sleep(0.1)
        terminal.send(typed, "Tab")
        self.assertTrue(terminal.shows(expected), f"{typed}: {terminal.screen().strip()}")

    def test_every_word_in_every_shell(self):
        (self.folder / "recipe.toml").touch()
        (self.folder / "weights.npy").touch()
        for shell, (_, load) in SHELLS.items():
            with self.subTest(shell=shell):
                terminal = self.terminal(shell, load)
                for typed, expected in LINES:
                    with self.subTest(shell=shell, typed=typed):
                        self.completes(terminal, typed, expected)

    def test_a_function_of_zsh_completes_at_its_first_call(self):
        subprocess.run(
            [FANIN, "completions", "zsh"], stdout=(self.folder / "_fanin").open("wb"), timeout=60, check=True
        )
        terminal = self.terminal("zsh", f"fpath=({self.folder} $fpath); autoload -Uz compinit; compinit -D -u")
        self.completes(terminal, "fanin insp", "fanin inspect ")
