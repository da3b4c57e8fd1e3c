"""The line by which a mail's reader chooses what to get: everybody's own address in a text that is made once."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest

from delivery.transports.base import Content
from delivery.transports.email.footer import PLACE, language_of
from delivery.transports.email.message import render_email
from tests.delivery.transports.outbounds import make_outbound

URL = "https://bell.example/p/" + "Ab-_9" * 40
SENDER = {"sender_header": "Carillon <no-reply@bell.example>", "domain": "bell.example"}
BODIES = ["Hello", "Grüße: äöü " * 30, "你好，世界。" * 50, "long " * 400, "= ==3D . \n.\n\n.."]


def read(content: Content, url: str | None = URL, locale: str | None = None) -> tuple[bytes, EmailMessage]:
    payload = render_email(make_outbound(content=content, preferences_url=url, locale=locale), **SENDER)
    raw = payload.head + payload.tail
    message = message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)
    return raw, message


def parts(message: EmailMessage) -> tuple[str, str]:
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None and html is not None
    return text.get_content().replace("\r\n", "\n"), html.get_content().replace("\r\n", "\n")


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_everybody_gets_their_own_address_under_the_same_text(body: str) -> None:
    _, without = read(Content(title="Hi", body=body), url=None)
    for url in (URL, "https://bell.example/p/" + "z" * 300, "http://127.0.0.1:8000/p/a=b?c=d"):
        raw, message = read(Content(title="Hi", body=body), url=url)
        text, html = parts(message)
        assert text == f"{parts(without)[0]}\n-- \nChoose what you get:\n{url}\n"
        assert f'href="{url}"' in html and html.endswith("</html>\n")
        assert PLACE.encode() not in raw
        assert max(map(len, raw.split(b"\r\n"))) <= 78


@pytest.mark.parametrize(
    ("locale", "word"), [("de-AT", "Auswählen"), ("fr_CA", "Choisir"), ("es", "Elegir"), ("nl", "Choose")]
)
def test_it_speaks_the_recipients_language(locale: str, word: str) -> None:
    assert all(word in part for part in parts(read(Content(title="Hi", body="there"), locale=locale)[1]))
    assert language_of(None) == "en"


def test_html_of_a_template_has_it_too_unless_it_shows_the_address_itself() -> None:
    page = "<html><body><p>Hello</p></body></html>"
    text, html = parts(read(Content(title="Hi", body="", html=page))[1])
    assert URL in text and f'href="{URL}"' in html
    own = f'<p>Hello <a href="{URL}">choose</a></p>'
    text, html = parts(read(Content(title="Hi", body="", html=own))[1])
    assert text.count(URL) == html.count(URL) == 1
    assert "Choose what you get" not in text
