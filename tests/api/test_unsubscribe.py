"""`/u/<token>`: one click ends a category, a look changes nothing, and a stranger learns nothing."""

from collections.abc import Callable
from html.parser import HTMLParser

import httpx
import pytest

from notifications.models import Recipient, RecipientPreferences
from notifications.unsubscribe_links import unsubscribe_url
from tests.api.asking import Tenant, row_counts

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def nobody(connect: Callable[..., httpx.Client]) -> httpx.Client:
    """A client without any key."""
    return connect()


def link_of(tenant: Tenant, external_id: str = "u1", category: str = "news", address: str = "u1@example.com") -> str:
    tenant.http.put(f"/v1/recipients/{external_id}", json={"email": f"{external_id}@example.com"})
    row = Recipient.objects.get(project=tenant.project, external_id=external_id)
    url = unsubscribe_url(project_id=tenant.project.id, recipient_pk=row.pk, address=address, category=category)
    return "/u/" + url.rpartition("/")[2]


def said(tenant: Tenant) -> list[tuple[str, str, str, str]]:
    rows = RecipientPreferences.objects.filter(project=tenant.project).order_by("recipient_id")
    return [
        (row.recipient.external_id, channel, category, row.source)
        for row in rows
        for category, switches in row.settings["categories"].items()
        for channel, on in switches.items()
        if not on
    ]


def assert_page(answer: httpx.Response, status: int = 200) -> None:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in answer.headers
    assert "location" not in answer.headers
    assert 'name="viewport"' in answer.text


@pytest.mark.parametrize(
    "send",
    [
        lambda http, link: http.post(link, data=ONE_CLICK),
        lambda http, link: http.post(link, files={"List-Unsubscribe": (None, "One-Click")}),
        lambda http, link: http.post(link, content=b""),
        lambda http, link: http.post(link, data=ONE_CLICK, headers={"Accept": "application/json", "Cookie": "a=b"}),
        lambda http, link: http.post(
            link, data=ONE_CLICK, headers={"Origin": "https://mail.example", "Authorization": "x"}
        ),
    ],
    ids=["form", "multipart", "empty", "accept", "origin"],
)
def test_one_click(tenant: Tenant, nobody: httpx.Client, send: Callable[..., httpx.Response]) -> None:
    assert_page(send(nobody, link_of(tenant)))
    assert said(tenant) == [("u1", "email", "news", "one_click")]


def test_again_changes_nothing_and_says_the_same(tenant: Tenant, nobody: httpx.Client) -> None:
    link = link_of(tenant)
    answers = {nobody.post(link, data=ONE_CLICK).text for _ in range(3)}
    assert len(answers) == 1
    assert said(tenant) == [("u1", "email", "news", "one_click")]


def test_looking_changes_nothing(tenant: Tenant, nobody: httpx.Client) -> None:
    link = link_of(tenant)
    for method in ("GET", "HEAD"):
        assert nobody.request(method, link).status_code == 200
    assert_page(nobody.get(link))
    assert said(tenant) == []


class _Form(HTMLParser):
    """The page's only form, as a browser sends it."""

    method = action = ""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.method, self.action = given["method"], given.get("action", "")
        elif tag == "input":
            self.fields[given["name"]] = given["value"]


def test_the_pages_button_unsubscribes(tenant: Tenant, nobody: httpx.Client) -> None:
    link = link_of(tenant)
    form = _Form(nobody.get(link).text)
    assert (form.method, form.action) == ("post", "")  # back to the page's own address
    answer = nobody.post(link, data=form.fields)
    assert_page(answer)
    assert "You are unsubscribed" in answer.text
    assert said(tenant) == [("u1", "email", "news", "page")]


def test_whoever_asks_is_told_the_same(
    tenant: Tenant, make_tenant: Callable[..., Tenant], nobody: httpx.Client
) -> None:
    good, other = link_of(tenant), link_of(make_tenant())
    tampered = good[:-3] + ("AAA" if not good.endswith("AAA") else "BBB")
    erased = link_of(tenant, "gone", address="gone@example.com")
    tenant.http.delete("/v1/recipients/gone")
    moved = link_of(tenant, "moved", address="before@example.com")
    before = row_counts()
    answers = [
        nobody.post(link, data=ONE_CLICK) for link in (tampered, erased, moved, "/u/x", "/u/" + "a" * 5000, "/u/%00ä")
    ]
    assert row_counts() == before
    answers += [nobody.post(link, data=ONE_CLICK) for link in (good, other)]
    for answer in answers:
        assert_page(answer)
    assert len({answer.text for answer in answers}) == 1
    assert len({nobody.get(link).text for link in (good, tampered, "/u/x")}) == 1
    assert said(tenant) == [("u1", "email", "news", "one_click")]


def test_other_methods_are_refused(tenant: Tenant, nobody: httpx.Client) -> None:
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
        answer = nobody.request(method, link_of(tenant))
        assert_page(answer, 405)
        assert answer.headers["allow"] == "GET, HEAD, POST"
    assert said(tenant) == []


def test_unsubscribing_ends_with_the_person(tenant: Tenant, nobody: httpx.Client) -> None:
    nobody.post(link_of(tenant), data=ONE_CLICK)
    assert tenant.http.delete("/v1/recipients/u1").is_success
    assert said(tenant) == []
