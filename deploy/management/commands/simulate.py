"""`manage.py simulate scenario.yaml`: what would be sent when, to whom and why, told without sending anything."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError

from deploy.logs import configure_logging
from deploy.simulation.files import read_scenario
from deploy.simulation.running import simulate
from deploy.simulation.scenario import Scenario
from deploy.simulation.story import Story
from deploy.simulation.svg import as_svg
from deploy.simulation.text import as_text
from notifications.errors import Invalid, Malformed

_MOST_SHOWN = 20


class Command(BaseCommand):
    """The real engine runs on a database of its own, which is made beside the configured one and removed at the end."""

    help = "Run a scenario of recipients, workflows, schedules and events by a clock of its own. Nothing is sent."
    requires_system_checks: tuple[str, ...] = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("scenario", type=Path, help="a JSON or YAML file; see deploy/examples/scenarios")
        parser.add_argument("--svg", type=Path, metavar="FILE", help="also draw the timeline into this file")
        parser.add_argument("--json", action="store_true", help="print a JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        configure_logging()
        path: Path = options["scenario"]
        scenario = _read(path)
        story = _simulate(scenario, path)
        if options["svg"] is not None:
            _write(options["svg"], as_svg(story))
        document = json.dumps(story.document(), indent=2, ensure_ascii=False) if options["json"] else as_text(story)
        self.stdout.write(document)


def _read(path: Path) -> Scenario:
    try:
        return read_scenario(path)
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}") from error
    except Malformed as error:
        raise CommandError(f"{path}: {error.detail}") from error
    except Invalid as error:
        raise CommandError(_faults(path, error)) from error


def _simulate(scenario: Scenario, path: Path) -> Story:
    try:
        return simulate(scenario)
    except Invalid as error:
        raise CommandError(_faults(path, error)) from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise CommandError("The database's user may not make databases: ALTER ROLE ... CREATEDB lets it.") from error
    except psycopg.OperationalError as error:
        raise CommandError(f"A simulation needs the PostgreSQL server (`make up` starts one): {error}") from error


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error}") from error


def _faults(path: Path, error: Invalid) -> str:
    lines = [f"{path}: {fault.pointer or '/'}: {fault.detail}" for fault in error.faults[:_MOST_SHOWN]]
    if len(error.faults) > _MOST_SHOWN:
        lines.append(f"... and {len(error.faults) - _MOST_SHOWN} more")
    return "\n".join(lines)
