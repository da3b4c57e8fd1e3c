"""Preferences in words, for an operator who wants to know why somebody got nothing. Pure."""

from collections.abc import Iterator, Mapping

from notifications.preferences.shapes import DAYS, Preferences, QuietHours, Switches


def described(preferences: Preferences) -> list[str]:
    """One line per thing that was said."""
    return [
        *_switched("Channel", preferences.channels),
        *_switched("Category", preferences.categories),
        *_switched("Workflow", preferences.workflows),
        *([_quiet(preferences.quiet_hours)] if preferences.quiet_hours is not None else []),
        *(
            f"Digests of {category}: {cadence.cron or 'each thing at once'}"
            for category, cadence in sorted(preferences.digests.items())
        ),
    ]


def _switched(what: str, switches: Switches | Mapping[str, bool]) -> Iterator[str]:
    for key, value in sorted(switches.items()):
        if isinstance(value, bool):
            yield f"{what} {key}: {_on(value)}"
        elif value:
            yield f"{what} {key}: " + ", ".join(f"{channel} {_on(on)}" for channel, on in sorted(value.items()))


def _quiet(hours: QuietHours) -> str:
    by_hours: dict[str, list[str]] = {}
    for day, spans in zip(DAYS, hours.weekly, strict=True):
        if spans:
            said = " and ".join(f"{_clock(start)}–{_clock(end)}" for start, end in spans)
            by_hours.setdefault(said, []).append(day[:3])
    days = [f"{'every day' if len(on) == len(DAYS) else ', '.join(on)} {said}" for said, on in by_hours.items()]
    where = f" on {', '.join(sorted(hours.channels))}" if hours.channels is not None else ""
    return f"Quiet hours{where} ({hours.policy}): {'; '.join(days) or 'none'}"


def _clock(minutes: int) -> str:
    if minutes > 24 * 60:
        minutes -= 24 * 60
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _on(value: bool) -> str:
    return "on" if value else "off"
