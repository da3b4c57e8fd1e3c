"""The table of HTTP answers."""

from datetime import UTC, datetime

import pytest

from delivery.transports.base import DeliveryError, PermanentFailure, TemporaryFailure
from delivery.transports.webhook.outcomes import failure_of_status

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_success(status: int) -> None:
    assert failure_of_status(status, retry_after=None, now=NOW, response={}) is None


@pytest.mark.parametrize(
    ("status", "kind", "reason", "retry_after"),
    [
        (301, PermanentFailure, "redirect", None),
        (304, PermanentFailure, "redirect", None),
        (400, TemporaryFailure, "http_400", None),
        (404, TemporaryFailure, "http_404", None),
        (408, TemporaryFailure, "http_408", None),
        (410, PermanentFailure, "gone", None),
        (425, TemporaryFailure, "http_425", None),
        (429, TemporaryFailure, "http_429", 60.0),
        (500, TemporaryFailure, "http_500", None),
        (502, TemporaryFailure, "http_502", 60.0),
        (503, TemporaryFailure, "http_503", 60.0),
        (504, TemporaryFailure, "http_504", 60.0),
        (599, TemporaryFailure, "http_599", None),
    ],
)
def test_failures(status: int, kind: type[DeliveryError], reason: str, retry_after: float | None) -> None:
    failure = failure_of_status(status, retry_after="60", now=NOW, response={"status": status})
    assert failure is not None
    assert (type(failure), failure.reason, failure.response) == (kind, reason, {"status": status})
    assert getattr(failure, "retry_after", None) == retry_after
    assert getattr(failure, "disable_endpoint", False) is (status == 410)
