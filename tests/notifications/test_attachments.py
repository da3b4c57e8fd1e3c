"""What may be said about files: decided without fetching any."""

from typing import Any

import pytest

from notifications.intake.attachments import type_of
from tests.notifications.test_submission import parse, pointers

FILE = {"name": "offer.pdf", "url": "https://files.example/offer.pdf"}
LOGO = {"name": "logo.png", "url": "https://files.example/logo.png", "inline": "logo"}


def content(*attachments: Any) -> dict[str, Any]:
    return {"title": "t", "attachments": list(attachments)}


def test_files_and_images() -> None:
    parsed = parse(content=content(FILE, LOGO)).body.content
    assert parsed is not None and parsed.attachments
    assert [(item.name, item.inline) for item in parsed.attachments] == [("offer.pdf", None), ("logo.png", "logo")]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"), ({"name": "a/b"}, "name"), ({"name": "a\\b"}, "name"), ({"name": "a\r\nX: y"}, "name"),
        ({"name": " a"}, "name"), ({"name": "a" * 256}, "name"), ({"name": None}, "name"),
        ({"url": "http://files.example/"}, "url"), ({"url": "ftp://files.example/"}, "url"), ({"url": "x"}, "url"),
        ({"url": "https://a.example/\n"}, "url"), ({"url": "https://a.example/" + "a" * 2048}, "url"),
        ({"type": "pdf"}, "type"), ({"type": "a/b; c=d"}, "type"), ({"type": "text/plain\r\nX: y"}, "type"),
        ({"type": "multipart/mixed"}, "type"), ({"type": "Message/RFC822"}, "type"), ({"type": ""}, "type"),
        ({"inline": "logo"}, "inline"), ({"type": "text/html", "inline": "logo"}, "inline"),
        ({"type": "image/png", "inline": "a>b"}, "inline"), ({"type": "image/png", "inline": ""}, "inline"),
        ({"size": 1}, "size"),
    ],
    ids=str,
)  # fmt: skip
def test_a_wrong_file_is_named(change: dict[str, Any], field: str) -> None:
    assert set(pointers(content=content(LOGO, FILE | change))) == {f"/content/attachments/1/{field}"}


def test_ten_at_most_and_each_image_once() -> None:
    assert pointers(content=content(*[FILE] * 11)) == ["/content/attachments"]
    assert pointers(content=content(LOGO, FILE, LOGO)) == ["/content/attachments/2/inline"]
    assert parse(content=content(*[FILE] * 10))


@pytest.mark.parametrize(
    ("name", "given", "kind"),
    [
        ("a.pdf", None, "application/pdf"), ("a.PNG", None, "image/png"), ("a", None, "application/octet-stream"),
        ("a.tar.gz", None, "application/octet-stream"), ("a.pdf", "Text/Plain", "text/plain"),
    ],
)  # fmt: skip
def test_types(name: str, given: str | None, kind: str) -> None:
    assert type_of(name, given) == kind


@pytest.mark.parametrize("thread", ["", "a\nb", "x" * 256, 5])
def test_a_thread_is_a_line(thread: Any) -> None:
    assert pointers(thread=thread) == ["/thread"]
    assert parse(thread="ticket/42 – Überblick").body.thread == "ticket/42 – Überblick"
