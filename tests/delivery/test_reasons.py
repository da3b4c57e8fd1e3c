"""Every reason and outcome that the code can produce is explained: collected from the source itself."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from delivery.reasons import REASONS, as_markdown, explain, find_reason
from delivery.routing import SUPPRESSED
from delivery.status_events.types import TYPES
from notifications.models import Suppression
from notifications.preferences.deciding import FORBIDDING, UNSUBSCRIBED, Decision
from tests.fixtures.platform import ROOT

PACKAGES = ("notifications", "schedules", "delivery", "api")
FILES = ("deploy/admin/people.py",)
# Classes and functions whose first argument is a code; `Verdict` and its like come with a state before it.
FAILURES = re.compile(r"\w*(Failure|Outcome|Refused|Hold|withhold)$")
VERDICTS = re.compile(r"(_?Verdict|_settle)$")
SUPPRESSION_REASONS = frozenset(Suppression.Reason.values)  # why an address is on the list, not why a delivery ended
CODE = re.compile(r"[a-z][a-z0-9_]*")
IN_SQL = re.compile(r"\breason\b\s*=\s*(CASE\b.*?\bEND\b|'[a-z_]+')", re.DOTALL)
QUOTED = re.compile(r"'([a-z_]+)'")
STATES_IN_SQL = re.compile(r"(WHEN|CASE \w+\.\w+ WHEN) '[a-z_]+'")


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path, ast.parse(path.read_text())
    for name in FILES:
        yield ROOT / name, ast.parse((ROOT / name).read_text())


def constants() -> dict[str, str]:
    """Module constants that hold a text, by their names."""
    return {
        ast.unparse(node.target): node.value.value
        for _, tree in sources()
        for node in tree.body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    }


CONSTANTS = constants()


def texts(node: ast.expr) -> Iterator[str]:
    """The strings an expression may be: literals, constants, both arms of a condition, an f-string with its holes filled."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.Name) and node.id in CONSTANTS:
        yield CONSTANTS[node.id]
    elif isinstance(node, ast.IfExp):
        yield from texts(node.body)
        yield from texts(node.orelse)
    elif isinstance(node, ast.JoinedStr):
        yield "".join(_filled(part) for part in node.values)


def _filled(part: ast.expr) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    assert isinstance(part, ast.FormattedValue)
    return {"status": "503", "code": "451", "channel": "push"}[ast.unparse(part.value)]


def codes_of_call(call: ast.Call) -> Iterator[str]:
    name = ast.unparse(call.func).rpartition(".")[2]
    if FAILURES.match(name):
        for argument in call.args[:1]:
            yield from texts(argument)
    if VERDICTS.match(name):
        for argument in call.args[1:3]:
            yield from texts(argument)
    for keyword in call.keywords:
        if keyword.arg in ("reason", "outcome", "disabled_reason"):
            yield from texts(keyword.value)


def codes_of(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from codes_of_call(node)
        elif isinstance(node, ast.FunctionDef) and "reason" in node.name:
            for inner in ast.walk(node):
                if isinstance(inner, ast.Return) and inner.value is not None:
                    yield from texts(inner.value)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            yield from codes_of_assignment(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "UPDATE" in node.value:
            for clause in IN_SQL.findall(node.value):
                yield from QUOTED.findall(STATES_IN_SQL.sub("", clause))
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "reason":
                    yield from (text for text in texts(value) if text not in SUPPRESSION_REASONS)


def codes_of_assignment(node: ast.Assign | ast.AnnAssign) -> Iterator[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    name = ast.unparse(targets[0]).rpartition(".")[2]
    if name in ("reason", "outcome", "disabled_reason") and node.value is not None:
        yield from texts(node.value)
    if name == "_REASONS":  # tables that end in a code
        for inner in ast.walk(node):
            if isinstance(inner, ast.Tuple) and inner.elts:
                yield from (text for text in texts(inner.elts[-1]) if CODE.fullmatch(text))


PRODUCED = {code: path for path, tree in sources() for code in codes_of(tree) if code and CODE.fullmatch(code)}


def test_the_collection_finds_what_is_known_to_be_there() -> None:
    """One of each way in which a code is written down."""
    assert {
        "http_503", "smtp_451", "no_push", "gone", "accepted", "stored_in_inbox", "no_email", "no_endpoint", "dns_failed",
        "tls_failed", "expires_at_passed", "poison", "cancelled_by_caller", "endpoint_disabled", "endpoint_deleted", "ambiguous",
        "mailbox_full", "invalid_recipient", "no_final_answer", "not_begun", "disabled_by_caller", "connection_refused",
        "listed_before",
    } <= PRODUCED.keys()  # fmt: skip


@pytest.mark.parametrize("code", sorted(PRODUCED))
def test_every_code_is_explained(code: str) -> None:
    reason = find_reason(code)
    assert reason is not None, f"{code} (in {PRODUCED[code]}) is not in delivery/reasons.py"
    assert reason.says[0].isupper() and reason.says.endswith(".")


@pytest.mark.parametrize("level", FORBIDDING)
def test_every_level_of_preferences_is_explained(level: str) -> None:
    assert Decision(False, level).reason in REASONS


def test_no_code_is_explained_that_nobody_produces() -> None:
    composed = {SUPPRESSED + reason for reason in SUPPRESSION_REASONS}
    composed |= {Decision(False, level).reason for level in FORBIDDING} - {UNSUBSCRIBED}
    assert REASONS.keys() - PRODUCED.keys() == composed


def test_codes_of_a_family_say_which() -> None:
    assert explain("http_503").says == "The receiver answered with status 503 Service Unavailable."
    assert explain("http_599").says == "The receiver answered with status 599."
    assert explain("no_sms").says == "The recipient has no address on the channel sms any more."
    assert explain("nonsense").says == "There is no explanation of this code."


def test_the_table_of_the_document_has_them_all() -> None:
    table = as_markdown()
    assert all(f"| `{code}` |" in table for code in REASONS)
    assert all(said.endswith(".") for said in TYPES.values())
