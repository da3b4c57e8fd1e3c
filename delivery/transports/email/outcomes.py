"""What a server's answer means for a delivery: pure decisions on reply codes (RFC 5321, 3463, 4954).

421 (anywhere)                 ProviderFailure `server_unavailable`: the host wants to be left alone for a while
530, 535 and 5.7.8, 5.7.9     ProviderFailure `authentication_refused`: our own fault
4yz                            TemporaryFailure `smtp_<code>`
5.1.x for the recipient        PermanentFailure `invalid_recipient`: nobody is there, ever; suppressed
5.2.2                          PermanentFailure `mailbox_full`
5.7.x                          PermanentFailure `refused_by_policy`
5yz for the sender             PermanentFailure `sender_refused`
other 5yz                      PermanentFailure `recipient_refused` or `message_refused`, by the step
no reply to MAIL               ProviderFailure `connection_lost`, `timeout` or `bad_response`: nothing was said yet
no reply, before the dot       TemporaryFailure of the same names
no reply, after the dot        AmbiguousOutcome `no_final_answer`
"""

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

from delivery.transports.answers import clean_text
from delivery.transports.base import (
    AmbiguousOutcome,
    DeliveryError,
    PermanentFailure,
    ProviderFailure,
    TemporaryFailure,
)
from delivery.transports.health import CameTo

SENDER_REFUSED: Final = "sender_refused"
_ENHANCED = re.compile(r"\s*([245])\.(\d{1,3})\.(\d{1,3})(?!\S)")
_OUR_FAULT = frozenset({530, 535, 538})
_OUR_FAULT_ENHANCED = frozenset({(7, 8), (7, 9)})


class Step(Enum):
    """How far a transaction had come."""

    SENDER = "mail"
    RECIPIENT = "rcpt"
    DATA = "data"
    FINAL = "final"
    """Everything was written, the closing dot included."""


def describe(code: int, text: str, *, server: str) -> Mapping[str, Any]:
    """What is kept of an answer."""
    enhanced = _enhanced(text)
    shown = clean_text(text)
    described: dict[str, Any] = {"code": code, "text": shown, "server": server}
    if enhanced is not None:
        described["enhanced"] = f"{code // 100}.{enhanced[0]}.{enhanced[1]}"
    return described


def failure_of_reply(step: Step, code: int, text: str, *, server: str) -> DeliveryError:
    """For a reply that refuses what `step` asked."""
    response = describe(code, text, server=server)
    enhanced = _enhanced(text)
    if code == 421:
        return ProviderFailure("server_unavailable", response=response)
    if code in _OUR_FAULT or (code >= 500 and step is Step.SENDER and enhanced in _OUR_FAULT_ENHANCED):
        return ProviderFailure("authentication_refused", response=response)
    if not 500 <= code <= 599:
        return TemporaryFailure(f"smtp_{code}" if 400 <= code <= 499 else "bad_response", response=response)
    reason = _permanent_reason(step, enhanced)
    return PermanentFailure(reason, response=response, suppress=reason == "invalid_recipient")


def _permanent_reason(step: Step, enhanced: tuple[int, int] | None) -> str:
    if step is Step.SENDER:
        return SENDER_REFUSED
    if enhanced == (2, 2):
        return "mailbox_full"
    if enhanced is not None and enhanced[0] == 7:
        return "refused_by_policy"
    # 5.1.7 and 5.1.8 speak about the sender, whatever they answer.
    if enhanced is not None and enhanced[0] == 1:
        return SENDER_REFUSED if enhanced[1] in (7, 8) else "invalid_recipient"
    return "recipient_refused" if step is Step.RECIPIENT else "message_refused"


def failure_of_silence(step: Step, *, reason: str, server: str) -> TemporaryFailure:
    """For a connection that broke, or an answer that never came or was none."""
    response = {"server": server, "step": step.value}
    if step is Step.FINAL:
        return AmbiguousOutcome("no_final_answer", response=response)
    if step is Step.SENDER:
        return ProviderFailure(reason, response=response)
    return TemporaryFailure(reason, response=response)


def came_to(failure: DeliveryError, step: Step | None) -> CameTo:
    """What a failed transaction says about the server; `step` is how far it came."""
    if isinstance(failure, ProviderFailure):
        return CameTo.DOWN
    code = failure.response.get("code")
    if code is None:
        # Without a reply: the server's silence, or our own refusal to go on (`smtputf8_not_supported`).
        return CameTo.WORKED if isinstance(failure, PermanentFailure) else CameTo.SILENCE
    subject = str(failure.response.get("enhanced", "")).split(".")[1:2]
    about_recipient = step is Step.RECIPIENT or subject in (["1"], ["2"])
    return CameTo.WORKED if about_recipient and failure.reason != SENDER_REFUSED else CameTo.TROUBLE


def _enhanced(text: str) -> tuple[int, int] | None:
    found = _ENHANCED.match(text)
    return (int(found[2]), int(found[3])) if found else None
