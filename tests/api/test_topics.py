"""Topics, subscriptions and tokens over HTTP."""

from datetime import UTC, datetime, timedelta

import httpx

from notifications.models import Recipient, Subscription
from notifications.tokens import read_token
from tests.api.asking import Tenant, assert_problem, row_counts


def test_a_topic_lives(http: httpx.Client) -> None:
    assert http.put("/v1/topics/team:1", json={"name": "Team"}).status_code == 201
    assert http.put("/v1/topics/team:1", json={}).json()["name"] == ""
    assert http.patch("/v1/topics/team:1", json={"name": "One"}).json()["name"] == "One"
    assert http.patch("/v1/topics/team:1", json={}).json()["name"] == "One"
    assert [topic["key"] for topic in http.get("/v1/topics").json()["data"]] == ["team:1"]
    assert http.delete("/v1/topics/team:1").status_code == 204
    assert_problem(http.get("/v1/topics/team:1"), 404)


def test_subscribing_creates_what_is_missing_and_counts_what_is_new(tenant: Tenant) -> None:
    http = tenant.http
    http.put("/v1/recipients/u1", json={"name": "kept"})
    assert http.post("/v1/topics/t/subscriptions", json={"recipients": ["u1", "u2", "u2"]}).json() == {"added": 2}
    assert http.post("/v1/topics/t/subscriptions", json={"recipients": ["u2", "u3"]}).json() == {"added": 1}
    assert http.get("/v1/recipients/u1").json()["name"] == "kept"
    listed = http.get("/v1/topics/t/subscriptions").json()["data"]
    assert sorted(row["recipient"] for row in listed) == ["u1", "u2", "u3"]
    gone = http.request("DELETE", "/v1/topics/t/subscriptions", json={"recipients": ["u1", "u9"]})
    assert gone.json() == {"removed": 1}
    assert Recipient.objects.filter(project=tenant.project).count() == 3
    assert http.delete("/v1/topics/t").status_code == 204
    assert not Subscription.objects.filter(topic__project=tenant.project).exists()


def test_a_thousand_at_once_and_no_more(http: httpx.Client) -> None:
    names = [f"u{n}" for n in range(1000)]
    assert http.post("/v1/topics/t/subscriptions", json={"recipients": names}).json() == {"added": 1000}
    before = row_counts()
    too_many = http.post("/v1/topics/t/subscriptions", json={"recipients": [*names, "one more"]})
    assert_problem(too_many, 422, pointer="/recipients")
    assert row_counts() == before


def test_faults_name_the_entry(http: httpx.Client) -> None:
    before = row_counts()
    wrong = http.post("/v1/topics/t/subscriptions", json={"recipients": ["fine", "a/b", 7]})
    assert_problem(wrong, 422, pointer="/recipients/1")
    assert_problem(wrong, 422, pointer="/recipients/2")
    assert_problem(http.put("/v1/topics/no good", json={}), 422, pointer="/key")
    assert row_counts() == before


def test_pages_of_subscriptions(http: httpx.Client) -> None:
    names = [f"u{n}" for n in range(5)]
    http.post("/v1/topics/t/subscriptions", json={"recipients": names})
    first = http.get("/v1/topics/t/subscriptions", params={"limit": "3"}).json()
    second = http.get("/v1/topics/t/subscriptions", params={"limit": "3", "after": first["next"]}).json()
    assert sorted(row["recipient"] for row in first["data"] + second["data"]) == names
    http.put("/v1/topics/other", json={})
    elsewhere = http.get("/v1/topics/other/subscriptions", params={"after": first["next"]})
    assert_problem(elsewhere, 422, pointer="/after")


def test_a_token_speaks_for_its_recipient(tenant: Tenant) -> None:
    answer = tenant.http.post("/v1/recipients/new one/tokens", json={"lifetime_seconds": 600})
    assert answer.status_code == 201
    token = read_token(answer.json()["token"])
    assert (token.project_id, token.external_id) == (tenant.project.id, "new one")
    assert token.recipient_pk == Recipient.objects.get(project=tenant.project, external_id="new one").id
    assert token.expires_at - datetime.now(UTC) <= timedelta(seconds=600)
    assert tenant.http.post("/v1/recipients/new one/tokens").status_code == 201
    assert Recipient.objects.filter(project=tenant.project).count() == 1


def test_token_lifetime_is_bounded(http: httpx.Client) -> None:
    for lifetime in (0, -1, 59, 86_401, 10**18, "3600", 1.5, True, None):
        wrong = http.post("/v1/recipients/u1/tokens", json={"lifetime_seconds": lifetime})
        assert_problem(wrong, 422, pointer="/lifetime_seconds")
