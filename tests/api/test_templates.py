"""`/v1/templates`: saved in versions, checked before, previewed, sent as samples."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from notifications.models import Notification, Template, TemplateVersion
from tests.api.asking import Tenant, assert_problem, row_counts

SHIPPED: dict[str, Any] = {
    "name": "Order shipped",
    "variants": {
        "email": {
            "default": {"subject": "Order {{ data.n }}", "body": "On **{{ data.at | date }}**", "layout": "default"},
            "de": {"subject": "Bestellung {{ data.n }}", "body": "Am **{{ data.at | date }}**", "layout": "default"},
        },
        "default": {"default": {"title": "Order {{ data.n }}", "action_url": "{{ data.url }}"}},
    },
}
FRAME: dict[str, Any] = {"kind": "layout", "variants": {"default": {"html": "<b>{{ content }}</b>"}}}
FOOT: dict[str, Any] = {"kind": "partial", "variants": {"default": {"text": "by {{ who }}"}}}


def title(text: str) -> dict[str, Any]:
    return {"variants": {"default": {"default": {"title": text}}}}


def test_a_template_lives(http: httpx.Client) -> None:
    made = http.put("/v1/templates/shipped", json=SHIPPED)
    assert made.status_code == 201
    assert made.json() | {"created_at": "", "updated_at": ""} == {
        "key": "shipped",
        "kind": "template",
        "name": "Order shipped",
        "version": 1,
        "variants": SHIPPED["variants"],
        "created_at": "",
        "updated_at": "",
    }
    assert http.get("/v1/templates/shipped").json() == made.json()
    assert [row["key"] for row in http.get("/v1/templates").json()["data"]] == ["shipped"]
    assert http.delete("/v1/templates/shipped").status_code == 204
    assert_problem(http.get("/v1/templates/shipped"), 404)
    assert not TemplateVersion.objects.filter(template__key="shipped").exists()


def test_the_same_again_is_no_new_version_and_an_older_one_can_be_used_again(http: httpx.Client) -> None:
    first, second = title("one"), title("two")
    assert http.put("/v1/templates/t", json=first).json()["version"] == 1
    renamed = http.put("/v1/templates/t", json={**first, "name": "T"})
    assert (renamed.status_code, renamed.json()["version"], renamed.json()["name"]) == (200, 1, "T")
    assert http.put("/v1/templates/t", json=second).json()["version"] == 2
    listed = http.get("/v1/templates/t/versions").json()["data"]
    assert [(row["number"], row["variants"]) for row in listed] == [(2, second["variants"]), (1, first["variants"])]
    back = http.post("/v1/templates/t/versions/1/publish")
    assert (back.json()["version"], back.json()["variants"]) == (1, first["variants"])
    assert http.get("/v1/templates/t/versions/2").json()["variants"] == second["variants"]
    assert http.put("/v1/templates/t", json=second).json()["version"] == 3
    for path in ("9", "0", "x", "99999999999"):
        assert_problem(http.get(f"/v1/templates/t/versions/{path}"), 404)
        assert_problem(http.post(f"/v1/templates/t/versions/{path}/publish"), 404)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/variants"),
        ({"variants": {}}, "/variants"),
        ({"variants": []}, "/variants"),
        ({"variants": {"fax": {"default": {"title": "x"}}}}, "/variants/fax"),
        ({"variants": {"email": {"de": {"subject": "x"}}}}, "/variants/email"),
        ({"variants": {"email": {"default": {"subject": "{{ oops"}}}}, "/variants/email/default/subject"),
        ({"variants": {"email": {"default": {"subject": "{{ dat.x }}"}}}}, "/variants/email/default/subject"),
        ({"variants": {"email": {"default": {"subject": "{{ data | shout }}"}}}}, "/variants/email/default/subject"),
        ({"variants": {"email": {"default": {"subject": "x", "layout": "nowhere"}}}}, "/variants"),
        ({"variants": {"email": {"default": {"body": "{% render 'nowhere' %}"}}}}, "/variants"),
        ({"kind": "page", "variants": {"default": {"text": "x"}}}, "/kind"),
        ({**FRAME, "variants": {"default": {"html": "no content"}}}, "/variants/default/html"),
        ({**title("x"), "extra": 1}, "/extra"),
    ],
)
def test_a_bad_template_changes_nothing(http: httpx.Client, body: dict[str, Any], pointer: str) -> None:
    before = row_counts()
    assert_problem(http.put("/v1/templates/t", json=body), 422, pointer=pointer)
    assert row_counts() == before


def test_what_others_use_stays(http: httpx.Client) -> None:
    http.put("/v1/templates/foot", json=FOOT)
    http.put("/v1/templates/frame", json=FRAME)
    using = {"variants": {"email": {"default": {"body": "{% render 'foot', who: 'us' %}", "layout": "frame"}}}}
    assert http.put("/v1/templates/t", json=using).status_code == 201
    before = row_counts()
    assert_problem(http.delete("/v1/templates/foot"), 409)
    assert_problem(http.delete("/v1/templates/frame"), 409)
    assert_problem(http.put("/v1/templates/foot", json=FRAME), 422, pointer="/kind")
    assert row_counts() == before
    http.delete("/v1/templates/t")
    assert http.delete("/v1/templates/foot").status_code == 204
    # A layout of another kind, and a partial that leads back to itself.
    wrong = {"variants": {"email": {"default": {"body": "{% render 'frame' %}"}}}}
    assert_problem(http.put("/v1/templates/t", json=wrong), 422, pointer="/variants")
    http.put("/v1/templates/a", json={"kind": "partial", "variants": {"default": {"text": "a"}}})
    http.put("/v1/templates/b", json={"kind": "partial", "variants": {"default": {"text": "{% render 'a' %}"}}})
    circle = {"kind": "partial", "variants": {"default": {"text": "{% render 'b' %}"}}}
    assert "use itself" in assert_problem(http.put("/v1/templates/a", json=circle), 422)["errors"][0]["detail"]


def test_an_older_version_whose_parts_are_gone_stays_old(http: httpx.Client) -> None:
    http.put("/v1/templates/foot", json=FOOT)
    http.put("/v1/templates/t", json=title("{% render 'foot' %}"))
    http.put("/v1/templates/t", json=title("plain"))
    assert http.delete("/v1/templates/foot").status_code == 204
    assert_problem(http.post("/v1/templates/t/versions/1/publish"), 409)
    assert http.get("/v1/templates/t").json()["version"] == 2


def test_the_word_preview_is_no_key(http: httpx.Client) -> None:
    assert_problem(http.put("/v1/templates/preview", json=SHIPPED), 405)


def test_a_preview_is_the_mail_as_it_would_be_sent(http: httpx.Client) -> None:
    http.put("/v1/templates/shipped", json=SHIPPED)
    before = row_counts()
    sample = {"channel": "email", "locale": "de-AT", "data": {"n": "<7>", "at": "2026-01-31"}}
    shown = http.post("/v1/templates/shipped/preview", json=sample).json()
    assert (shown["subject"], shown["locale"], shown["undefined"]) == ("Bestellung <7>", "de", [])
    assert "Bestellung <7>\n\nAm 31.01.2026" in shown["text"]
    assert "<strong" in shown["html"]
    assert "Abbestellen" in shown["html"]
    assert "&lt;7&gt;" in shown["html"]
    bell = http.post("/v1/templates/shipped/preview", json={"channel": "in_app", "data": {}}).json()
    assert (bell["title"], bell["html"], bell["undefined"]) == ("Order", None, ["data.n", "data.url"])
    assert row_counts() == before


def test_a_preview_of_what_is_not_stored(http: httpx.Client) -> None:
    body = {
        "template": {"title": "{{ total_items }} by {{ actors | names: 2 }}"},
        "channel": "in_app",
        "items": [{"actor": {"name": name}, "data": {}} for name in ("Ana", "Bo", "Cy")],
    }
    assert http.post("/v1/templates/preview", json=body).json()["title"] == "3 by Ana, Bo and 1 other"
    for template, pointer in (
        ({"title": "{{ oops"}, "/template/title"),
        ({"subject": "x"}, "/template/subject"),
        ({"title": "{% for i in (1..1000000000) %}{% endfor %}"}, "/template/title"),
    ):
        assert_problem(http.post("/v1/templates/preview", json={**body, "template": template}), 422, pointer=pointer)
    assert_problem(http.post("/v1/templates/preview", json={**body, "channel": "fax"}), 422, pointer="/channel")


def test_another_projects_parts_are_not_seen(http: httpx.Client, make_tenant: Callable[..., Tenant]) -> None:
    other = make_tenant()
    other.http.put("/v1/templates/foot", json=FOOT)
    other.http.put("/v1/templates/frame", json=FRAME)
    body = {"template": {"body": "{% render 'foot' %}", "layout": "frame"}, "channel": "email"}
    assert_problem(http.post("/v1/templates/preview", json=body), 422)
    assert_problem(http.put("/v1/templates/t", json=title("{% render 'foot' %}")), 422, pointer="/variants")


def test_a_sample_is_a_real_notification(tenant: Tenant) -> None:
    tenant.http.put("/v1/templates/shipped", json=SHIPPED)
    body = {
        "channel": "email",
        "to": {"id": "u1", "email": "u1@example.com"},
        "data": {"n": 7, "at": "2026-01-31", "url": "https://example.com/"},
    }
    headers = {"Idempotency-Key": "once"}
    sent = tenant.http.post("/v1/templates/shipped/test-send", json=body, headers=headers)
    assert sent.status_code == 202
    again = tenant.http.post("/v1/templates/shipped/test-send", json=body, headers=headers)
    assert again.json() == sent.json()
    row = Notification.objects.get(project=tenant.project)
    assert row.content["title"] == "Order 7"
    assert "Jan 31, 2026" in row.content["html"]
    assert row.channels == ["email"]
    assert tenant.http.get(sent.headers["location"]).json()["content"]["title"] == "Order 7"
    bad = {**body, "to": {"id": "u1", "email": "nonsense"}}
    before = row_counts()
    assert_problem(tenant.http.post("/v1/templates/shipped/test-send", json=bad), 422, pointer="/to/email")
    assert row_counts() == before


def test_keys_that_may_only_read_change_nothing(make_tenant: Callable[..., Tenant]) -> None:
    reader = make_tenant(scopes=["notifications:read"])
    assert_problem(reader.http.put("/v1/templates/t", json=title("x")), 403)
    assert reader.http.get("/v1/templates").status_code == 200
    assert not Template.objects.filter(project=reader.project).exists()
