"""Which addresses mail is sent to."""

import pytest

from delivery.transports.email.addresses import InvalidAddress, parse_mailbox


@pytest.mark.parametrize(
    ("address", "spec"),
    [
        ("ada@example.com", "ada@example.com"),
        ("a.b+c@sub.example.co.uk", "a.b+c@sub.example.co.uk"),
        ("root@localhost", "root@localhost"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
        ("ada@Example.COM", "ada@Example.COM"),
        ('"ada lovelace"@example.com', '"ada lovelace"@example.com'),
        ('"a@b"@example.com', '"a@b"@example.com'),
        ("ada@foo_bar.example", "ada@foo_bar.example"),
        ("用户@例子.广告", "用户@xn--fsqu00a.xn--4rr70v"),
    ],
)
def test_accepted(address: str, spec: str) -> None:
    assert parse_mailbox(address).spec == spec


@pytest.mark.parametrize(
    "address",
    [
        "", "ada", "@example.com", "ada@", "ada@@example.com", "a b@example.com", "ada@exa mple.com",
        "ada@example.com\r\nRCPT TO:<x@y.z>", "ada@example.com\n", "\x00ada@example.com", "ada\x7f@example.com",
        "Ada <ada@example.com>", "<ada@example.com>", "ada@example.com, eve@example.com", "ada@example.com>",
        "ada@example.com> SIZE=1", ".ada@example.com", "ada.@example.com", "a..b@example.com", "ada@.example.com",
        "ada@example..com", "ada@-example.com", "ada@example-.com", "ada@example.com.", "ada@[127.0.0.1]",
        "ada@127.0.0.1", "ada@1", '"a"b@example.com', '"a\nb"@example.com', 'a"@example.com', "ada(x)@example.com",
        "a" * 65 + "@example.com", "ada@" + "a" * 64 + ".com", "ada@" + "a.b" * 90 + ".com", "ada@ex\u200bample.com\u202e",
        "ada\u200b@example.com", "ada\u202egpj@example.com", "ada\ud800@example.com", "ada@\ud800.example", "ada@ex%ample.com",
        "ada@example.com\u2028", "é" * 33 + "@example.com",
    ],
)  # fmt: skip
def test_refused(address: str) -> None:
    with pytest.raises(InvalidAddress) as caught:
        parse_mailbox(address)
    assert not address or address not in str(caught.value)


def test_only_the_local_part_asks_for_smtputf8() -> None:
    assert parse_mailbox("jörg@example.com").needs_smtputf8
    assert not parse_mailbox("joerg@bücher.example").needs_smtputf8
