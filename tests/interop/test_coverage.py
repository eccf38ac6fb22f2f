"""Every public initializer of every framework is a scheme here, or is refused with a reason.

The names stand in initializers.json, which scripts/initializers.py --renew makes where the frameworks are installed; those
that this machine's Python has are compared with it.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from support import FANIN, Case, run

ROOT = Path(__file__).parents[2]
RECORD = json.loads((ROOT / "tests/data/interop/initializers.json").read_text(encoding="utf-8"))


def folded(name):
    """As fanin compares names: without case, hyphens and underscores."""
    return name.replace("_", "").replace("-", "").lower()


def listed(framework):
    """What becomes of each name of a framework, by folded name."""
    rows = run("list", "schemes", "--framework", framework).stdout.decode().splitlines()
    rows = [row.split(maxsplit=1) for row in rows if row.startswith("  ")]
    return {folded(name): means for name, means in rows}


def without_a_row(framework, names):
    rows = listed(framework)
    return [name for name in names if folded(name) not in rows]


class Coverage(Case):
    def test_every_name_has_a_row(self):
        self.assertGreaterEqual(len(RECORD), 17)
        for framework, record in RECORD.items():
            with self.subTest(framework=framework):
                missing = without_a_row(framework, record["names"])
                self.assertEqual(missing, [], f"{framework} {record['version']} has names that are neither schemes nor refused")

    def test_a_name_without_a_row_would_be_seen(self):
        self.assertEqual(without_a_row("torch", ["normal_", "nromal_"]), ["nromal_"])

    def test_every_meaning_is_taken_and_every_other_name_refused(self):
        for framework, record in RECORD.items():
            for name, means in listed(framework).items():
                with self.subTest(framework=framework, name=name):
                    done = subprocess.run([FANIN, "explain", f"{framework}.{name}"], capture_output=True, check=False)
                    self.assertEqual(done.returncode, 0, done.stderr.decode())
                    self.assertEqual("no scheme here" in means, b"no scheme here" in done.stdout)

    def test_the_record_has_every_name_that_is_installed(self):
        python = os.environ.get("FANIN_TORCH_PYTHON") or shutil.which("python3") or sys.executable
        for framework, record in RECORD.items():
            with self.subTest(framework=framework):
                done = subprocess.run(
                    [python, ROOT / "scripts/initializers.py", framework], capture_output=True, text=True, check=False
                )
                self.assertEqual(done.returncode, 0, done.stderr)
                installed = json.loads(done.stdout).get(framework)
                if installed is None:
                    self.skipTest(f"the initializers of {framework} as installed: it is not on this machine")
                new = sorted(set(installed["names"]) - set(record["names"]))
                missing = without_a_row(framework, new)
                self.assertEqual(missing, [], f"{framework} {installed['version']}: new names")
