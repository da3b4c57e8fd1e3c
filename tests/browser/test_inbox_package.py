"""The component as a file: small, whole, and ready for npm; needs no browser."""

import gzip
import json
import re
from pathlib import Path

from deploy.version import version

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "static" / "carillon" / "inbox"
MODULE = (FOLDER / "carillon-inbox.js").read_text()
TYPES = (FOLDER / "carillon-inbox.d.ts").read_text()
LIMIT_BYTES = 25 * 1000


def test_the_module_stays_small() -> None:
    assert len(gzip.compress(MODULE.encode())) < LIMIT_BYTES


def test_the_module_is_one_file_and_makes_no_html_from_text() -> None:
    assert not re.search(r"^\s*import\b|\bimport\(", MODULE, re.MULTILINE)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", MODULE)


def test_the_package_holds_what_it_names() -> None:
    package = json.loads((FOLDER / "package.json").read_text())
    assert (package["name"], package["license"], package["version"]) == ("@carillon/inbox", "Apache-2.0", version())
    assert not package.keys() & {"dependencies", "peerDependencies", "scripts"}
    assert {path.name for path in FOLDER.iterdir()} == {*package["files"], "package.json"}
    assert (FOLDER / package["main"]).is_file() and (FOLDER / package["types"]).is_file()


def test_the_types_name_every_export_and_every_string() -> None:
    exported = set(re.findall(r"^export (?:const|function|class) (\w+)", MODULE, re.MULTILINE))
    assert exported == set(re.findall(r"^export (?:const|function|class) (\w+)", TYPES, re.MULTILINE))
    words = re.search(r"STRINGS = Object\.freeze\(\{(.*?)\}\);", MODULE, re.DOTALL)
    names = re.search(r"type StringName =(.*?);", TYPES, re.DOTALL)
    assert words and names
    assert set(re.findall(r"(\w+): \"", words[1])) == set(re.findall(r"\"(\w+)\"", names[1]))
