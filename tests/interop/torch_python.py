"""A Python that has torch, which is not installed for the tests."""

import os
import shutil
import subprocess


def torch_python(case, modules="torch"):
    """The one named by FANIN_TORCH_PYTHON, or the system's; the test is skipped where it has not got it."""
    python = os.environ.get("FANIN_TORCH_PYTHON") or shutil.which("python3")
    done = python and subprocess.run([python, "-c", f"import {modules}"], capture_output=True, check=False)
    if not done or done.returncode != 0:
        where = "FANIN_TORCH_PYTHON" if os.environ.get("FANIN_TORCH_PYTHON") else "python3 (or FANIN_TORCH_PYTHON)"
        case.skipTest(f"{modules.replace(', ', ' and ')} not in {where}")
    return python
