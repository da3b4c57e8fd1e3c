"""Which Carillon this is: the installed package's version, or the source tree's."""

import functools
import tomllib
from importlib import metadata
from pathlib import Path


@functools.cache
def version() -> str:
    """Such as `0.1.0`; `unknown` where neither package nor source tree says."""
    try:
        return metadata.version("carillon")
    except metadata.PackageNotFoundError:
        project = Path(__file__).resolve().parent.parent / "pyproject.toml"
        if not project.is_file():
            return "unknown"
        return str(tomllib.loads(project.read_text())["project"]["version"])
