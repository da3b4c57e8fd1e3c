"""Webhooks, as Standard Webhooks 1.0 wants them.

sends       POST, `application/json`, HTTP/1.1; `webhook-id` (the delivery's id, the same on every attempt),
            `webhook-timestamp` (of this attempt, Unix seconds), `webhook-signature` (`v1,` or `v1a,`, one per secret),
            the endpoint's own headers, which never take the place of ours
address     an http or https URL without user, password and fragment; the guard refuses what is not public
secrets     `whsec_` and the base64 of 24 to 64 bytes (`v1`, HMAC-SHA256), `whsk_` and the base64 of an Ed25519 seed and its
            public key (`v1a`); at least one; all sign, the newest first
options     `WebhookConf`: seconds and bytes are in the names of the fields
success     2xx; the answer's first 64 KiB are read, raw, and 4 KiB of them kept
temporary   no answer, or a status that is neither 2xx, 3xx nor 410; the table is in `outcomes.py`
permanent   `redirect`, `gone` (disables the endpoint), `forbidden_address`, `invalid_url`, `invalid_secret`,
            `unrenderable`
repeats     a kept connection that the receiver had closed meanwhile is replaced at once, within the same attempt
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar

import aiohttp
import httpx

from delivery.transports.answers import clean_text
from delivery.transports.base import Outbound, PermanentFailure, Receipt
from delivery.transports.guard import AddressGuard, UrlRefused
from delivery.transports.resolver import GuardedResolver
from delivery.transports.webhook.body import encode_body
from delivery.transports.webhook.client import Answer, Try, WebhookClient
from delivery.transports.webhook.conf import WebhookConf
from delivery.transports.webhook.outcomes import failure_of_error, failure_of_status, is_stale_connection
from delivery.transports.webhook.record import hide_values, record_request
from delivery.transports.webhook.signing import InvalidSecret, Key, decode_key, scheme_of, sign
from notifications.clock import utc_now

_KEPT_BODY_BYTES = 4096
_NO_ANSWER = (httpx.HTTPError, aiohttp.ClientError, OSError)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookPayload:
    """Everything but the time, which is signed when it is sent. A URL may hold a token: it stays out of the repr."""

    delivery_id: str
    url: httpx.URL = field(repr=False)
    body: bytes = field(repr=False)
    keys: tuple[Key, ...] = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class WebhookTransport:
    """Signs and posts to receivers nobody vouches for."""

    channel: ClassVar[str] = "webhook"
    conf_class: ClassVar[type[WebhookConf]] = WebhookConf

    def __init__(self, conf: WebhookConf, *, resolver: GuardedResolver | None = None) -> None:
        self.attempt_timeout_seconds = conf.timeout_seconds + 2
        self.max_in_flight = conf.max_in_flight
        self._timeout_seconds = conf.timeout_seconds
        self._user_agent = conf.user_agent
        self._client = WebhookClient(conf, resolver)
        guard = AddressGuard(conf.allow_networks)
        self._checked_url: Callable[[str], httpx.URL] = lru_cache(maxsize=1024)(
            lambda url: httpx.URL(guard.check_url(url))
        )

    def render(self, outbound: Outbound) -> WebhookPayload:
        try:
            url = self._checked_url(outbound.address)
            keys = tuple(decode_key(secret) for secret in outbound.secrets)
        except UrlRefused as exc:
            raise PermanentFailure(exc.reason) from None
        except InvalidSecret:
            raise PermanentFailure("invalid_secret") from None
        if not keys:
            raise PermanentFailure("invalid_secret")
        return WebhookPayload(
            delivery_id=outbound.delivery_id,
            url=url,
            body=encode_body(outbound),
            keys=keys,
            headers=outbound.headers,
        )

    def describe(self, payload: WebhookPayload) -> dict[str, Any]:
        """The request for the log of attempts; `record.py` says what is kept."""
        return record_request(
            url=str(payload.url),
            headers=payload.headers,
            schemes=map(scheme_of, payload.keys),
            body=payload.body,
        )

    async def send(self, payload: WebhookPayload) -> Receipt:
        answer = await self._answer(payload)
        response = _stored(answer, payload.headers)
        failure = failure_of_status(
            answer.status, retry_after=answer.headers.get("retry-after"), now=utc_now(), response=response
        )
        if failure is not None:
            raise failure
        return Receipt(response=response)

    async def _answer(self, payload: WebhookPayload) -> Answer:
        deadline = asyncio.get_running_loop().time() + self._timeout_seconds
        attempt = Try()
        try:
            return await self._post(payload, attempt, deadline)
        except _NO_ANSWER as exc:
            error = _root(exc)
            if attempt.connected or not is_stale_connection(error):
                raise failure_of_error(error) from None
        try:
            return await self._post(payload, Try(), deadline)
        except _NO_ANSWER as exc:
            raise failure_of_error(_root(exc)) from None

    async def _post(self, payload: WebhookPayload, attempt: Try, deadline: float) -> Answer:
        timestamp = int(utc_now().timestamp())
        headers = {
            **payload.headers,
            "accept-encoding": "identity",
            "content-type": "application/json",
            "user-agent": self._user_agent,
            "webhook-id": payload.delivery_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(
                keys=payload.keys, message_id=payload.delivery_id, timestamp=timestamp, body=payload.body
            ),
        }
        return await self._client.post(
            payload.url, headers=headers, content=payload.body, attempt=attempt, deadline=deadline
        )

    async def aclose(self) -> None:
        await self._client.aclose()


def _root(error: Exception) -> BaseException:
    """What went wrong underneath; messages of either are not kept, since they may quote the URL."""
    return error.__cause__ if isinstance(error, httpx.HTTPError) and error.__cause__ else error


def _stored(answer: Answer, own: Mapping[str, str]) -> Mapping[str, Any]:
    headers, said = answer.headers, answer.body
    if own:
        # All of it is searched before it is cut, or half of a secret could be left standing.
        said = hide_values(clean_text(said, limit_bytes=len(said)), own).encode()
        headers = {name: hide_values(value, own) for name, value in headers.items()}
    return {"status": answer.status, "headers": headers, "body": clean_text(said, limit_bytes=_KEPT_BODY_BYTES)}
