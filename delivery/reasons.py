"""Every reason and outcome by its code: the sentence that explains it, and who can do something about it. Pure.

What a code says is said here and nowhere else: `explain`, the OpenAPI document and the admin all ask this registry, and a
test finds every code that is produced anywhere.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Literal

Actor = Literal["nobody", "caller", "operator", "recipient", "receiver"]
"""Who can act: the application that calls the API, whoever runs Carillon, the person, or who runs the receiving server."""


@dataclass(frozen=True, slots=True)
class Reason:
    """What one code means. `provider`: our own side is at fault, so no step of the retry schedule is used."""

    says: str
    actor: Actor
    provider: bool = False


REASONS: Final[Mapping[str, Reason]] = {
    # It went well
    "accepted": Reason("The provider or receiver accepted it.", "nobody"),
    "stored_in_inbox": Reason("It is in the recipient's inbox.", "nobody"),
    # Workflows
    "completed": Reason("The walk through the workflow is complete.", "nobody"),
    "condition_not_met": Reason("A condition of the workflow ended the walk.", "nobody"),
    "throttled": Reason("The workflow lets only so many through in a time and drops the rest.", "nobody"),
    "digested": Reason("It joined a digest.", "nobody"),
    "digest_empty": Reason("Nothing was left in the digest when it closed.", "nobody"),
    "sent_in_digest": Reason("It went out in the delivery of its digest.", "nobody"),
    "template_failed": Reason("The template could not be filled in with this data.", "caller"),
    # Decided before any attempt
    "no_email": Reason("The recipient has no email address.", "caller"),
    "no_endpoint": Reason("The recipient has no enabled endpoint on this channel.", "caller"),
    "listed_before": Reason("The recipient was reached by an earlier entry of the same notification.", "nobody"),
    "expires_at_passed": Reason("Its `expires_at` passed before it could be sent.", "caller"),
    "cancelled_by_caller": Reason("It was cancelled before it was sent.", "caller"),
    "recipient_erased": Reason("The recipient has been erased.", "nobody"),
    "notification_erased": Reason("What it was to say has been erased.", "nobody"),
    "endpoint_disabled": Reason("The endpoint was disabled after routing.", "caller"),
    "endpoint_deleted": Reason("The endpoint was removed after routing.", "caller"),
    "disabled_by_caller": Reason("The endpoint was disabled over the API.", "caller"),
    "disabled_by_operator": Reason("The endpoint was disabled in the admin.", "operator"),
    "unsubscribed": Reason("The recipient unsubscribed from this category.", "recipient"),
    "preference_workflow": Reason("The recipient's preferences switch this workflow off on the channel.", "recipient"),
    "preference_channel": Reason("The recipient's preferences switch the channel off.", "recipient"),
    "preference_project_workflow": Reason(
        "The project's preferences switch this workflow off on the channel, and the recipient's own say nothing.",
        "caller",
    ),
    "preference_project_category": Reason(
        "The project's preferences switch this category off on the channel, and the recipient's own say nothing.",
        "caller",
    ),
    "preference_project_channel": Reason(
        "The project's preferences switch the channel off, and the recipient's own say nothing.", "caller"
    ),
    "quiet_hours": Reason("It came in the recipient's quiet hours.", "recipient"),
    "capped": Reason("The recipient had as many in this time as the project's cap lets through.", "nobody"),
    "event_filtered": Reason("No endpoint of the recipient wants this type of event.", "caller"),
    "suppressed_bounce": Reason("Mail to this address came back; it is on the suppression list.", "caller"),
    "suppressed_complaint": Reason(
        "The recipient complained about mail; the address is on the suppression list.", "recipient"
    ),
    "suppressed_manual": Reason("Somebody put the address on the suppression list.", "caller"),
    "suppressed_unsubscribe": Reason(
        "The recipient wants no mail; the address is on the suppression list.", "recipient"
    ),
    # Told after it was sent
    "bounced": Reason("The mail was accepted and came back later.", "caller"),
    "confirmed": Reason("The provider confirmed that it has arrived.", "nobody"),
    # Not now
    "circuit_open": Reason("The endpoint failed too often; it is left alone until a probe works.", "receiver"),
    "endpoint_busy": Reason("As many attempts as one endpoint may have at once are under way.", "receiver"),
    "rate_limited": Reason("A limit on sends per second was reached.", "operator"),
    # What cannot be sent as it is
    "attachment_unavailable": Reason("An attachment could not be fetched.", "caller"),
    "attachment_refused": Reason("An attachment cannot be fetched: its address or answer is not acceptable.", "caller"),
    "attachments_too_large": Reason("The attachments are larger than mail may be.", "caller"),
    "dkim_key_unreadable": Reason("The DKIM key of the sender's domain cannot be used.", "operator", provider=True),
    "unrenderable": Reason("What is said cannot be put into this channel's form.", "caller"),
    "invalid_url": Reason("The endpoint's URL cannot be used.", "caller"),
    "invalid_secret": Reason("The endpoint has no usable signing secret.", "operator"),
    "invalid_address": Reason("The recipient's address is not one that mail can be sent to.", "caller"),
    "forbidden_address": Reason(
        "The URL leads to an address that is not public; such addresses are never connected to.", "operator"
    ),
    "smtputf8_not_supported": Reason(
        "The address needs SMTPUTF8 (RFC 6531), which the mail server does not offer.", "operator"
    ),
    # What a webhook's receiver did
    "gone": Reason("The receiver answered 410 Gone, so its endpoint was disabled.", "receiver"),
    "redirect": Reason("The receiver answered with a redirect, which is never followed.", "receiver"),
    "dns_failed": Reason("The host's name could not be resolved.", "receiver"),
    "dns_timeout": Reason("Resolving the host's name took too long.", "receiver"),
    "connection_refused": Reason("The host refused the connection.", "receiver"),
    "connect_failed": Reason("No connection to the host could be made.", "receiver"),
    "connect_timeout": Reason("Connecting took too long.", "receiver"),
    "read_timeout": Reason("The answer took too long.", "receiver"),
    "tls_failed": Reason(
        "No trusted TLS connection could be made: the certificate or protocol was refused.", "receiver"
    ),
    "connection_lost": Reason("The connection broke before the answer was complete.", "receiver"),
    "timeout": Reason("The attempt took longer than an attempt may.", "receiver"),
    "bad_response": Reason("The answer could not be understood.", "receiver"),
    # What a mail server did
    "invalid_recipient": Reason("The mail server says that nobody has this address.", "caller"),
    "recipient_refused": Reason("The mail server refused the recipient for good.", "receiver"),
    "message_refused": Reason("The mail server refused the message for good.", "receiver"),
    "sender_refused": Reason("The mail server refused our sender address.", "operator"),
    "mailbox_full": Reason("The recipient's mailbox is full.", "recipient"),
    "refused_by_policy": Reason("The mail server refused the message by its policy.", "operator"),
    "no_final_answer": Reason(
        "Everything was handed over, but the mail server's final answer never came: it may have arrived.", "nobody"
    ),
    "ambiguous": Reason("Everything was handed over, but the final answer never came: it may have arrived.", "nobody"),
    # Our own side
    "server_unavailable": Reason("Our mail server wants to be left alone for a while.", "operator", provider=True),
    "authentication_refused": Reason("Our mail server refuses our login.", "operator", provider=True),
    "no_server_available": Reason("None of our mail servers can be used at the moment.", "operator", provider=True),
    "not_begun": Reason("It was claimed, but its turn did not come in time; it was given back untried.", "nobody"),
    "internal_error": Reason("Carillon itself failed in this attempt; its log says where.", "operator"),
    "refused_by_database": Reason("The database refused to store it.", "operator"),
    "retried_too_long": Reason("It was tried for as long as anything is tried.", "operator"),
    "poison": Reason("It was taken up several times and each time the process died; it was given up.", "operator"),
}

_FAMILIES: Final = (
    (re.compile(r"http_(\d{3})"), "The receiver answered with status {0}{1}.", "receiver"),
    (re.compile(r"smtp_(\d{3})"), "The mail server answered {0}: not now.", "receiver"),
    (re.compile(r"no_([a-z][a-z0-9_]*)"), "The recipient has no address on the channel {0} any more.", "caller"),
)
_UNKNOWN: Final = Reason("There is no explanation of this code.", "operator")


def find_reason(code: str) -> Reason | None:
    """What `code` means; None for one that is not known."""
    if code in REASONS:
        return REASONS[code]
    for pattern, says, actor in _FAMILIES:
        if match := pattern.fullmatch(code):
            return Reason(says.format(match[1], _phrase(match[1])), actor)  # type: ignore[arg-type]
    return None


def explain(code: str) -> Reason:
    """What `code` means, in any case something that can be shown."""
    return find_reason(code) or _UNKNOWN


def as_markdown() -> str:
    """All codes in a table, for the OpenAPI document."""
    rows = [f"| `{code}` | {reason.says} | {reason.actor} |" for code, reason in REASONS.items()]
    families = [
        "| `http_<status>` | The receiver answered with that status. | receiver |",
        "| `smtp_<code>` | The mail server answered with that temporary code. | receiver |",
        "| `no_<channel>` | The recipient has no address on that channel any more. | caller |",
    ]
    return "\n".join(["| reason | what it says | who can act |", "|---|---|---|", *rows, *families])


def _phrase(status: str) -> str:
    try:
        return f" {HTTPStatus(int(status)).phrase}"
    except ValueError:
        return ""
