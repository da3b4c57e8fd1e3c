"""Transports by channel: named by dotted path in the settings, imported when first loaded."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Protocol

from delivery.transports.base import Transport


class TransportSettings(Protocol):
    """Which class serves a channel, and that class's own configuration."""

    @property
    def path(self) -> str:
        """Dotted path of the class."""

    @property
    def conf(self) -> Any:
        """The one argument of its constructor."""


class InvalidTransport(ValueError):
    """The settings name a transport that is not there, is not for that channel, or refuses its configuration."""


def load(settings: Mapping[str, TransportSettings]) -> dict[str, Transport[Any]]:
    """Construct one transport per channel; call it on the event loop that will use them."""
    return {channel: _build(channel, setting) for channel, setting in settings.items()}


def _build(channel: str, setting: TransportSettings) -> Transport[Any]:
    cls = _import(channel, setting.path)
    if cls.channel != channel:
        raise InvalidTransport(f"channel {channel!r}: {setting.path} serves {cls.channel!r}")
    if not isinstance(setting.conf, cls.conf_class):
        raise InvalidTransport(f"channel {channel!r}: {setting.path} is configured by a {cls.conf_class.__name__}")
    transport: Transport[Any] = cls(setting.conf)
    return transport


def _import(channel: str, path: str) -> Any:
    module, _, name = path.rpartition(".")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as exc:
        raise InvalidTransport(f"channel {channel!r}: cannot import {path!r}: {exc}") from exc
