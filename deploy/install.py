"""Fills `.venv` from a lock file, with the standard library only: `python3 -I deploy/install.py <lock file>...`.

Run in isolated mode (`-I`): a script's own folder is otherwise on the import path, and ours holds a `secrets.py`.
"""

import hashlib
import re
import subprocess
import sys
import venv
from collections import deque
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"


def say(text: str) -> None:
    """Progress, for people; a terminal gets one line that changes."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}")
    else:
        sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def make_environment() -> None:
    """Create the virtual environment, or repair one whose Python has gone."""
    if PYTHON.exists() and subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True).returncode == 0:
        return
    say("Creating .venv")
    try:
        venv.EnvBuilder(with_pip=True, clear=True, symlinks=True).create(VENV)
    except subprocess.CalledProcessError:
        sys.exit("\nPython's venv module does not work here: install it (on Debian and Ubuntu: python3-venv)")


def install(lock: Path) -> None:
    """Install exactly what the lock file says; nothing when that was done before."""
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    stamp = VENV / f".installed-{lock.parent.name if lock.parent != ROOT else 'runtime'}"
    if stamp.exists() and stamp.read_text() == digest:
        return
    make_environment()
    total = len(re.findall(r"^[A-Za-z0-9]", lock.read_text(), re.MULTILINE))
    command: list[str | Path] = [
        PYTHON,
        "-m",
        "pip",
        "install",
        "--require-hashes",
        "--no-deps",
        "--disable-pip-version-check",
    ]
    command += ["--no-input", "--progress-bar", "off", "-r", lock]
    pip = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    last_words: deque[str] = deque(maxlen=20)
    seen = 0
    assert pip.stdout is not None
    for line in pip.stdout:
        last_words.append(line)
        if found := re.match(r"(?:Collecting|Requirement already satisfied:) (\S+?)[=(\s]", line):
            seen += 1
            # Off a terminal every tenth is enough.
            if sys.stderr.isatty() or seen % 10 == 0:
                say(f"Fetching packages: {min(seen, total)} of {total}, {found[1]}")
        elif line.startswith("Installing collected packages"):
            say("Installing them")
    if pip.wait() != 0:
        sys.exit("\n" + "".join(last_words) + f"\npip could not install {lock.relative_to(ROOT)}")
    stamp.write_text(digest)
    say("Packages are installed\n" if sys.stderr.isatty() else "Packages are installed")


def main() -> None:
    """Install every lock file named on the command line, in order."""
    if sys.version_info < (3, 11):  # noqa: UP036 (this file runs before anything is known about the interpreter)
        sys.exit(f"Carillon needs Python 3.11 or newer, this is {sys.version.split()[0]}: make PYTHON=python3.11 ...")
    for name in sys.argv[1:]:
        install(ROOT / name)


if __name__ == "__main__":
    main()
