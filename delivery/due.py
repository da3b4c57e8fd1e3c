"""Which due rows come first: critical ones, then the others; in both the projects take turns. SQL only.

One statement finds the projects that have something due and gives each the same share of the batch, oldest rows first; what
small ones leave is filled up from the large. So a broadcast of one project, however long, delays another's single message by one
batch at most, and a batch is full whenever enough is due.

The projects are found by a loose scan of the partial index of open rows, `(..., critical, project_id, available_at)`: one probe
per project with open rows, wherever they end, and no further than a batch can serve. The walk begins after the project where
the caller's last one ended, so with more projects than places everybody's turn comes.
"""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

FIRST_PROJECT: Final = UUID(int=0)


class Round:
    """Where one stage of one process is in its round of the projects. A hint: forgotten, it begins at the first again."""

    def __init__(self) -> None:
        self.after = FIRST_PROJECT

    def end(self, served: Iterable[UUID]) -> None:
        """The next walk begins after the last of these projects, in the order of this one."""
        self.after = max(served, key=lambda project: (project.int - self.after.int - 1) % 2**128, default=self.after)


def due_rows(table: str, *, where: str = "true") -> str:
    """Common table expressions that lock up to `%(limit)s` due rows of `table`: `due (id, n)`, n from 1, critical first.

    `%(after)s` is the project after which the round begins.
    """
    return f"""
    urgent AS MATERIALIZED ({_fair(table, f"{where} AND critical", "(SELECT %(limit)s::int)")}),
    usual AS MATERIALIZED (
        {_fair(table, f"{where} AND NOT critical", "(SELECT greatest(0, %(limit)s - (SELECT count(*) FROM urgent)))")}),
    due AS MATERIALIZED (
        SELECT id, row_number() OVER () AS n FROM (SELECT id FROM urgent UNION ALL SELECT id FROM usual) AS locked)"""  # noqa: S608 - the module's callers name tables


def _fair(table: str, where: str, room: str) -> str:
    """The ids of up to `room` due rows. `turns` is read lazily: its limit ends the walks behind it.

    `firsts` are the equal shares. Who has used his up may have more: the rest of the room goes to those, in a random order.
    """

    def first_beyond(project: str) -> str:
        return f"""SELECT project_id, available_at FROM {table}
             WHERE {where} AND available_at IS NOT NULL AND project_id > {project}
             ORDER BY project_id, available_at LIMIT 1"""  # noqa: S608 - see above

    def oldest(condition: str, limit: str) -> str:
        return f"""SELECT id FROM {table}
             WHERE {where} AND project_id = turns.project_id AND available_at <= now() {condition}
             ORDER BY available_at LIMIT {limit} FOR UPDATE SKIP LOCKED"""  # noqa: S608 - see above

    share = f"(SELECT ceil({room}::float8 / greatest(1, count(*)))::int FROM turns)"  # noqa: S608 - see above
    rest = f"(SELECT {room} - count(*) FROM firsts)"  # noqa: S608 - see above
    return f"""
        WITH RECURSIVE
        ahead (project_id, at) AS (
            ({first_beyond("%(after)s::uuid")})
            UNION ALL SELECT following.* FROM ahead, LATERAL ({first_beyond("ahead.project_id")}) AS following),
        behind (project_id, at) AS (
            ({first_beyond(f"'{FIRST_PROJECT}'::uuid")})
            UNION ALL SELECT following.* FROM behind, LATERAL ({first_beyond("behind.project_id")}) AS following
             WHERE behind.project_id < %(after)s::uuid),
        turns AS MATERIALIZED (
            SELECT project_id FROM (SELECT * FROM ahead
                                    UNION ALL SELECT * FROM behind WHERE project_id <= %(after)s::uuid) AS walked
             WHERE at <= now() LIMIT {room}),
        firsts AS MATERIALIZED (
            SELECT turns.project_id, taken.id FROM turns, LATERAL ({oldest("", share)}) AS taken LIMIT {room})
        SELECT id FROM firsts
        UNION ALL
        (SELECT taken.id
           FROM (SELECT project_id FROM firsts GROUP BY project_id HAVING count(*) >= {share} ORDER BY random()) AS turns,
                LATERAL ({oldest("AND id NOT IN (SELECT id FROM firsts)", rest)}) AS taken
          LIMIT {rest})"""  # noqa: S608 - see above


def oldest_by_stage() -> str:
    """Rows of stage (`route`, or a channel of the one parameter, a list) and its `oldest_open`; none where nothing is open."""
    return f"""
        SELECT stage, oldest FROM (
            SELECT 'route' AS stage, least({oldest_open("notifications_notification", where="critical")},
                                           {oldest_open("notifications_notification", where="NOT critical")}) AS oldest
            UNION ALL
            SELECT channel, least({oldest_open("delivery_delivery", where="channel = asked.channel AND critical")},
                                  {oldest_open("delivery_delivery", where="channel = asked.channel AND NOT critical")})
              FROM unnest(%s::text[]) AS asked (channel)) AS stages
         WHERE oldest IS NOT NULL"""  # noqa: S608 - composed of our own text


def oldest_open(table: str, *, where: str) -> str:
    """A scalar: the `available_at` of the row of `table` that is, or will be, due first; null when no row is open.

    By the same loose scan, so one look-up per project however long the queue is.
    """

    def first(project: str) -> str:
        return f"""SELECT project_id, available_at FROM {table}
             WHERE {where} AND available_at IS NOT NULL {project} ORDER BY project_id, available_at LIMIT 1"""  # noqa: S608 - see above

    return f"""(
        WITH RECURSIVE firsts (project_id, at) AS (
            ({first("")})
            UNION ALL SELECT following.* FROM firsts, LATERAL ({first("AND project_id > firsts.project_id")}) AS following)
        SELECT min(at) FROM firsts)"""  # noqa: S608 - see above
