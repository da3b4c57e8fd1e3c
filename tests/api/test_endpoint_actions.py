"""Webhook endpoints over HTTP: keys, headers, filters, schedules, ping, log, replay."""

import base64
from typing import Any

import httpx
import pytest

from delivery.models import Attempt, Delivery
from notifications import ids
from notifications.models import Endpoint, IdempotencyKey, Notification
from notifications.signing_keys import new_secret
from tests.api.asking import Tenant, assert_problem, row_counts
from tests.api.test_notifications import add_delivery

HOOK = {"channel": "webhook", "url": "https://example.com/hook"}
SINCE = {"since": "2020-01-01T00:00:00Z"}


@pytest.fixture
def somebody(http: httpx.Client) -> httpx.Client:
    http.put("/v1/recipients/u1", json={})
    return http


@pytest.fixture
def where(somebody: httpx.Client) -> str:
    """The address of an endpoint."""
    made: str = somebody.post("/v1/recipients/u1/endpoints", json=HOOK).headers["location"]
    return made


@pytest.fixture
def row(tenant: Tenant) -> Notification:
    return Notification.objects.create(
        project=tenant.project, recipients=["u1"], content={}, channels=["webhook"], status="routed", available_at=None
    )


def endpoint_of(where: str) -> Any:
    return ids.decode("end", where.rsplit("/", 1)[1])


def make(somebody: httpx.Client, **changes: Any) -> httpx.Response:
    return somebody.post("/v1/recipients/u1/endpoints", json={**HOOK, **changes})


def test_an_endpoint_says_what_it_does(somebody: httpx.Client) -> None:
    options = {"event_types": ["order-*"], "retry_seconds": [1, 2], "signature": "both"}
    made = make(somebody, headers={"X-Key": "sesame"}, **options)
    assert made.status_code == 201
    read = somebody.get(made.headers["location"]).json()
    assert {name: read[name] for name in options} == options
    assert read["headers"] == {"x-key": "********"}
    assert len(base64.b64decode(read["public_key"].removeprefix("whpk_"), validate=True)) == 32
    assert "sesame" not in made.text
    assert made.json() == {**read, "secret": made.json()["secret"]}


def test_usual_endpoints_have_none_of_it(somebody: httpx.Client, where: str) -> None:
    read = somebody.get(where).json()
    names = ("signature", "public_key", "old_secret_until", "headers", "event_types", "retry_seconds")
    assert [read[name] for name in names] == ["v1", None, None, {}, [], None]


def test_an_own_secret_and_none(somebody: httpx.Client) -> None:
    own = new_secret()
    assert make(somebody, secret=own).json()["secret"] == own
    ed = make(somebody, signature="v1a")
    assert (ed.status_code, ed.json()["secret"]) == (201, None)
    assert "whsk_" not in ed.text


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"secret": "whsec_short"}, "/secret"),
        ({"secret": "x" * 200}, "/secret"),
        ({"secret": None}, "/secret"),
        ({"secret": new_secret(), "signature": "v1a"}, "/secret"),
        ({"signature": "v2"}, "/signature"),
        ({"headers": {"Host": "x"}}, "/headers/Host"),
        ({"headers": {"webhook-id": "x"}}, "/headers/webhook-id"),
        ({"headers": {"x-a": "a\r\nb: c"}}, "/headers/x-a"),
        ({"headers": {"x-a": None}}, "/headers/x-a"),
        ({"headers": {"x-a": 5}}, "/headers/x-a"),
        ({"headers": {"x a": "b"}}, "/headers/x a"),
        ({"headers": {"x/a": "b"}}, "/headers/x~1a"),
        ({"headers": {"x-a": "1", "X-A": "2"}}, "/headers/X-A"),
        ({"headers": {f"x-{n}": "v" for n in range(21)}}, "/headers"),
        ({"headers": []}, "/headers"),
        ({"event_types": ["order-?"]}, "/event_types/0"),
        ({"event_types": ["ok", 5]}, "/event_types/1"),
        ({"event_types": ["x"] * 51}, "/event_types"),
        ({"event_types": None}, "/event_types"),
        ({"retry_seconds": [0]}, "/retry_seconds/0"),
        ({"retry_seconds": [1.5]}, "/retry_seconds/0"),
        ({"retry_seconds": [86401]}, "/retry_seconds/0"),
        ({"retry_seconds": [1] * 21}, "/retry_seconds"),
        ({"retry_seconds": [86400] * 6}, "/retry_seconds"),
        ({"retry_seconds": 5}, "/retry_seconds"),
    ],
)
def test_bad_options_say_where_and_change_nothing(somebody: httpx.Client, changes: Any, pointer: str) -> None:
    before = row_counts()
    assert_problem(make(somebody, **changes), 422, pointer=pointer)
    assert row_counts() == before


def test_patch_merges_headers_and_replaces_lists(somebody: httpx.Client) -> None:
    made = make(somebody, headers={"a": "1", "b": "2"}, event_types=["x"], retry_seconds=[5]).headers["location"]
    changed = somebody.patch(
        made, json={"headers": {"A": None, "c": "3"}, "event_types": [], "retry_seconds": None}
    ).json()
    assert (sorted(changed["headers"]), changed["event_types"], changed["retry_seconds"]) == (["b", "c"], [], None)
    full = somebody.patch(made, json={"headers": {f"x-{n}": "v" for n in range(20)}})
    assert_problem(full, 422, pointer="/headers")
    assert sorted(somebody.get(made).json()["headers"]) == ["b", "c"]
    assert somebody.patch(made, json={"headers": {"b": None, "c": None}}).json()["headers"] == {}
    for changes in ({"signature": "v1a"}, {"secret": new_secret()}):  # only a rotation changes keys
        assert_problem(somebody.patch(made, json=changes), 422)


def test_rotation_shows_the_new_secret_once(somebody: httpx.Client, where: str, tenant: Tenant) -> None:
    first = somebody.post(f"{where}/rotate-secret", headers={"Idempotency-Key": "r"})
    again = somebody.post(f"{where}/rotate-secret", headers={"Idempotency-Key": "r"})
    assert (first.status_code, again.json(), again.headers["idempotent-replayed"]) == (200, first.json(), "true")
    read = somebody.get(where)
    assert {**read.json(), "secret": first.json()["secret"]} == first.json()
    assert read.json()["old_secret_until"] is not None and "whsec_" not in read.text
    assert "whsec_" not in IdempotencyKey.objects.get(project=tenant.project).response
    own = new_secret()
    assert somebody.post(f"{where}/rotate-secret", json={"secret": own}).json()["secret"] == own
    ed = somebody.post(f"{where}/rotate-secret", json={"signature": "v1a"}).json()
    assert (ed["secret"], ed["signature"], ed["public_key"][:5]) == (None, "v1a", "whpk_")
    other = somebody.post(f"{where}/rotate-secret").json()
    assert other["public_key"] not in (None, ed["public_key"])
    assert_problem(somebody.post(f"{where}/rotate-secret", json={"secret": own}), 422, pointer="/secret")
    assert somebody.get(where).json()["public_key"] == other["public_key"]
    assert_problem(somebody.post(f"{where}/rotate-secret", json={"secret": "x"}), 422, pointer="/secret")


def test_ping_is_a_delivery_of_its_own(somebody: httpx.Client, where: str, tenant: Tenant) -> None:
    first = somebody.post(f"{where}/ping", headers={"Idempotency-Key": "p"})
    again = somebody.post(f"{where}/ping", headers={"Idempotency-Key": "p"})
    assert (first.status_code, again.json()) == (202, first.json())
    assert (first.json()["state"], first.json()["endpoint"]) == ("queued", where.rsplit("/", 1)[1])
    assert first.headers["location"] == f"/v1/deliveries/{first.json()['id']}"
    detail = somebody.get(first.headers["location"]).json()
    assert detail["attempts"] == []
    assert Delivery.objects.filter(project=tenant.project).count() == 1
    somebody.patch(where, json={"state": "disabled"})
    before = row_counts()
    assert_problem(somebody.post(f"{where}/ping"), 409, code="conflict")
    assert row_counts() == before


def test_the_dry_run_knows_the_filters(somebody: httpx.Client) -> None:
    make(somebody, event_types=["order-*"])
    body = {"recipients": ["u1"], "content": {"title": "x"}, "channels": ["webhook"]}

    def ways() -> list[Any]:
        entries = somebody.post("/v1/notifications?dry_run=true", json=body).json()["entries"]
        return [(way["delivers"], way["endpoint"], way["reason"]) for way in entries[0]["recipients"][0]["ways"]]

    assert ways() == [(False, None, "event_filtered")]
    wanting = make(somebody, event_types=["notification"]).json()["id"]
    assert ways() == [(True, wanting, None)]


def test_the_log_of_one_endpoint(somebody: httpx.Client, where: str, tenant: Tenant, row: Notification) -> None:
    other = make(somebody).headers["location"]
    mine = [
        add_delivery(tenant, row, state, to=f"to-{state}", channel="webhook", endpoint_id=endpoint_of(where))
        for state in ("sent", "failed", "queued")
    ]
    add_delivery(tenant, row, "sent", to="elsewhere", channel="webhook", endpoint_id=endpoint_of(other))
    newest_first = [item.public_id for item in reversed(mine)]

    def found(path: str, **query: Any) -> list[str]:
        return [item["id"] for item in somebody.get(path, params=query).json()["data"]]

    assert found(f"{where}/deliveries") == newest_first
    assert found("/v1/deliveries", endpoint=where.rsplit("/", 1)[1]) == newest_first
    assert found(f"{where}/deliveries", state="failed") == [mine[1].public_id]
    page = somebody.get(f"{where}/deliveries", params={"limit": 2}).json()
    assert found(f"{where}/deliveries", after=page["next"]) == newest_first[2:]
    assert_problem(somebody.get(f"{other}/deliveries", params={"after": page["next"]}), 422, pointer="/after")
    assert_problem(somebody.get(f"{where}/deliveries", params={"recipient": "u1"}), 422, pointer="/recipient")
    assert_problem(somebody.get("/v1/deliveries", params={"endpoint": "end_x"}), 422, pointer="/endpoint")
    assert_problem(somebody.get(where.replace("/u1/", "/u2/") + "/deliveries"), 404)


def test_an_attempt_shows_its_request(somebody: httpx.Client, where: str, tenant: Tenant, row: Notification) -> None:
    record = {
        "url": "https://example.com/hook?token=********",
        "headers": ["authorization"],
        "signatures": ["v1"],
        "body_bytes": 2,
        "body_sha256": "0" * 64,
    }
    delivery = add_delivery(tenant, row, "failed", to="u1", channel="webhook", endpoint_id=endpoint_of(where))
    Attempt.objects.create(id=ids.new_uuid(), delivery=delivery, number=1, outcome="http_500", request=record)
    Attempt.objects.create(id=ids.new_uuid(), delivery=delivery, number=2, outcome="timeout")
    first, second = somebody.get(f"/v1/deliveries/{delivery.public_id}").json()["attempts"]
    assert first["request"]["headers"]["authorization"] == "********"
    assert first["request"]["headers"]["webhook-id"] == delivery.public_id
    assert first["request"]["body"] is None
    assert second["request"] is None


def test_replay_of_one_endpoint(somebody: httpx.Client, where: str, tenant: Tenant, row: Notification) -> None:
    options = {"channel": "webhook", "endpoint_id": endpoint_of(where)}
    rows = [
        add_delivery(tenant, row, state, to=state, **options) for state in ("sent", "failed", "cancelled", "queued")
    ]
    other = add_delivery(tenant, row, "failed", to="elsewhere", channel="webhook")

    def states() -> list[str]:
        return [Delivery.objects.get(id=item.id).state for item in (*rows, other)]

    first = somebody.post(f"{where}/replay", json={**SINCE, "limit": 1})
    assert (first.status_code, first.json()) == (202, {"count": 1, "next": rows[1].public_id})
    assert states() == ["sent", "queued", "cancelled", "queued", "failed"]
    rest = somebody.post(f"{where}/replay", json={**SINCE, "after": first.json()["next"]})
    assert rest.json() == {"count": 1, "next": None}
    again = {"json": {**SINCE, "states": ["sent"]}, "headers": {"Idempotency-Key": "s"}}
    assert [somebody.post(f"{where}/replay", **again).json()["count"] for _ in range(2)] == [1, 1]
    assert states() == ["queued", "queued", "queued", "queued", "failed"]
    by_filter = somebody.post("/v1/deliveries/replay", json={"state": "failed", "endpoint": where.rsplit("/", 1)[1]})
    assert by_filter.json() == {"count": 0, "next": None}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/since"), ({"since": "yesterday"}, "/since"), ({**SINCE, "states": []}, "/states"),
        ({**SINCE, "states": ["queued"]}, "/states/0"), ({**SINCE, "states": ["suppressed"]}, "/states/0"),
        ({**SINCE, "limit": 0}, "/limit"), ({**SINCE, "limit": 10_001}, "/limit"), ({**SINCE, "limit": "5"}, "/limit"),
        ({**SINCE, "after": "ntf_x"}, "/after"), ({**SINCE, "after": 5}, "/after"), ({**SINCE, "endpoint": "x"}, "/endpoint"),
    ],
)  # fmt: skip
def test_a_replay_needs_its_bounds(somebody: httpx.Client, where: str, body: Any, pointer: str) -> None:
    assert_problem(somebody.post(f"{where}/replay", json=body), 422, pointer=pointer)


def test_a_disabled_endpoint_is_not_replayed(somebody: httpx.Client, where: str) -> None:
    Endpoint.objects.filter(id=endpoint_of(where)).update(state="disabled")
    assert_problem(somebody.post(f"{where}/replay", json=SINCE), 409, code="conflict")


@pytest.mark.parametrize(("action", "scope"), [("rotate-secret", "recipients:write"), ("ping", "notifications:write"), ("replay", "notifications:write")])  # fmt: skip
def test_scopes(make_tenant: Any, action: str, scope: str) -> None:
    for scopes, allowed in (((scope,), True), (("recipients:read", "notifications:read"), False)):
        answer = make_tenant(scopes).http.post(f"/v1/recipients/u1/endpoints/end_x/{action}", json=SINCE)
        assert (answer.status_code == 403) is not allowed
