"""The database, the laws, the processes that say they live, and the oldest work."""

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import Error, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from delivery.due import oldest_by_stage
from delivery.heartbeats import READ, WORKER, missing, read_pulses
from delivery.inspection import find_broken, read_sums
from delivery.laws import LAWS, SINCE_EVER
from delivery.selectors import first_id_at
from deploy.doctor.findings import Finding, fail, note, ok, warn
from notifications.clock import utc_now
from notifications.sealing import unseal

_OLDEST_VERSION: Final = 140_000
_SKEW_SECONDS: Final = 2.0
_LATE_SECONDS: Final = 60.0
_TIME_LIMIT: Final = "30s"
_DAY: Final = timedelta(days=1)
_OLDEST_DUE: Final = f"""
    SELECT extract(epoch FROM now() - min(oldest))::float8 FROM ({oldest_by_stage()}) AS open_stages"""  # noqa: S608 - our own text


def check_database() -> list[Finding]:
    """Does it answer, and everything else that only it can tell."""
    try:
        with connection.cursor() as cursor:
            before = utc_now().timestamp()
            cursor.execute(
                "SELECT extract(epoch FROM clock_timestamp())::float8, current_setting('server_version_num')"
            )
            now, number = cursor.fetchone()
            after = utc_now().timestamp()
    except Error as error:
        words = str(error).strip().splitlines() or [type(error).__name__]
        return [fail("database", f"PostgreSQL does not answer: {words[0]}.", "Start it, or correct DATABASE_URL.")]
    findings = [_version(int(number)), _clock(now - (before + after) / 2, (after - before) / 2), _migrations()]
    if findings[-1].remedy:
        return findings  # the rest needs the tables
    return [*findings, *_laws(), *_processes(), _oldest(), _secrets()]


def _version(number: int) -> Finding:
    if number < _OLDEST_VERSION:
        return fail("database", f"PostgreSQL {number // 10_000} is too old.", "Use PostgreSQL 14 or newer.")
    return ok("database", f"PostgreSQL {number // 10_000}.{number % 10_000} answers.")


def _clock(ahead: float, uncertainty: float) -> Finding:
    if abs(ahead) - uncertainty > _SKEW_SECONDS:
        return warn(
            "clock",
            f"The database's clock is {abs(ahead):.1f} s {'ahead of' if ahead > 0 else 'behind'} this machine's.",
            "Let both machines keep time by NTP (timedatectl set-ntp true).",
        )
    return ok("clock", f"The database's clock and this machine's are within {abs(ahead) + uncertainty:.1f} s.")


def _migrations() -> Finding:
    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if pending:
        return fail("migrations", f"{len(pending)} migrations are not applied.", "Run: python manage.py migrate")
    return ok("migrations", "All migrations are applied.")


def _laws() -> list[Finding]:
    """Over everything, or over the last day where everything takes too long."""
    span, since = "", SINCE_EVER
    try:
        broken, sums = find_broken(since, limit=_TIME_LIMIT), read_sums(since, limit=_TIME_LIMIT)
    except OperationalError:
        span, since = " of the last day", first_id_at(utc_now() - _DAY)
        try:
            broken, sums = find_broken(since, limit=_TIME_LIMIT), read_sums(since, limit=_TIME_LIMIT)
        except OperationalError:
            return [
                note("laws", f"Looking at a day's rows takes longer than {_TIME_LIMIT}; the laws were not checked.")
            ]
    if not broken:
        notifications, unrouted, deliveries, open_ = sums
        return [
            ok(
                "laws",
                f"All {len(LAWS)} laws hold for {notifications} notifications ({unrouted} to be routed) and "
                f"{deliveries} deliveries ({open_} open){span}.",
            )
        ]
    return [
        fail(
            f"laws:{each.law.code}",
            f"{each.count} rows break it: {each.law.says}. For example {', '.join(each.examples)}.",
            "This is a defect of Carillon, or rows were changed by hand: report it with the rows named here.",
        )
        for each in broken
    ]


def _processes() -> list[Finding]:
    with connection.cursor() as cursor:
        cursor.execute(READ)
        pulses = read_pulses(cursor.fetchall())
    absent = missing(pulses)
    findings = []
    for role, pulse in pulses.items():
        check = f"heartbeat:{role}"
        if role in absent:
            judge = fail if role == WORKER else warn
            findings.append(judge(check, absent[role], f"Start the platform's {role} process, or look at its log."))
        elif pulse.silent:
            said = f"{pulse.alive} alive, {pulse.silent} fell silent within the last hour without saying goodbye."
            findings.append(
                warn(check, said, "Look at the log of what was killed; the admin's page Processes names it.")
            )
        elif not pulse.alive:
            findings.append(note(check, f"No {role} process seen."))
        else:
            findings.append(ok(check, f"{pulse.alive} alive."))
    return findings


def _oldest() -> Finding:
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST_DUE, [sorted(settings.CARILLON_NOTIFICATIONS.channels)])
        (age,) = cursor.fetchone()
    if age is None:
        return ok("oldest due", "Nothing is open.")
    if age > _LATE_SECONDS:
        return warn(
            "oldest due",
            f"Something has been due for {age:.0f} s.",
            "See the admin's first page for what it is; more WORKER_PROCESSES help when it is all of it.",
        )
    return ok("oldest due", "Nothing has been due for over a minute.")


def _secrets() -> Finding:
    """Can the newest sealed value be opened with the keys of this process?"""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sealed_secret FROM notifications_endpoint WHERE sealed_secret <> '' ORDER BY id DESC LIMIT 1"
        )
        row = cursor.fetchone()
    if row is None:
        return note("encryption keys", "Nothing is encrypted yet.")
    try:
        unseal(row[0])
    except ValueError:
        return fail(
            "encryption keys",
            "The stored secrets cannot be read with CARILLON_ENCRYPTION_KEYS.",
            "Put the earlier key back at the end of the list.",
        )
    return ok("encryption keys", "The stored secrets can be read.")
