"""The table of SMTP answers."""

import pytest

from delivery.transports.base import AmbiguousOutcome, PermanentFailure, ProviderFailure, TemporaryFailure
from delivery.transports.email.outcomes import Step, describe, failure_of_reply, failure_of_silence


@pytest.mark.parametrize(
    ("step", "code", "text", "kind", "reason"),
    [
        (Step.SENDER, 421, "4.3.2 bye", ProviderFailure, "server_unavailable"),
        (Step.FINAL, 421, "", ProviderFailure, "server_unavailable"),
        (Step.SENDER, 530, "5.7.0 log in", ProviderFailure, "authentication_refused"),
        (Step.RECIPIENT, 530, "", ProviderFailure, "authentication_refused"),
        (Step.SENDER, 535, "5.7.8 no", ProviderFailure, "authentication_refused"),
        (Step.SENDER, 550, "5.7.8 no", ProviderFailure, "authentication_refused"),
        (Step.RECIPIENT, 450, "4.2.1 busy", TemporaryFailure, "smtp_450"),
        (Step.RECIPIENT, 452, "4.2.2 full for now", TemporaryFailure, "smtp_452"),
        (Step.DATA, 451, "", TemporaryFailure, "smtp_451"),
        (Step.FINAL, 451, "4.7.1 greylisted", TemporaryFailure, "smtp_451"),
        (Step.DATA, 250, "not now", TemporaryFailure, "bad_response"),
        (Step.FINAL, 699, "", TemporaryFailure, "bad_response"),
        (Step.RECIPIENT, 550, "5.1.1 no such user", PermanentFailure, "invalid_recipient"),
        (Step.RECIPIENT, 550, "5.1.10 null MX", PermanentFailure, "invalid_recipient"),
        (Step.RECIPIENT, 553, "5.1.8 sender's domain", PermanentFailure, "sender_refused"),
        (Step.FINAL, 550, "5.1.1 late", PermanentFailure, "invalid_recipient"),
        (Step.RECIPIENT, 552, "5.2.2 full", PermanentFailure, "mailbox_full"),
        (Step.RECIPIENT, 550, "5.7.1 policy", PermanentFailure, "refused_by_policy"),
        (Step.FINAL, 554, "5.7.26 DMARC", PermanentFailure, "refused_by_policy"),
        (Step.RECIPIENT, 550, "no", PermanentFailure, "recipient_refused"),
        (Step.RECIPIENT, 550, "5.1.1x is no code", PermanentFailure, "recipient_refused"),
        (Step.SENDER, 550, "5.1.7 bad", PermanentFailure, "sender_refused"),
        (Step.SENDER, 552, "5.3.4 too big", PermanentFailure, "sender_refused"),
        (Step.FINAL, 554, "", PermanentFailure, "message_refused"),
    ],
)
def test_replies(step: Step, code: int, text: str, kind: type[Exception], reason: str) -> None:
    failure = failure_of_reply(step, code, text, server="mx:25")
    assert (type(failure), failure.reason) == (kind, reason)
    assert failure.response["code"] == code


@pytest.mark.parametrize("step", [Step.SENDER, Step.RECIPIENT, Step.DATA])
def test_silence_before_the_dot_is_harmless(step: Step) -> None:
    failure = failure_of_silence(step, reason="timeout", server="mx:25")
    kind = ProviderFailure if step is Step.SENDER else TemporaryFailure
    assert (type(failure), failure.reason) == (kind, "timeout")


def test_silence_after_the_dot_is_ambiguous() -> None:
    failure = failure_of_silence(Step.FINAL, reason="connection_lost", server="mx:25")
    assert (type(failure), failure.reason) == (AmbiguousOutcome, "no_final_answer")


def test_an_answer_is_described_with_its_enhanced_code() -> None:
    assert describe(250, "2.0.0 queued as 7\nthanks", server="mx:25") == {
        "code": 250,
        "enhanced": "2.0.0",
        "text": "2.0.0 queued as 7\nthanks",
        "server": "mx:25",
    }
