"""The README's own commands, run as they stand there."""

import json
import re
import subprocess
from typing import Any

import pytest

from tests.e2e.customer import Customer
from tests.fixtures.platform import ROOT, Platform

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("journey")]

# A block of shell directly after its mark; blocks of one name run in order in one shell.
BLOCK = re.compile(r"^<!-- test: (?P<name>\w+) -->\n```sh\n(?P<commands>.*?)^```$", re.MULTILINE | re.DOTALL)
ADDRESS = "http://127.0.0.1:8000"


def script(name: str) -> str:
    blocks = [found["commands"] for found in BLOCK.finditer((ROOT / "README.md").read_text()) if found["name"] == name]
    assert blocks, f"no block of the README is marked `<!-- test: {name} -->`"
    return "set -eu\n" + "\necho\n".join(blocks)


def run(commands: str, platform: Platform) -> list[Any]:
    """Everything that the commands printed, as JSON documents."""
    done = subprocess.run(
        ["bash"],
        input=commands.replace(ADDRESS, platform.url),
        env={**platform.env, "CARILLON_API_KEY": platform.api_key},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    documents, text = [], done.stdout.strip()
    while text:
        document, end = json.JSONDecoder().raw_decode(text)
        documents.append(document)
        text = text[end:].lstrip()
    return documents


def test_every_marked_block_is_found() -> None:
    marks = re.findall(r"^<!-- test: ", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert len(marks) == len(BLOCK.findall((ROOT / "README.md").read_text()))


def test_the_journey_of_the_readme_works_as_pasted(shop: Platform) -> None:
    answers = run(script("journey"), shop)
    problems = [answer for answer in answers if "code" in answer]
    assert problems == []
    accepted = [answer for answer in answers if answer.get("status") == "accepted"]
    assert accepted
    for answer in accepted:
        rows = Customer(shop).finished(answer["id"])
        assert {row["state"] for row in rows} <= {"sent", "delivered"}
