"""Scenario files: JSON, or YAML by their name."""

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import msgspec

from deploy.simulation.scenario import Scenario, parse_scenario
from notifications import texts
from notifications.errors import Fault, Invalid, Malformed


def read_scenario(path: Path) -> Scenario:
    """The scenario in a file. Raises OSError, `Malformed` with line and column, or `Invalid` with pointers."""
    text = path.read_text("utf-8")
    raw = _read_yaml(text) if path.suffix in (".yaml", ".yml") else _read_json(text)
    if (fault := texts.deep_fault(raw)) is not None:
        raise Invalid([Fault(*fault)])
    return parse_scenario(raw)


def _read_json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise Malformed(f"line {error.lineno}, column {error.colno}: {error.msg}") from error
    except (RecursionError, ValueError) as error:
        raise Malformed(str(error)) from error


def _read_yaml(text: str) -> Any:
    try:
        return _plain(msgspec.yaml.decode(text))
    except (msgspec.DecodeError, RecursionError) as error:
        raise Malformed(" ".join(str(error).split())) from error


def _plain(value: Any) -> Any:
    """As from JSON: what YAML takes for a time is the text again."""
    if isinstance(value, dict):
        return {str(name): _plain(child) for name, child in value.items()}
    if isinstance(value, list):
        return [_plain(child) for child in value]
    return value.isoformat() if isinstance(value, datetime | date) else value
