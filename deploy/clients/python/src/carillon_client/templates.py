"""`/v1/templates`: what is said, stored, versioned and tried out."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict

from .inputs import InlineRecipient
from .operations import DriverT, Resource, listing, operation
from .requests import Request, delete, get, path, post, put
from .result import Page, Result
from .results import Accepted

if sys.version_info >= (3, 11):
    from typing import Required, Unpack
else:
    from typing_extensions import Required, Unpack


class Sample(TypedDict, total=False):
    """For whom a template is rendered, and what happened."""

    channel: Required[str]
    locale: str | None
    timezone: str | None
    data: Mapping[str, Any]
    recipient: Mapping[str, Any]
    actor: Mapping[str, Any] | None
    items: Sequence[Mapping[str, Any]]


class Template(Result, frozen=True, kw_only=True):
    """A template, layout or partial, and which version is in use."""

    key: str
    kind: str
    name: str
    version: int
    created_at: datetime
    updated_at: datetime


class TemplateDetail(Template, frozen=True, kw_only=True):
    """A template with what it says: channel, then locale, then fields."""

    variants: dict[str, Any]


class TemplateVersion(Result, frozen=True, kw_only=True):
    """What a template said once."""

    number: int
    variants: dict[str, Any]
    created_at: datetime
    references: tuple[str, ...] = ()


class Preview(Result, frozen=True, kw_only=True):
    """What would be said; `undefined` names what the sample left open."""

    title: str
    body: str
    locale: str
    action_url: str | None = None
    subject: str | None = None
    html: str | None = None
    text: str | None = None
    undefined: tuple[str, ...] = ()


class Templates(Resource[DriverT]):
    """What is said, by your own keys."""

    @listing
    def list(self, *, page_size: int = 100, after: str | None = None) -> Request[Page[Template]]:
        """All templates, newest first."""
        return get(path("templates"), Page[Template], limit=page_size, after=after)

    @operation
    def get(self, key: str) -> Request[TemplateDetail]:
        """One template with what it says."""
        return get(path("templates", key), TemplateDetail)

    @operation
    def put(
        self, key: str, variants: Mapping[str, Any], *, kind: str = "template", name: str = ""
    ) -> Request[TemplateDetail]:
        """Say this from now on; a new version when it is something else."""
        return put(path("templates", key), {"kind": kind, "name": name, "variants": variants}, TemplateDetail)

    @operation
    def delete(self, key: str) -> Request[None]:
        """Remove a template."""
        return delete(path("templates", key))

    @listing
    def versions(self, key: str, *, page_size: int = 100, after: str | None = None) -> Request[Page[TemplateVersion]]:
        """All versions, newest first."""
        return get(path("templates", key, "versions"), Page[TemplateVersion], limit=page_size, after=after)

    @operation
    def version(self, key: str, number: int) -> Request[TemplateVersion]:
        """One version."""
        return get(path("templates", key, "versions", str(number)), TemplateVersion)

    @operation
    def publish(self, key: str, number: int, *, idempotency_key: str | None = None) -> Request[TemplateDetail]:
        """Say again what an earlier version said."""
        return post(path("templates", key, "versions", str(number), "publish"), None, TemplateDetail, idempotency_key)

    @operation
    def preview(self, key: str, *, idempotency_key: str | None = None, **sample: Unpack[Sample]) -> Request[Preview]:
        """What it would say."""
        return post(path("templates", key, "preview"), sample, Preview, idempotency_key)

    @operation
    def preview_inline(
        self, template: Mapping[str, Any], *, idempotency_key: str | None = None, **sample: Unpack[Sample]
    ) -> Request[Preview]:
        """What a template that is not stored would say."""
        return post(path("templates", "preview"), {**sample, "template": template}, Preview, idempotency_key)

    @operation
    def test_send(
        self, key: str, to: str | InlineRecipient, *, idempotency_key: str | None = None, **sample: Unpack[Sample]
    ) -> Request[Accepted]:
        """Send a sample for real."""
        return post(path("templates", key, "test-send"), {**sample, "to": to}, Accepted, idempotency_key)
