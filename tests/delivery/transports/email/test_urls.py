"""`SMTP_URL` as operators write it."""

import pytest

from delivery.transports.email.urls import InvalidSmtpUrl, SmtpServer, parse_smtp_urls


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://localhost", SmtpServer(host="localhost", port=25)),
        ("smtp://mx.example:2525/", SmtpServer(host="mx.example", port=2525)),
        (
            "smtp://me:pa%2Css%40@mx.example",
            SmtpServer(host="mx.example", port=587, username="me", password="pa,ss@", starttls=True),
        ),
        (
            "smtp://me:pw@mx.example:25?starttls=0",
            SmtpServer(host="mx.example", port=25, username="me", password="pw", starttls=False),
        ),
        ("smtp://mx.example?starttls=1&verify=0", SmtpServer(host="mx.example", port=25, starttls=True, verify=False)),
        (
            "smtps://me:pw@mx.example?timeout=7.5",
            SmtpServer(
                host="mx.example", port=465, username="me", password="pw", tls=True, starttls=False, timeout_seconds=7.5
            ),
        ),
        ("smtp://[::1]:1025", SmtpServer(host="::1", port=1025)),
    ],
)
def test_one(url: str, server: SmtpServer) -> None:
    assert parse_smtp_urls(url) == (server,)


def test_several_keep_their_order() -> None:
    assert [server.name for server in parse_smtp_urls("smtp://a:1, smtps://b ,smtp://c")] == ["a:1", "b:465", "c:25"]


@pytest.mark.parametrize(
    ("urls", "hint"),
    [
        ("", "empty"),
        (" , ", "empty"),
        ("http://mx.example", "smtp://"),
        ("mx.example:25", "smtp://"),
        ("smtp://", "no host"),
        ("smtp://mx.example:notaport", "port"),
        ("smtp://mx.example:99999", "port"),
        ("smtp://hidden@mx.example", "password"),
        ("smtp://me:hid/den@mx.example", ""),
        ("smtp://me:hid#den@mx.example", ""),
        ("smtp://mx.example/path", "after the host"),
        ("smtp://mx.example?starttl=1", "starttl"),
        ("smtp://mx.example?starttls=maybe", "1 or 0"),
        ("smtps://mx.example?starttls=1", "starttls"),
        ("smtp://mx.example?timeout=0", "timeout"),
        ("smtp://mx.example?timeout=soon", "timeout"),
        ("smtp://a,smtp://b?x=1", "number 2"),
    ],
)
def test_errors_say_what_is_wrong_and_hide_the_password(urls: str, hint: str) -> None:
    with pytest.raises(InvalidSmtpUrl) as caught:
        parse_smtp_urls(urls)
    assert hint in str(caught.value)
    assert "hid" not in str(caught.value)


def test_a_server_does_not_show_its_password() -> None:
    (server,) = parse_smtp_urls("smtp://me:hidden@mx.example")
    assert "hidden" not in repr(server)
