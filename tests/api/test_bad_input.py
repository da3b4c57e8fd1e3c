"""Hostile and mistaken bodies: a clear problem that names the field, never a 500, and nothing changed."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.asking import Tenant, assert_problem, notification, row_counts

JSON = {"Content-Type": "application/json"}
WRITES = [
    ("POST", "/v1/notifications"),
    ("POST", "/v1/notifications/bulk"),
    ("POST", "/v1/notifications/cancel"),
    ("PUT", "/v1/recipients/u1"),
    ("PATCH", "/v1/recipients/known"),
    ("POST", "/v1/recipients/known/endpoints"),
    ("POST", "/v1/recipients/known/tokens"),
    ("PUT", "/v1/topics/t"),
    ("POST", "/v1/topics/t/subscriptions"),
    ("DELETE", "/v1/topics/known/subscriptions"),
    ("POST", "/v1/deliveries/replay"),
]


@pytest.fixture(autouse=True)
def _nothing_changes(tenant: Tenant) -> Iterator[None]:
    """Around every test here, with a recipient and a topic that exist."""
    tenant.http.put("/v1/recipients/known", json={"name": "as it was"})
    tenant.http.put("/v1/topics/known", json={})
    before = row_counts()
    yield
    assert row_counts() == before
    assert tenant.http.get("/v1/recipients/known").json()["name"] == "as it was"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b'{"a":1}}', b"nope", b"'x'", b"{'a':1}", b'{"a":1,}', b"[1 2]", b'{"data":NaN}', b'{"data":Infinity}',
        b'{"data":-Infinity}', b'{"data":1e400}', b'{"data":-1e400}', b'{"data":9223372036854775808}',
        b'{"data":' + b"9" * 5000 + b"}", b'{"data":0.' + b"1" * 5000 + b"}", b'{"data":{},"data":{}}', b'{"data":{"a":1,"a":2}}',
        b'{"data":"\xff"}', b'{"data":"\xc0\x80"}', b'{"data":"\xed\xa0\x80"}', b"\xef\xbb\xbf{}", b'{"data":"\x00"}',
        b'{"data":"\x1f"}', b"[" * 100_000, b'{"data":' * 5000 + b"1" + b"}" * 5000, '{"data":1}'.encode("utf-16"),
    ],
    ids=lambda body: body[:24].decode("latin-1"),
)  # fmt: skip
def test_what_is_not_json_as_rfc_8259_means_it(tenant: Tenant, body: bytes) -> None:
    for method, path in WRITES:
        if body == b"" and path.endswith("/tokens"):
            continue
        assert_problem(tenant.http.request(method, path, content=body, headers=JSON), 400, code="malformed")


@pytest.mark.parametrize("body", [b"null", b"1", b'"x"', b"[]", b"true", b"[{}]"])
def test_what_is_not_an_object(tenant: Tenant, body: bytes) -> None:
    for method, path in WRITES:
        assert_problem(tenant.http.request(method, path, content=body, headers=JSON), 422, code="invalid")


def test_unknown_fields_are_named(tenant: Tenant) -> None:
    for method, path in WRITES:
        if path.endswith("/bulk"):
            continue
        answer = tenant.http.request(method, path, json={"surprise/~": 1})
        assert_problem(answer, 422, pointer="/surprise~1~0")


@pytest.mark.parametrize("bad", ["\\u0000", "\\ud800", "a\\udfffb"])
def test_what_postgresql_cannot_store(tenant: Tenant, bad: str) -> None:
    for method, path in WRITES:
        for body in (
            f'{{"data": {{"x": ["{bad}"]}}}}',
            f'{{"data": {{"{bad}": 1}}}}',
            f'{{"{bad}": 1}}',
            f'{{"name": "{bad}"}}',
        ):
            answer = tenant.http.request(method, path, content=body.encode(), headers=JSON)
            assert_problem(answer, 422, code="invalid")
            assert all(error["pointer"].startswith(("/data", "/name", "")) for error in answer.json()["errors"])


def test_nested_deeper_than_anybody_needs(tenant: Tenant) -> None:
    deep: Any = 1
    for _ in range(40):
        deep = [deep]
    assert_problem(tenant.http.put("/v1/recipients/u1", json={"data": {"x": deep}}), 422, code="invalid")
    assert_problem(tenant.http.post("/v1/notifications", json=notification(data={"x": deep})), 422, code="invalid")


@pytest.mark.parametrize("name", ["a\nb", "a\rb", "tab\t", "nul\x7f", "\x85", "line\u2028"])
def test_control_characters_in_what_becomes_a_header(tenant: Tenant, name: str) -> None:
    assert_problem(tenant.http.put("/v1/recipients/u1", json={"name": name}), 422, pointer="/name")
    assert_problem(tenant.http.put("/v1/recipients/u1", json={"email": f"{name}@example.com"}), 422, pointer="/email")
    title = tenant.http.post("/v1/notifications", json=notification(content={"title": name}))
    assert_problem(title, 422, pointer="/content/title")
    inline = tenant.http.post("/v1/notifications", json=notification(recipients=["x", {"id": "y", "name": name}]))
    assert_problem(inline, 422, pointer="/recipients/1/name")
    assert_problem(tenant.http.put("/v1/topics/t", json={"name": name}), 422, pointer="/name")


@pytest.mark.parametrize(
    "email",
    [
        "", " ", "x", "@", "a@", "@b", "a@b@c", "a b@example.com", "a@exa mple.com", "a@-example.com", "a@example..com",
        ".a@example.com", "a.@example.com", "a@[127.0.0.1]", '"a b"@example.com', "Ada <a@example.com>", "a@example.com,b@example.com",
        "a@example.com\n", "a@" + "b" * 64 + ".com", "a@" + "b." * 150 + "com", "a@\u202eexample.com",
        "a\u0000@example.com", "mailto:a@example.com", "x" * 400_000 + "@example.com",
    ],
    ids=lambda email: repr(email)[:24],
)  # fmt: skip
def test_addresses_of_every_odd_kind(tenant: Tenant, email: str) -> None:
    assert_problem(tenant.http.put("/v1/recipients/u1", json={"email": email}), 422)
    assert_problem(
        tenant.http.post("/v1/notifications", json=notification(recipients=[{"id": "a", "email": email}])), 422
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", 1), ("email", ["a@example.com"]), ("phone", "0664 123"), ("phone", "+0123456789"), ("phone", "+" + "1" * 16),
        ("phone", "+١٢٣٤٥٦٧٨٩"), ("locale", "german!"), ("locale", "d"), ("timezone", "Mars/Olympus"), ("timezone", "../etc/passwd"),
        ("timezone", "europe/berlin"), ("name", "x" * 256), ("name", ""), ("name", True), ("data", None), ("data", []), ("data", "x"),
    ],
)  # fmt: skip
def test_recipient_fields(tenant: Tenant, field: str, value: Any) -> None:
    assert_problem(tenant.http.put("/v1/recipients/u1", json={field: value}), 422, pointer=f"/{field}")
    assert_problem(tenant.http.patch("/v1/recipients/known", json={field: value}), 422, pointer=f"/{field}")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"recipients": []}, "/recipients"),
        ({"recipients": ["u"] * 1001}, "/recipients"),
        ({"recipients": "u1"}, "/recipients"),
        ({"recipients": [7]}, "/recipients/0"),
        ({"recipients": [""]}, "/recipients/0"),
        ({"recipients": ["ok", "a/b"]}, "/recipients/1"),
        ({"recipients": ["x" * 256]}, "/recipients/0"),
        ({"recipients": [" lead"]}, "/recipients/0"),
        ({"recipients": [{"email": "a@example.com"}]}, "/recipients/0/id"),
        ({"recipients": [{"id": "a", "nick": "b"}]}, "/recipients/0/nick"),
        ({"recipients": [{"topic": "a", "id": "b"}]}, "/recipients/0/id"),
        ({"recipients": [{"topic": "unknown"}]}, "/recipients/0/topic"),
        ({"channels": []}, "/channels"),
        ({"channels": ["pigeon"]}, "/channels/0"),
        ({"channels": ["in_app", "in_app"]}, "/channels/1"),
        ({"channels": None}, "/channels"),
        ({"content": None}, "/content"),
        ({"content": {}}, "/content"),
        ({"content": {"title": 1}}, "/content/title"),
        ({"content": {"title": "x" * 1001}}, "/content/title"),
        ({"content": {"title": "x", "action_url": "javascript:alert(1)"}}, "/content/action_url"),
        ({"content": {"title": "x", "subject": "y"}}, "/content/subject"),
        ({"data": []}, "/data"),
        ({"critical": 1}, "/critical"),
        ({"category": "a b"}, "/category"),
        ({"cancellation_key": "\n"}, "/cancellation_key"),
        ({"metadata": 1}, "/metadata"),
        ({"send_at": "tomorrow"}, "/send_at"),
        ({"send_at": 1}, "/send_at"),
        ({"send_at": "2026-12-24T18:00:00"}, "/send_at"),
        ({"send_at": "2030-02-30T00:00:00Z"}, "/send_at"),
        ({"send_at": "2030-01-01T24:00:00Z"}, "/send_at"),
        ({"send_at": "2016-12-31T23:59:60Z"}, "/send_at"),
        ({"send_at": "9999-12-31T23:59:59Z"}, "/send_at"),
        ({"send_at": "9999-12-31T23:59:59-23:59"}, "/send_at"),
        ({"send_at": "0001-01-01T00:00:00+23:59"}, "/send_at"),
        ({"send_at": "2030-01-01T00:00:00+99:99"}, "/send_at"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, "/expires_at"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_notification_fields(tenant: Tenant, changes: dict[str, Any], pointer: str) -> None:
    body = notification(**changes)
    answer = assert_problem(tenant.http.post("/v1/notifications", json=body), 422, pointer=pointer)
    if pointer != "/recipients/0/topic":
        assert assert_problem(tenant.http.post("/v1/notifications?dry_run=true", json=body), 422) == answer
    bulk = tenant.http.post("/v1/notifications/bulk", json={"notifications": [body]})
    assert bulk.json()["data"] == [answer]


@pytest.mark.parametrize("name", ["%00", "%0A", "%20x", "x%20", "%EF%BF%BD%00", "x" * 256, "%ED%A0%80%00", "%ff%00"])
def test_names_in_paths_that_name_nothing(tenant: Tenant, name: str) -> None:
    assert_problem(tenant.http.get(f"/v1/recipients/{name}"), 404)
    assert_problem(tenant.http.delete(f"/v1/recipients/{name}"), 404)
    assert_problem(tenant.http.put(f"/v1/recipients/{name}", json={}), 422, pointer="/id")
    assert_problem(tenant.http.post(f"/v1/recipients/{name}/tokens"), 422, pointer="/id")
    assert_problem(tenant.http.get(f"/v1/topics/{name}"), 404)
    assert_problem(
        tenant.http.post(f"/v1/topics/{name}/subscriptions", json={"recipients": ["a"]}), 422, pointer="/key"
    )
    assert_problem(tenant.http.get(f"/v1/notifications/{name}"), 404)
    assert_problem(tenant.http.post(f"/v1/deliveries/{name}/retry"), 404)


@pytest.mark.parametrize(
    "query",
    [
        "after=%00",
        "%00=1",
        "after=%ff",
        "after=",
        "&".join(f"a{n}=1" for n in range(2000)),
        "after=x&after=y",
        "limit=1e3",
    ],
)
def test_query_strings(tenant: Tenant, query: str) -> None:
    answer = tenant.http.get(f"/v1/recipients?{query}")
    assert answer.status_code in (400, 422)
    assert_problem(answer, answer.status_code)


def test_raw_bytes_in_the_request_line(api_socket: str, tenant: Tenant) -> None:
    import socket

    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(api_socket)
        raw.settimeout(10)
        credentials = f"Authorization: Bearer {tenant.key}\r\n\r\n".encode()
        raw.sendall(b"GET /v1/recipients?after=\xff\xfe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + credentials)
        answer = b"".join(iter(lambda: raw.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 4"), answer
    assert b"500" not in answer.split(b"\r\n")[0]


def test_cursors_that_were_tampered_with(tenant: Tenant) -> None:
    for name in ("a", "b", "c"):
        tenant.http.put(f"/v1/topics/page-{name}", json={})
    good = tenant.http.get("/v1/topics", params={"limit": 1}).json()["next"]
    flipped = [good[:at] + ("A" if good[at] != "A" else "B") + good[at + 1 :] for at in range(len(good))]
    wrong = [*flipped, good[:-1], good + "A", good[::-1], "x", "ü" * 32, json.dumps(good), "0" * 32]
    for cursor in wrong:
        for parameter in ("after", "before"):
            answer = tenant.http.get("/v1/topics", params={parameter: cursor})
            assert_problem(answer, 422, pointer=f"/{parameter}")
    assert tenant.http.get("/v1/topics", params={"after": good}).status_code == 200
    assert_problem(tenant.http.get("/v1/recipients", params={"after": good}), 422, pointer="/after")
    assert_problem(tenant.http.get("/v1/topics", params={"after": good, "before": good}), 422, pointer="/before")
    for name in ("a", "b", "c"):
        tenant.http.delete(f"/v1/topics/page-{name}")
