"""`/p/<token>`: opened by the link in a mail alone, in the reader's language; a look changes nothing."""

from collections.abc import Callable
from html.parser import HTMLParser

import httpx
import pytest

from api.preference_page.languages import LANGUAGES, choose_language
from notifications.models import Recipient, RecipientPreferences
from notifications.preference_links import preferences_url
from tests.api.asking import Tenant, row_counts

MARKS = "<b>&\"'"


@pytest.fixture
def nobody(connect: Callable[..., httpx.Client]) -> httpx.Client:
    """A client without any key."""
    return connect()


def link_of(tenant: Tenant, *, category: str = "news", address: str = "u1@example.com", **fields: str) -> str:
    tenant.http.put("/v1/recipients/u1", json={"email": "u1@example.com", **fields})
    row = Recipient.objects.get(project=tenant.project, external_id="u1")
    url = preferences_url(project_id=tenant.project.id, recipient_pk=row.pk, address=address, category=category)
    return "/p/" + url.rpartition("/")[2]


class _Form(HTMLParser):
    """The page's form as a browser without scripts sends it, and what its labels say."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields: dict[str, list[str]] = {}
        self._select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "select":
            self._select = given["name"]
        elif tag == "option" and "selected" in given:
            self.fields.setdefault(self._select, []).append(given["value"])
        elif tag == "input" and (given.get("type") != "checkbox" or "checked" in given):
            self.fields.setdefault(given["name"], []).append(given["value"])


def assert_page(answer: httpx.Response, status: int = 200) -> None:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "script-src" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in answer.headers
    assert "<script" not in answer.text
    assert 'name="viewport"' in answer.text


def test_looking_changes_nothing(tenant: Tenant, nobody: httpx.Client) -> None:
    link = link_of(tenant)
    before = row_counts()
    assert_page(nobody.get(link))
    assert nobody.head(link).status_code == 200
    assert row_counts() == before


def test_saving_what_is_shown_and_then_a_change(tenant: Tenant, nobody: httpx.Client) -> None:
    link = link_of(tenant)
    form = _Form(nobody.get(link).text).fields
    answer = nobody.post(link, data=form)
    assert_page(answer)
    assert LANGUAGES["en"].saved in answer.text
    assert tenant.http.get("/v1/recipients/u1/preferences").json()["categories"] == {}
    form["on"].remove("news email")
    assert_page(nobody.post(link, data=form))
    stored = RecipientPreferences.objects.get(project=tenant.project)
    assert (stored.settings["categories"], stored.source) == ({"news": {"email": False}}, "page")
    assert "news email" not in _Form(nobody.get(link).text).fields["on"]
    assert_page(nobody.post(link, data={**form, "stop": "email"}))
    assert not any(cell.endswith(" email") for cell in _Form(nobody.get(link).text).fields.get("on", []))


def test_it_shows_what_there_is_to_choose(tenant: Tenant, nobody: httpx.Client) -> None:
    project = {"brand": {"name": MARKS}, "preferences": {"categories": {"order-updates": {"in_app": False}}}}
    assert tenant.http.patch("/v1/project", json=project).is_success
    tenant.http.put("/v1/recipients/u1/preferences", json={"digests": {"weekly.report": {"cron": "0 9 * * 1"}}})
    steps = [{"key": "bell", "type": "in_app", "template": {"title": "Hi"}}]
    for key, category, critical in (("comment", "collab", False), ("login", "security", True)):
        workflow = {"name": "Comments & more", "category": category, "critical": critical, "steps": steps}
        assert tenant.http.put(f"/v1/workflows/{key}", json=workflow).is_success
    page = nobody.get(link_of(tenant, timezone="America/New_York")).text
    assert all(f"<legend>{name}</legend>" in page for name in ("News", "Order updates", "Weekly report"))
    assert '<legend>Collab</legend><p class="hint">Comments &amp; more</p>' in page
    assert "<legend>Security</legend>" not in page
    form = _Form(page).fields
    assert "order-updates in_app" not in form["on"] and "order-updates email" in form["on"]
    assert (form["rhythm weekly.report"], form["weekday weekly.report"]) == (["weekly"], ["0"])
    assert MARKS not in page and "&lt;b&gt;&amp;" in page
    assert "America/New York" in page


def test_impossible_hours_are_told_and_nothing_is_saved(tenant: Tenant, nobody: httpx.Client) -> None:
    link = link_of(tenant)
    form = _Form(nobody.get(link).text).fields
    form["quiet"] = ["monday"]
    form["until monday"] = form["from monday"]
    before = row_counts()
    answer = nobody.post(link, data=form)
    assert_page(answer, 422)
    assert 'role="alert"' in answer.text
    assert row_counts() == before


def test_a_link_that_opens_nothing(tenant: Tenant, nobody: httpx.Client) -> None:
    good = link_of(tenant)
    tampered = good[:-3] + ("AAA" if not good.endswith("AAA") else "BBB")
    moved = link_of(tenant, address="before@example.com")
    erased = link_of(tenant)
    assert nobody.get(erased).status_code == 200
    tenant.http.delete("/v1/recipients/u1")
    before = row_counts()
    for link in (tampered, moved, erased, "/p/x", "/p/" + "a" * 5000, "/p/%00ä"):
        for answer in (nobody.get(link), nobody.post(link, data={"shown": "news email"})):
            assert_page(answer, 404)
            assert LANGUAGES["en"].gone in answer.text
    assert row_counts() == before


def test_other_methods_are_refused(tenant: Tenant, nobody: httpx.Client) -> None:
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
        answer = nobody.request(method, link_of(tenant))
        assert_page(answer, 405)
        assert answer.headers["allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize(("locale", "header", "language"), [
    ("de-AT", "fr", "de"), ("pt-BR", "es-MX, en;q=0.5", "es"), ("nl", "nl, *;q=0.1", "en"), ("fr_CA", "", "fr"),
])  # fmt: skip
def test_it_speaks_the_readers_language(
    tenant: Tenant, nobody: httpx.Client, locale: str, header: str, language: str
) -> None:
    page = nobody.get(link_of(tenant, locale=locale), headers={"Accept-Language": header}).text
    assert f'<html lang="{language}">' in page
    assert LANGUAGES[language].title in page


def test_languages_by_weight() -> None:
    assert choose_language("nl, fr;q=0.3, de;q=0.8, es;q=x") == "de"
    assert choose_language(None, "", "es-419") == "es"
    assert choose_language("de;q=0") == "en"
    assert choose_language() == "en"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_everything(language: str) -> None:
    words, english = LANGUAGES[language], LANGUAGES["en"]
    assert words.channels.keys() == english.channels.keys()
    assert words.cadences.keys() == english.cadences.keys()
    assert len(set(words.days)) == 7
    assert "{zone}" in words.quiet_hint and "{spans}" in words.also


def test_from_the_link_to_unsubscribe_one_comes_here_too(tenant: Tenant, nobody: httpx.Client) -> None:
    from notifications.unsubscribe_links import unsubscribe_url

    link_of(tenant)
    row = Recipient.objects.get(project=tenant.project)
    url = unsubscribe_url(
        project_id=tenant.project.id, recipient_pk=row.pk, address="u1@example.com", category="orders"
    )
    link = "/u/" + url.rpartition("/")[2]
    assert 'href="?choose"' in nobody.get(link).text
    answer = nobody.get(f"{link}?choose", follow_redirects=True)
    assert_page(answer)
    assert "<legend>Orders</legend>" in answer.text
    assert_page(nobody.get("/u/x?choose", follow_redirects=True), 404)
