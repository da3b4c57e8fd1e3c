"""Redis or Valkey, and the broker that Celery's messages go through."""

from typing import Any, Final

from django.conf import settings
from kombu import Connection
from kombu.exceptions import OperationalError
from redis import Redis, RedisError

from deploy.celery_app import app
from deploy.doctor.findings import Finding, fail, note, ok, warn

_SECONDS: Final = 2


def check_redis() -> list[Finding]:
    """Every server of REDIS_URL."""
    return [
        finding
        for number, url in enumerate(settings.REDIS_URLS, 1)
        for finding in _server("redis" if len(settings.REDIS_URLS) == 1 else f"redis {number}", url)
    ]


def _server(check: str, url: str) -> list[Finding]:
    try:
        with Redis.from_url(url, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS) as client:
            about: Any = client.info()
    except ValueError as error:
        return [fail(check, f"REDIS_URL cannot be used: {error}.", "Correct REDIS_URL.")]
    except (RedisError, OSError) as error:
        # A warning: nothing is lost without it (it is a bell and a cache).
        return [
            warn(
                check,
                f"It does not answer ({type(error).__name__}): deliveries and live messages come later.",
                "Start it, or correct REDIS_URL.",
            )
        ]
    name = "Valkey" if "valkey_version" in about else "Redis"
    version = about.get("valkey_version") or about.get("redis_version")
    findings = [ok(check, f"{name} {version} answers.")]
    if about.get("rdb_last_bgsave_status", "ok") != "ok" or about.get("aof_last_write_status", "ok") != "ok":
        remedy = "Look at its log: usually the disk is full. It may refuse writes until that is mended."
        findings.append(warn(f"{check} persistence", "Its last write to disk failed.", remedy))
    else:
        kept = "append-only file" if about.get("aof_enabled") else "no append-only file"
        findings.append(note(f"{check} persistence", f"{kept}: Carillon needs none, everything is in PostgreSQL."))
    return findings


def check_broker() -> list[Finding]:
    """A connection as the bell makes it."""
    try:
        with Connection(
            app.conf.broker_url, connect_timeout=_SECONDS, transport_options=app.conf.broker_transport_options
        ) as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=_SECONDS)
    except (ValueError, KeyError) as error:
        return [fail("broker", f"The broker's URL cannot be used: {error}.", "Correct CELERY_BROKER_URL or REDIS_URL.")]
    except (OperationalError, OSError) as error:
        return [
            warn(
                "broker",
                f"Celery's broker does not answer ({type(error).__name__}): wake-ups are lost, workers only sweep.",
                "Start it, or correct CELERY_BROKER_URL.",
            )
        ]
    return [ok("broker", "Celery's broker answers.")]
