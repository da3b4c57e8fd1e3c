"""What the form's answer makes of somebody's preferences: what was changed, and nothing else."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.preference_page.form import Day, Rhythm, changed, days_of, is_on, rhythm_of
from notifications.errors import Invalid
from notifications.preferences.parsing import parse_preferences
from notifications.preferences.shapes import DAYS, Cadence

KNOWN = ("email", "in_app")
CELLS = [f"{key} {channel}" for key in ("news", "orders", "*") for channel in KNOWN]
NIGHTS = {"weekly": {"monday": [{"from": "22:00", "until": "07:00"}, {"from": "12:00", "until": "13:00"}]}}


def answer(settings: Any, defaults: Any, *off: str, **more: list[str]) -> Any:
    """The page as it is shown, with these cells switched off or on against what they were."""
    own, project = parse_preferences(settings), parse_preferences(defaults)
    shown_on = {cell for cell in CELLS if is_on(*cell.split(" "), own, project)}
    return changed(settings, defaults, {"shown": CELLS, "on": list(shown_on ^ set(off)), **more}, known=KNOWN)


@pytest.mark.parametrize("settings", [{}, {"channels": {"email": False}}, {"categories": {"news": False}}], ids=str)
@pytest.mark.parametrize(
    "defaults", [{}, {"channels": {"in_app": False}, "categories": {"news": {"email": True}}}], ids=str
)
def test_saving_without_a_change_changes_nothing(settings: Any, defaults: Any) -> None:
    assert answer(settings, defaults) == settings


def test_one_switch_is_one_entry() -> None:
    assert answer({}, {}, "news email") == {"categories": {"news": {"email": False}}}
    assert answer({"categories": {"news": {"email": False}}}, {}, "news email") == {
        "categories": {"news": {"email": True}}
    }
    assert answer({"categories": {"news": False}}, {}, "news email") == {
        "categories": {"news": {"email": True, "in_app": False}}
    }


def test_switching_everything_else_leaves_the_others_as_they_are_shown() -> None:
    assert answer({}, {}, "* email") == {
        "channels": {"email": False},
        "categories": {"news": {"email": True}, "orders": {"email": True}},
    }


cells = st.sets(st.sampled_from(CELLS))
switches = st.none() | st.booleans()
settings = st.fixed_dictionaries(
    {},
    optional={
        "channels": st.dictionaries(st.sampled_from(KNOWN), st.booleans()),
        "categories": st.dictionaries(
            st.sampled_from(["news", "orders"]), st.booleans() | st.dictionaries(st.sampled_from(KNOWN), st.booleans())
        ),
    },
)


@given(settings, settings, cells)
def test_afterwards_every_switch_is_as_it_was_left(settings: Any, defaults: Any, on: set[str]) -> None:
    result = changed(settings, defaults, {"shown": CELLS, "on": list(on)}, known=KNOWN)
    own, project = parse_preferences(result), parse_preferences(defaults)
    assert {cell for cell in CELLS if is_on(*cell.split(" "), own, project)} == on


def test_stopping_all_mail_stops_what_workflows_said_as_well() -> None:
    before = {"workflows": {"weekly": {"email": True}}, "categories": {"hidden": True}}
    stopped = answer(before, {}, stop=["email"])
    own = parse_preferences(stopped)
    assert own.workflows == {"weekly": {"email": False}}
    assert own.categories["hidden"] == {"email": False, "in_app": True}
    assert not any(is_on(key, "email", own, parse_preferences({})) for key in ("news", "orders", "*", "hidden"))
    assert all(is_on(key, "in_app", own, parse_preferences({})) for key in ("news", "orders", "*", "hidden"))


@pytest.mark.parametrize(
    ("cron", "rhythm"),
    [
        ("0 * * * *", Rhythm("hourly")),
        ("30 9 * * *", Rhythm("daily", "09:30")),
        ("0 18 * * 5", Rhythm("weekly", "18:00", 4)),
        ("0 18 * * 7", Rhythm("weekly", "18:00", 6)),
        ("*/5 * * * *", Rhythm("own", cron="*/5 * * * *")),
        (None, Rhythm("at_once")),
    ],
)
def test_rhythms(cron: str | None, rhythm: Rhythm) -> None:
    assert rhythm_of(Cadence(cron)) == rhythm
    kept = {"digests": {"news": {"cron": cron} if cron else {"at_once": True}}}
    form = {
        "rhythm_of": ["news"],
        "rhythm news": [rhythm.kind],
        "time news": [rhythm.time],
        "weekday news": [str(rhythm.weekday)],
    }
    assert changed(kept, {}, form, known=KNOWN) == changed({}, kept, form, known=KNOWN) | kept
    assert changed({}, kept, form, known=KNOWN) == {}  # as the project has it
    if rhythm.kind != "own":
        assert rhythm_of(parse_preferences(changed({}, {}, form, known=KNOWN)).digests["news"]) == rhythm


def test_a_rhythm_can_be_taken_back() -> None:
    form = {"rhythm_of": ["news"], "rhythm news": ["default"]}
    assert changed({"digests": {"news": {"at_once": True}}}, {}, form, known=KNOWN) == {"digests": {}}


def hours_form(settings: Any, defaults: Any = None) -> dict[str, list[str]]:
    """The quiet hours of the page as they are shown."""
    form: dict[str, list[str]] = {"hours": ["1"], "quiet": []}
    for name, day in zip(DAYS, days_of(settings, defaults or {}), strict=True):
        form[f"from {name}"], form[f"until {name}"] = [day.start], [day.end]
        if day.quiet:
            form["quiet"].append(name)
    return form


def test_quiet_hours_are_shown_and_kept() -> None:
    settings = {"quiet_hours": {"policy": "digest", **NIGHTS}}
    assert days_of(settings, {})[0] == Day(True, "22:00", "07:00", ("12:00–13:00",))
    assert days_of(settings, {})[1] == Day(False, "22:00", "07:00")
    assert changed(settings, {}, hours_form(settings), known=KNOWN) == settings
    assert changed({}, settings, hours_form({}, settings), known=KNOWN) == {}


def test_quiet_hours_are_changed_day_by_day() -> None:
    settings = {"quiet_hours": {"policy": "digest", **NIGHTS}}
    form = hours_form(settings)
    form["quiet"].append("sunday")
    form["from monday"], form["until sunday"] = ["23:00"], ["00:00"]
    result = changed(settings, {}, form, known=KNOWN)["quiet_hours"]
    assert result["policy"] == "digest"
    assert result["weekly"] == {
        "monday": [{"from": "23:00", "until": "07:00"}, {"from": "12:00", "until": "13:00"}],
        "sunday": [{"from": "22:00", "until": "24:00"}],
    }
    form["quiet"] = []
    assert changed(settings, {}, form, known=KNOWN)["quiet_hours"] == {"policy": "digest", "weekly": {}}


def test_the_projects_hours_become_ones_own_when_they_are_changed() -> None:
    project = {"quiet_hours": NIGHTS}
    form = hours_form({}, project) | {"quiet": []}
    assert changed({}, project, form, known=KNOWN) == {"quiet_hours": {"weekly": {}}}


def test_impossible_hours_are_refused_and_shown_as_they_were_given() -> None:
    form = {"hours": ["1"], "quiet": ["monday"], "from monday": ["07:00"], "until monday": ["07:00"]}
    with pytest.raises(Invalid):
        parse_preferences(changed({}, {}, form, known=KNOWN))
    assert days_of({}, {}, form)[0] == Day(True, "07:00", "07:00")


@given(
    st.dictionaries(
        st.sampled_from(
            ["shown", "on", "hours", "quiet", "rhythm_of", "rhythm news", "time news", "weekday news", "stop"]
        )
        | st.text(max_size=10),
        st.lists(st.text(max_size=12), max_size=4),
    )
)
def test_whatever_is_sent_is_understood_or_refused(form: dict[str, list[str]]) -> None:
    with contextlib.suppress(Invalid):
        parse_preferences(changed({}, {}, form, known=KNOWN))
