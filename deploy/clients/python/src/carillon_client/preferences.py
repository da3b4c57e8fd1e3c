"""What recipients want, and what holds in the project where they say nothing."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypedDict

from .operations import DriverT, Resource, operation
from .requests import Request, get, patch, path, put
from .result import Result

if sys.version_info >= (3, 11):
    from typing import Unpack
else:
    from typing_extensions import Unpack


class PreferencesInput(TypedDict, total=False):
    """What somebody wants. In a change, None takes an entry away."""

    channels: Mapping[str, bool | None]
    categories: Mapping[str, Mapping[str, bool | None] | None]
    workflows: Mapping[str, Mapping[str, bool | None] | None]
    quiet_hours: Mapping[str, Any] | None
    digests: Mapping[str, Mapping[str, Any] | None]


class ProjectChanges(TypedDict, total=False):
    """What holds where a recipient says nothing; None takes it back to the default."""

    default_locale: str | None
    timezone: str | None
    brand: Mapping[str, Any] | None
    preferences: PreferencesInput | None
    caps: Mapping[str, Any] | None


class PreferenceSet(Result, frozen=True, kw_only=True):
    """What somebody wants; what is not said is left out."""

    channels: dict[str, bool] = {}
    categories: dict[str, dict[str, bool]] = {}
    workflows: dict[str, dict[str, bool]] = {}
    quiet_hours: dict[str, Any] | None = None
    digests: dict[str, dict[str, Any]] = {}


class ProjectSettings(Result, frozen=True, kw_only=True):
    """The project, and what holds in it."""

    id: str
    name: str
    default_locale: str
    timezone: str
    brand: dict[str, Any]
    preferences: PreferenceSet
    caps: dict[str, Any]
    updated_at: datetime | None = None


class Preferences(Resource[DriverT]):
    """What a recipient wants."""

    @operation
    def get(self, recipient_id: str) -> Request[PreferenceSet]:
        """A recipient's own preferences."""
        return get(path("recipients", recipient_id, "preferences"), PreferenceSet)

    @operation
    def put(self, recipient_id: str, **preferences: Unpack[PreferencesInput]) -> Request[PreferenceSet]:
        """Exactly these; what is left out is no preference any more."""
        return put(path("recipients", recipient_id, "preferences"), preferences, PreferenceSet)

    @operation
    def patch(self, recipient_id: str, **changes: Unpack[PreferencesInput]) -> Request[PreferenceSet]:
        """Change some; what is left out stays."""
        return patch(path("recipients", recipient_id, "preferences"), changes, PreferenceSet)


class Project(Resource[DriverT]):
    """The project that the key belongs to."""

    @operation
    def get(self) -> Request[ProjectSettings]:
        """Its settings."""
        return get(path("project"), ProjectSettings)

    @operation
    def patch(self, **changes: Unpack[ProjectChanges]) -> Request[ProjectSettings]:
        """Change some; what is left out stays."""
        return patch(path("project"), changes, ProjectSettings)
