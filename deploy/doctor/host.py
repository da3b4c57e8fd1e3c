"""This machine and its configuration: public address, disk, permissions, secrets."""

import os
import shutil
import stat
import urllib.error
import urllib.request
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from deploy.doctor.findings import Finding, fail, note, ok, warn

_SECONDS: Final = 5.0
_ENOUGH_BYTES: Final = 1 << 30
_ENOUGH_SHARE: Final = 0.05
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_SHORTEST_KEY: Final = 50


def check_public_url(url: str) -> list[Finding]:
    """Does it answer, and encrypted unless it is this machine's own?"""
    parts = urlsplit(url)
    findings = []
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        remedy = "Put a proxy with TLS in front and set CARILLON_PUBLIC_URL=https://..."
        findings.append(warn("public url", f"{url} is not encrypted: keys and tokens travel in clear.", remedy))
    try:
        with urllib.request.urlopen(f"{url.rstrip('/')}/healthz", timeout=_SECONDS) as answer:  # noqa: S310 - the operator's own
            findings.append(ok("public url", f"{url} answers {answer.status}."))
    except urllib.error.HTTPError as error:
        # The way there works; /healthz is best kept off the public listener.
        findings.append(ok("public url", f"{url} answers ({error.code})."))
    except (OSError, ValueError) as error:
        said = getattr(error, "reason", None) or type(error).__name__
        remedy = "Start the platform, or correct CARILLON_PUBLIC_URL, or the proxy in front of it."
        findings.append(warn("public url", f"{url} does not answer from here: {said}.", remedy))
    return findings


def check_disk(folder: Path) -> list[Finding]:
    """Space where the data are."""
    if not folder.exists():
        return [note("disk", f"The data directory {folder} does not exist yet.")]
    usage = shutil.disk_usage(folder)
    said = f"{usage.free / (1 << 30):.1f} GiB of {usage.total / (1 << 30):.1f} GiB are free at {folder}."
    if usage.free < _ENOUGH_BYTES or usage.free < usage.total * _ENOUGH_SHARE:
        return [warn("disk", said, "Make room: a full disk stops PostgreSQL.")]
    return [ok("disk", said)]


def check_permissions(folder: Path, names: tuple[str, ...]) -> list[Finding]:
    """Secrets are for their owner alone."""
    loose = [
        path
        for path in (folder / name for name in names)
        if path.exists() and stat.S_IMODE(os.stat(path).st_mode) & 0o077
    ]
    if loose:
        shown = " ".join(str(path) for path in loose)
        return [fail("permissions", "Others on this machine can read secrets.", f"Run: chmod 600 {shown}")]
    return [ok("permissions", "Nobody else can read the secrets in the data directory.")]


def check_secrets(secret_key: str, encryption_keys: tuple[str, ...], *, debug: bool) -> list[Finding]:
    """Nothing guessable, nothing for development."""
    findings = []
    if len(secret_key) < _SHORTEST_KEY or len(set(secret_key)) < 5:
        remedy = "Set CARILLON_SECRET_KEY to 50 random characters or more, the earlier one in CARILLON_OLD_SECRET_KEYS."
        findings.append(warn("secrets", "CARILLON_SECRET_KEY is short or has few different characters.", remedy))
    if not encryption_keys:
        findings.append(fail("secrets", "There is no encryption key.", "Set CARILLON_ENCRYPTION_KEYS."))
    if debug:
        findings.append(warn("secrets", "CARILLON_DEBUG shows internals to everybody.", "Leave CARILLON_DEBUG unset."))
    return findings or [ok("secrets", "Keys are set and long enough.")]
