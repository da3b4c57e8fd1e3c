"""Reports as real mail servers send them are understood, prose is not guessed at, and nothing a stranger sends raises."""

import base64
import random
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delivery.feedback.kinds import Kind, condemns_address, delivery_of_message_id
from delivery.feedback.reports import LIMIT_BYTES, read_report
from notifications import ids
from tests.delivery.feedback.samples import FOLDER, sample

DELIVERY = ids.new_uuid()
NAMES = sorted(path.stem for path in FOLDER.glob("*.eml"))


@pytest.mark.parametrize(
    ("name", "kind", "status", "address"),
    [
        ("postfix_failed", Kind.BOUNCE, "5.1.1", "ada@example.com"),
        ("postfix_delayed", Kind.DEFERRED, "4.4.1", "ada@example.com"),
        ("postfix_delivered", Kind.DELIVERED, "2.1.5", "ada@example.com"),
        ("exim_failed", Kind.BOUNCE, "5.1.1", "ada@example.com"),
        ("exchange_failed", Kind.BOUNCE, "5.1.10", "ada@corp.example"),
        ("gmail_failed", Kind.BOUNCE, "5.2.2", "ada@gmail.example"),
        ("utf8_failed", Kind.BOUNCE, "5.1.1", "jörg@example.com"),
        ("complaint", Kind.COMPLAINT, "", "ada@example.com"),
    ],
)
def test_reports_in_the_forms_of_the_field(name: str, kind: Kind, status: str, address: str) -> None:
    (found,) = read_report(sample(name, DELIVERY))
    assert (found.kind, found.status, found.address) == (kind, status, address)
    assert found.delivery_id == DELIVERY


def test_diagnostics_and_times_are_kept() -> None:
    (found,) = read_report(sample("gmail_failed", DELIVERY))
    assert found.detail.startswith("552-5.2.2 The recipient's inbox is out of storage space. 552 5.2.2 Please")
    assert found.occurred_at == datetime(2026, 3, 3, 9, 15, 32, tzinfo=UTC)
    (utf8,) = read_report(sample("utf8_failed", DELIVERY))
    assert utf8.detail == "550 5.1.1 niemand heißt so"


def test_prose_is_unknown() -> None:
    assert read_report(sample("prose", DELIVERY)) == []


def test_the_same_report_by_another_way_is_the_same_event() -> None:
    mail = sample("postfix_failed", DELIVERY)
    (first,) = read_report(mail)
    (again,) = read_report(b"Received: from elsewhere by here; Tue, 3 Mar 2026 11:00:00 +0000\r\n" + mail)
    (other,) = read_report(mail.replace(b"20260303091530", b"20260303091531"))
    assert first.event_id == again.event_id != other.event_id


def test_a_report_that_returns_nothing_is_known_by_what_it_answers() -> None:
    mail = sample("exim_failed", DELIVERY)
    cut = mail[: mail.index(b"Content-type: message/rfc822")] + b"\r\n--1772529331-eximdsn-424242--\r\n"
    (found,) = read_report(cut)
    assert found.delivery_id == DELIVERY


def test_ids_that_are_none_of_ours_name_nothing() -> None:
    mail = sample("postfix_failed", DELIVERY)
    name = ids.encode("dlv", DELIVERY).encode()
    for other in (b"dlv_short", b"ntf" + name[3:], b"dlv_" + b"z" * 26, b"dlv_" + b"u" * 26, b""):
        assert read_report(mail.replace(name, other)) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Action: failed", b"Action: relabelled"),
        (b"Action: failed", b""),
        (b"Status: 5.1.1", b"Status: 2.0.0"),
    ],
)
def test_fields_that_say_nothing_or_contradict_each_other_are_passed_over(old: bytes, new: bytes) -> None:
    assert read_report(sample("postfix_failed", DELIVERY).replace(old, new)) == []


@pytest.mark.parametrize(
    ("kind", "found"),
    [("abuse", Kind.COMPLAINT), ("opt-out", Kind.UNSUBSCRIBE), ("not-spam", None), ("auth-failure", None), ("", None)],
)
def test_kinds_of_complaints(kind: str, found: Kind | None) -> None:
    reports = read_report(sample("complaint", DELIVERY).replace(b": abuse", b": " + kind.encode()))
    assert [report.kind for report in reports] == ([found] if found else [])


@pytest.mark.parametrize(
    ("status", "condemned"),
    [
        ("5.1.1", True),
        ("5.1.0", True),
        ("5.1.10", True),
        ("5.1.7", False),
        ("5.1.8", False),
        ("5.2.2", False),
        ("5.7.1", False),
        ("4.1.1", False),
        ("", False),
        ("5.1.1 x", False),
    ],
)
def test_which_bounces_condemn_an_address(status: str, condemned: bool) -> None:
    assert condemns_address(status) is condemned


def test_only_a_message_id_of_ours_names_a_delivery() -> None:
    name = ids.encode("dlv", DELIVERY)
    assert delivery_of_message_id(f"<{name}@example.org>") == DELIVERY
    assert delivery_of_message_id(f"<a@b> <{name}@example.org>") == DELIVERY
    for text in ("", name, f"{name}x@example.org", "dlv_@example.org", f"<{name.upper()}@example.org>"):
        assert delivery_of_message_id(text) is None


HOSTILE = {
    "nothing": b"",
    "nul": b"\0" * 1000,
    "no_boundary": b"Content-Type: multipart/report; report-type=delivery-status\r\n\r\nhello",
    "bad_charset": b'Content-Type: text/plain; charset="\xff\xfe\x00nonsense"\r\n\r\n\xff\xfe',
    "deep": b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(5000)),
    "nested_mails": b"Content-Type: message/rfc822\r\n\r\n" * 20_000,
    "one_header": b"X: " + b"a" * 1_000_000,
    "many_headers": b"X: y\r\n" * 100_000,
    "many_parts": b"Content-Type: multipart/report; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 40_000,
    "bad_base64": b"Content-Type: message/delivery-status\r\nContent-Transfer-Encoding: base64\r\n\r\n\xff===a",
    "uuencoded": b"Content-Type: message/feedback-report\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\nbegin 666 x\r\n\xff\xff",
    "bad_date": b"Date: Tue, 99 Foo 99999 99:99:99 +9999\r\n\r\n",
    "encoded_words": b"Subject: " + b"=?utf-8?b?//8=?= " * 10_000 + b"\r\n\r\n",
    "rfc2231": b"Content-Type: multipart/report; boundary*0*=nope'en'%ff; boundary*99999999999*=x\r\n\r\n--",
}

_REPORT = b"Content-Type: message/delivery-status\r\n"
_ENCODED = _REPORT + b"Content-Transfer-Encoding: base64\r\n\r\n"
_ANSWERS = b"In-Reply-To: <%s@example.org>\r\n" % ids.encode("dlv", DELIVERY).encode()
HOSTILE |= {
    # Read all the way, for they name a delivery.
    "blank_lines_encoded": _ANSWERS + _ENCODED + base64.encodebytes(b" \t\n" * 128_000),
    "one_blank_line_encoded": _ANSWERS + _ENCODED + base64.encodebytes(b" " * 380_000 + b"x"),
    "blank_fold_encoded": _ANSWERS + _ENCODED + base64.encodebytes(b"Status: 5.1.1" + b" " * 380_000 + b"x\n"),
    "blank_folds": _ANSWERS + _REPORT + b"\r\nDiagnostic-Code: " + b"\n \n" * 170_000 + b"x",
    "empty_lines": _ANSWERS + _REPORT + b"\r\n" + b"\n" * LIMIT_BYTES,
    "quoted_semicolons": _ANSWERS + b'Content-Type: multipart/report; x="' + b";" * LIMIT_BYTES,
    "boundaries_around_empty_lines": b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(8)
    )
    + b"\n" * LIMIT_BYTES,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_mail_says_nothing_and_takes_no_time(name: str) -> None:
    began = time.process_time()
    assert read_report(HOSTILE[name]) == []
    assert time.process_time() - began < 5  # seconds of our own work, for at most half a megabyte


def test_only_the_beginning_of_a_huge_mail_is_read() -> None:
    mail = sample("postfix_failed", DELIVERY).replace(b"Subject: Your order", b"Subject: " + b"x" * (3 * LIMIT_BYTES))
    assert [found.delivery_id for found in read_report(mail)] == [DELIVERY]


@given(st.binary(max_size=2000))
@settings(max_examples=200, deadline=None)
def test_no_bytes_raise(mail: bytes) -> None:
    assert read_report(mail) == []


@given(st.sampled_from(NAMES), st.integers(0, 2**32))
@settings(max_examples=300, deadline=None)
def test_no_damaged_report_raises(name: str, seed: int) -> None:
    mail, chance = bytearray(sample(name, DELIVERY)), random.Random(seed)
    for _ in range(chance.randrange(1, 30)):
        at = chance.randrange(len(mail))
        match chance.randrange(3):
            case 0:
                mail[at] = chance.randrange(256)
            case 1:
                del mail[at : at + chance.randrange(40)]
            case _:
                mail[at:at] = mail[chance.randrange(len(mail)) :][: chance.randrange(200)]
    for found in read_report(bytes(mail)):
        assert found.kind in Kind
        assert "\0" not in found.detail + (found.address or "")
        assert len(found.event_id) <= 320
        assert len(found.status) <= 12
