"""What may be submitted: decided without a database."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.conf import NotificationsConf
from notifications.errors import Fault, Invalid
from notifications.intake.submission import Submission, parse_submission

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PROJECT = UUID(int=1)
CONF = NotificationsConf()


def parse(**changes: Any) -> Submission:
    body = {"recipients": ["u1"], "content": {"title": "t"}, "channels": ["in_app"], **changes}
    return parse_submission(body, project_id=PROJECT, conf=CONF, now=NOW)


def pointers(**changes: Any) -> list[str]:
    with pytest.raises(Invalid) as caught:
        parse(**changes)
    return [fault.pointer for fault in caught.value.faults]


def test_three_kinds_of_entries() -> None:
    submission = parse(recipients=["u1", {"id": "u2", "email": "X@Example.COM"}, {"topic": "t"}])
    assert submission.entries == ["u1", "u2", {"topic": "t"}]
    assert [(given.id, given.email) for given in submission.upserts] == [("u2", "X@example.com")]
    assert submission.topics == [(2, "t")]
    assert (submission.project_id, submission.created_at) == (PROJECT, NOW)


def test_every_fault_is_told_at_once() -> None:
    found = pointers(
        recipients=["", {"id": "a", "email": "nonsense", "phone": "1"}, 5],
        channels=["pigeon"],
        send_at="soon",
        category="a b",
    )
    assert set(found) == {
        "/recipients/0", "/recipients/1/email", "/recipients/1/phone", "/recipients/2", "/channels/0", "/send_at", "/category",
    }  # fmt: skip


def test_the_past_means_now() -> None:
    assert parse(send_at="2026-03-01T11:59:59Z").send_at is None
    assert parse(send_at="2026-03-01T13:00:01+01:00").send_at == NOW + timedelta(seconds=1)


def test_bounds_of_time() -> None:
    edge = NOW + timedelta(days=400)
    assert parse(send_at=edge.isoformat()).send_at == edge
    assert pointers(send_at=(edge + timedelta(seconds=1)).isoformat()) == ["/send_at"]
    assert pointers(expires_at=NOW.isoformat()) == ["/expires_at"]
    assert pointers(send_at=edge.isoformat(), expires_at=edge.isoformat()) == ["/expires_at"]
    assert parse(expires_at="2026-03-01T12:00:01Z").expires_at == NOW + timedelta(seconds=1)


def test_limits_of_number() -> None:
    assert len(parse(recipients=[f"u{n}" for n in range(1000)]).entries) == 1000
    assert pointers(recipients=[f"u{n}" for n in range(1001)]) == ["/recipients"]


@pytest.mark.parametrize("body", [None, 1, "x", [], True])
def test_what_is_not_an_object(body: Any) -> None:
    with pytest.raises(Invalid):
        parse_submission(body, project_id=PROJECT, conf=CONF, now=NOW)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
_FIELDS = [
    "recipients",
    "content",
    "channels",
    "data",
    "category",
    "critical",
    "actor",
    "send_at",
    "expires_at",
    "workflow",
    "metadata",
]


@given(st.dictionaries(st.sampled_from(_FIELDS) | st.text(max_size=8), _JSON, max_size=6))
def test_any_json_is_either_taken_or_explained(changes: dict[str, Any]) -> None:
    faults = []
    try:
        parse(**changes)
    except Invalid as error:
        faults = error.faults or [Fault("nothing is said", "")]
    assert [fault.pointer for fault in faults if fault.pointer and not fault.pointer.startswith("/")] == []
