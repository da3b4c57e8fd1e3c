"""The operator's commands beside a running platform, as the README writes them."""

import json
import os
import subprocess
import sys

import pytest

from deploy.variables import FILE_NAME
from tests.fixtures.platform import OURS, ROOT, Platform

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("journey")]


def manage(platform: Platform, *arguments: str) -> subprocess.CompletedProcess[str]:
    """In a shell that knows the data directory and nothing else."""
    plain = {name: value for name, value in os.environ.items() if not OURS.fullmatch(name)}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**plain, "CARILLON_DATA_DIR": str(platform.data_dir)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_commands_work_on_the_running_servers(shop: Platform) -> None:
    file = shop.data_dir / FILE_NAME
    assert file.stat().st_mode & 0o777 == 0o600
    assert shop.api_key not in file.read_text()
    done = manage(shop, "doctor", "--json")
    findings = {each["check"]: each for each in json.loads(done.stdout)["findings"]}
    assert {findings[check]["status"] for check in ("database", "redis", "heartbeat:worker", "permissions")} == {"ok"}
    port = shop.env["SMTP_URL"].rpartition(":")[2].strip("/")
    assert any(check.startswith("smtp ") and port in check for check in findings), (
        "the operator's own SMTP_URL is known"
    )
    done = manage(shop, "rotate_secrets")
    assert done.returncode == 0, done.stderr
    done = manage(shop, "create_dkim_key", "example.org")
    assert done.returncode == 0, done.stderr
    assert "v=DKIM1" in done.stdout
