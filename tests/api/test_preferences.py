"""`/v1/recipients/{id}/preferences` and `/v1/project`."""

from typing import Any

from api.serializers.preferences import EXAMPLE
from notifications.models import ProjectSettings, Recipient, RecipientPreferences
from tests.api.asking import Tenant, assert_problem, notification, row_counts

PATH = "/v1/recipients/u1/preferences"
NOTHING: dict[str, Any] = {"channels": {}, "categories": {}, "workflows": {}, "quiet_hours": None, "digests": {}}


def test_what_was_put_is_what_is_got_and_can_be_put_again(tenant: Tenant) -> None:
    answer = tenant.http.put(PATH, json=EXAMPLE)
    assert (answer.status_code, answer.json()) == (200, EXAMPLE)
    assert tenant.http.get(PATH).json() == EXAMPLE
    assert tenant.http.put(PATH, json=tenant.http.get(PATH).json()).json() == EXAMPLE
    assert tenant.http.put(PATH, json={}).json() == NOTHING
    assert tenant.http.put(PATH, json=NOTHING).json() == NOTHING
    row = RecipientPreferences.objects.get(project=tenant.project)
    assert (row.source, row.settings) == ("api", NOTHING)


def test_who_never_said_anything(tenant: Tenant) -> None:
    assert_problem(tenant.http.get(PATH), 404, code="not_found")
    assert_problem(tenant.http.patch(PATH, json={}), 404, code="not_found")
    tenant.http.put("/v1/recipients/u1", json={})
    assert tenant.http.get(PATH).json() == NOTHING


def test_patch_merges_and_null_takes_back(tenant: Tenant) -> None:
    tenant.http.put(PATH, json=EXAMPLE)
    changed = tenant.http.patch(PATH, json={"categories": {"collab": None, "news": False}, "quiet_hours": None}).json()
    assert changed == EXAMPLE | {"categories": {"news": False}, "quiet_hours": None}
    assert tenant.http.get(PATH).json() == changed


def test_what_is_wrong_changes_nothing(tenant: Tenant) -> None:
    tenant.http.put(PATH, json=EXAMPLE)
    before = row_counts()
    for method in ("PUT", "PATCH"):
        for body, pointer in (
            ({"channels": {"email": 1}}, "/channels/email"),
            ({"colour": "red"}, "/colour"),
            ({"quiet_hours": {"weekly": {"monday": [{"from": "x", "until": "07:00"}]}}}, "/quiet_hours/weekly/monday/0/from"),
            ([], ""),
        ):  # fmt: skip
            assert_problem(tenant.http.request(method, PATH, json=body), 422, pointer=pointer)
    assert_problem(tenant.http.put("/v1/recipients/new/preferences", json={"channels": 1}), 422, pointer="/channels")
    assert row_counts() == before
    assert tenant.http.get(PATH).json() == EXAMPLE


def test_an_erased_person_takes_their_preferences_along(tenant: Tenant) -> None:
    tenant.http.put(PATH, json=EXAMPLE)
    assert tenant.http.delete("/v1/recipients/u1").status_code == 204
    assert not RecipientPreferences.objects.filter(project=tenant.project).exists()
    assert not Recipient.objects.filter(project=tenant.project).exists()


def test_a_project_has_defaults_before_it_says_anything(tenant: Tenant) -> None:
    found = tenant.http.get("/v1/project").json()
    assert found.pop("id").startswith("prj_")
    assert found.pop("name") == tenant.project.name
    assert found.pop("updated_at")
    assert found == {"default_locale": "en", "timezone": "UTC", "brand": {}, "preferences": NOTHING, "caps": {}}
    assert not ProjectSettings.objects.filter(project=tenant.project).exists()


def test_a_project_is_changed_part_by_part(tenant: Tenant) -> None:
    caps = {"channels": {"email": {"limit": 5, "per": "PT1H"}}}
    first = {"timezone": "Europe/Berlin", "brand": {"name": "Bell", "color": "#2456c4"}, "caps": caps}
    found = tenant.http.patch("/v1/project", json=first).json()
    assert {name: found[name] for name in first} == first
    found = tenant.http.patch(
        "/v1/project", json={"brand": {"color": None}, "caps": None, "preferences": {"channels": {"sms": False}}}
    ).json()
    assert found["brand"] == {"name": "Bell"}
    assert (found["timezone"], found["caps"]) == ("Europe/Berlin", {})
    assert found["preferences"] == NOTHING | {"channels": {"sms": False}}
    assert tenant.http.get("/v1/project").json() == found
    assert tenant.http.patch("/v1/project", json={"timezone": None}).json()["timezone"] == "UTC"


def test_a_projects_settings_are_checked(tenant: Tenant) -> None:
    for body, pointer in (
        ({"timezone": "Mars"}, "/timezone"),
        ({"timezone": 1}, "/timezone"),
        ({"default_locale": "a" * 40}, "/default_locale"),
        ({"brand": {"color": "red"}}, "/brand/color"),
        ({"brand": {"logo_url": "javascript:alert(1)"}}, "/brand/logo_url"),
        ({"brand": {"font": "x"}}, "/brand/font"),
        ({"brand": [1]}, "/brand"),
        ({"preferences": {"channels": {"email": None, "sms": 1}}}, "/preferences/channels/sms"),
        ({"caps": {"channels": {"email": {"limit": 0, "per": "PT1H"}}}}, "/caps/channels/email/limit"),
        ({"name": "x"}, "/name"),
        ([], ""),
    ):
        assert_problem(tenant.http.patch("/v1/project", json=body), 422, pointer=pointer)
    assert not ProjectSettings.objects.filter(project=tenant.project).exists()


def test_the_dry_run_names_the_entry_that_decided(tenant: Tenant) -> None:
    tenant.http.put(PATH, json={"categories": {"news": {"email": False}}})
    tenant.http.patch("/v1/project", json={"preferences": {"channels": {"in_app": False}}})
    body = notification(recipients=["u1"], channels=["in_app", "email"], category="news")
    plan = tenant.http.post("/v1/notifications", params={"dry_run": "true"}, json=body).json()
    ways = plan["entries"][0]["recipients"][0]["ways"]
    assert [(way["reason"], way["preference"]) for way in ways] == [
        ("preference_project_channel", "project_channel"),
        ("unsubscribed", "category"),
    ]
