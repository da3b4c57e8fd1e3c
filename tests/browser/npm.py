"""Judges that come as npm packages, installed for a test run and no part of the product."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest


def install(folder: Path, name: str, version: str) -> Path:
    """The folder of this package, freshly installed; the test is skipped where npm or its registry is not to be had."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("needs npm: install the system's packages `nodejs` and `npm`")
    (folder / "package.json").write_text(json.dumps({"private": True}))
    command = [npm, "install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund", f"{name}@{version}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=180)
    if done.returncode:
        pytest.skip(f"{name}@{version} could not be installed: {done.stderr[-300:]}")
    return folder / "node_modules" / name
