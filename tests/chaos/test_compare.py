"""The comparison finds what it is there to find: each kind of loss and double, put into otherwise perfect books."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.chaos.arrivals import Arrival, ReceiverBook
from tests.chaos.compare import (
    Losses,
    find_copies,
    find_differences,
    find_doubles,
    find_key_doubles,
    find_losses,
)
from tests.chaos.database import Message, Row, View
from tests.chaos.faults import Done
from tests.chaos.plan import Kind, Submission, draw

SUBMISSION = Submission(7, ("ada",), ("in_app", "webhook", "email"))
ACCEPTED = {7: "ntf_1"}
ROWS = [
    Row("dlv_i", 7, "ada", "in_app", "delivered", "stored_in_inbox", 100.0, 101.0),
    Row("dlv_w", 7, "ada", "webhook", "sent", "accepted", 100.0, 101.0),
    Row("dlv_e", 7, "ada", "email", "sent", "accepted", 100.0, 101.0),
]
VIEW = View(
    notifications=[("ntf_1", 7)],
    deliveries=ROWS,
    messages=[Message("msg_1", 7, "ada")],
    heads={"ada": 1},
    broken_laws=[],
    api_states={row.id: row.state for row in ROWS},
)
KILL = Done(Kind.KILL_CHILD, at=105.0, until=105.0, mended_seconds=0.5)


def book(name: str, *arrivals: Arrival) -> ReceiverBook:
    kept = ReceiverBook()
    kept.arrivals[name] = list(arrivals)
    return kept


def came(at: float = 101.0, *, taken: bool = True, answered: bool = True) -> Arrival:
    return Arrival(at, taken, answered)


def changed(name: str, **more: object) -> View:
    """The perfect view but for one delivery."""
    return replace(VIEW, deliveries=[replace(row, **more) if row.id == name else row for row in ROWS])  # type: ignore[arg-type]


def losses(view: View = VIEW, hooks: ReceiverBook | None = None, mails: ReceiverBook | None = None) -> Losses:
    return find_losses([SUBMISSION], ACCEPTED, view, hooks or book("dlv_w", came()), mails or book("dlv_e", came()))


def test_nothing_is_found_in_perfect_books() -> None:
    assert losses().all == []
    assert find_doubles(VIEW) == find_key_doubles(VIEW) == find_differences(VIEW) == []
    copies = find_copies("webhook", book("dlv_w", came()), VIEW, [KILL], reach_seconds=10)
    assert (copies.deliveries, copies.after_kill, copies.after_cut, copies.unexplained) == (1, 0, 0, [])


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (lambda: losses(replace(VIEW, notifications=[])), "no_row"),
        (lambda: losses(replace(VIEW, deliveries=ROWS[1:])), "no_row"),
        (lambda: losses(changed("dlv_w", state="sending", finished_at=None)), "not_terminal"),
        (lambda: losses(changed("dlv_e", state="failed", reason="poison")), "failed"),
        (lambda: losses(replace(VIEW, messages=[])), "never_came"),
        (lambda: losses(hooks=ReceiverBook()), "never_came"),
        (lambda: losses(hooks=book("dlv_w", came(taken=False))), "never_came"),
        (lambda: losses(mails=ReceiverBook()), "never_came"),
    ],
)
def test_each_kind_of_loss_is_found(found: Callable[[], Losses], kind: str) -> None:
    assert {name: len(lines) for name, lines in vars(found()).items() if lines} == {kind: 1}


def test_what_was_never_accepted_is_not_lost() -> None:
    assert find_losses([SUBMISSION], {}, replace(VIEW, deliveries=[]), ReceiverBook(), ReceiverBook()).all == []


@pytest.mark.parametrize(
    ("arrivals", "unsaid", "excuses"),
    [
        ((came(104.9), came(115.0)), {"died": 1}, ("kill_worker_child", 0, 0)),
        ((came(104.9), came(115.0)), {"late": 1}, ("kill_worker_child", 0, 0)),
        ((came(104.9), came(115.0)), {"timed_out": 1}, ("", 0, 1)),  # nothing was frozen
        ((came(104.9), came(115.0)), {}, ("", 0, 1)),  # no attempt that could not say how it ended
        ((came(120.0), came(121.0)), {"died": 1}, ("", 0, 1)),  # nothing was harmed at that time
        ((came(101.0), came(102.0)), {"died": 1}, ("", 0, 1)),  # the kill came after the second copy
        ((came(104.9, answered=False), came(115.0)), {}, ("", 1, 0)),
        ((came(104.9, taken=False), came(115.0)), {}, ("", 0, 0)),
    ],
)
def test_a_second_copy_needs_an_excuse(
    arrivals: tuple[Arrival, ...], unsaid: dict[str, int], excuses: tuple[str, int, int]
) -> None:
    copies = find_copies("webhook", book("dlv_w", *arrivals), changed("dlv_w", **unsaid), [KILL], reach_seconds=10)
    assert ("".join(copies.by_kind), copies.after_cut, len(copies.unexplained)) == excuses


def test_what_nobody_sent_has_no_excuse() -> None:
    assert find_copies("webhook", book("dlv_x", came()), VIEW, [KILL], reach_seconds=10).unexplained


def test_doubles_and_differences_are_found() -> None:
    assert find_doubles(replace(VIEW, messages=[*VIEW.messages, Message("msg_2", 7, "ada")]))
    assert find_key_doubles(replace(VIEW, notifications=[*VIEW.notifications, ("ntf_2", 7)]))
    assert find_differences(replace(VIEW, api_states=VIEW.api_states | {"dlv_w": "failed"}))
    assert find_differences(replace(VIEW, api_states={}))


def test_a_seed_always_draws_the_same_plan() -> None:
    sizes = {"accepted": 300, "kills": 30, "seconds": 60.0}
    plan = draw(seed=4, **sizes)  # type: ignore[arg-type]
    assert plan == draw(seed=4, **sizes)  # type: ignore[arg-type]
    assert plan != draw(seed=5, **sizes)  # type: ignore[arg-type]
    assert [each.number for each in plan.submissions] == list(range(300))
    assert {fault.kind for fault in plan.faults} == set(Kind)
    assert all(0 < fault.at_seconds < 60 for fault in plan.faults)
