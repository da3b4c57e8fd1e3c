"""Every environment variable Carillon reads, in one place. Nothing else in the product looks at the environment.

Each variable may be given as `NAME` or as `NAME_FILE`, the path of a file that holds the value (for secrets).

    CARILLON_DATA_DIR        .data                where embedded servers, secrets and caught mail live
    DATABASE_URL             set by the launcher  postgresql://user:password@host:port/name, or ?host=/socket/folder
    REDIS_URL                set by the launcher  redis://..., rediss://... or unix:///path; several, comma-separated, shard the channel layer
    CELERY_BROKER_URL        the first REDIS_URL  another Celery broker
    SMTP_URL                 set by the launcher  smtp://user:pass@host:587?starttls=1; several fail over in order
    CARILLON_MAIL_FROM       Carillon <carillon@localhost>    the sender of mail
    CARILLON_DKIM_KEYS       empty                DKIM keys from files, domain:selector:path, comma-separated; or see `create_dkim_key`
    CARILLON_BOUNCE_ADDRESS  the sender           where bounces are returned to (MAIL FROM), such as bounces@example.com
    CARILLON_BOUNCE_LISTEN   empty                host:port on which to take bounces by SMTP, for the address above (an MX or a relay leads there)
    CARILLON_BOUNCE_IMAP_URL empty                imaps://user:password@host/INBOX, a mailbox of bounces read every minute
    CARILLON_WEBHOOK_ALLOW   empty                networks exempt from the address guard (webhooks, attachments), comma-separated
    CARILLON_SECRET_KEY      required             signs sessions, inbox tokens and unsubscribe links
    CARILLON_OLD_SECRET_KEYS empty                keys it had before, comma-separated: links in mails sent with them go on working
    CARILLON_ENCRYPTION_KEYS required             Fernet keys, comma-separated; the first encrypts, all decrypt
    CARILLON_API_KEY         made once            the first project's API key (car_...), in place of the one that `make up` makes
    CARILLON_ADMIN_PASSWORD  made once            of the admin user `admin`, in place of the one that `make up` makes
    CARILLON_MAIL_DIR        empty                Maildir of the built-in catcher; /dev/mail shows it when set
    CARILLON_DEBUG           0                    Django's debug pages, for development of Carillon itself
    CARILLON_PUBLIC_URL      http://HOST:PORT     how browsers reach this installation
    CARILLON_ALLOWED_HOSTS   *                    Host headers answered, comma-separated
    CARILLON_ALLOWED_ORIGINS empty                further origins whose pages may open the inbox socket; `*` for any
    CARILLON_RATE_LIMIT      600000               API requests per minute and key
    CARILLON_INSTANCE        empty                a name for this process or host that /readyz repeats
    CARILLON_LEASE_SECONDS   60                   how long one process may hold a piece of work; after a crash others wait so long for it
    CARILLON_RETRY_SECONDS   {}                   waiting times before further attempts by channel, JSON: {"webhook": [5, 300], "email": [60]}
    CARILLON_INBOX_DAYS      365                  how many days a message stays in an inbox
    CARILLON_INBOX_MESSAGES  10000                how many messages an inbox holds; the oldest leave
    CARILLON_INBOX_LOG_DAYS  30                   how long a client may be away and still be told exactly what it missed
    CARILLON_INBOX_LOG_CHANGES 10000              how many changes of one inbox are kept for that
    CARILLON_EVENT_DAYS      14                   how many days status events and what came of them are kept
    CARILLON_HISTORY_DAYS    90                   how many days notifications and their deliveries are kept after their end; 0: for ever
    CARILLON_LOG             INFO                 log level
    HOST, PORT               127.0.0.1, 8000      where to listen
    WEB_PROCESSES, WORKER_PROCESSES  by cores     how many
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from delivery.retries import check_schedule

MAIL_FROM: Final = "Carillon <carillon@localhost>"


class ConfigError(ValueError):
    """A variable has a value that cannot be used; the text names the variable."""


@dataclass(frozen=True, slots=True)
class Environment:
    """Reads variables, their `_FILE` forms and casts them, naming the variable in every error."""

    values: Mapping[str, str]

    def text(self, name: str, default: str | None = None) -> str:
        value = self.values.get(name)
        if value is None and (path := self.values.get(f"{name}_FILE")):
            try:
                value = Path(path).read_text().strip()
            except OSError as error:
                raise ConfigError(f"{name}_FILE: cannot read {path}: {error.strerror}") from error
        if value is None or value == "":
            if default is None:
                raise ConfigError(f"{name} is not set. `make up` sets it; for other ways to start see the README.")
            return default
        return value

    def number(self, name: str, default: int, *, least: int = 0) -> int:
        value = self.text(name, str(default))
        if not (value.isascii() and value.isdigit()) or int(value) < least:
            raise ConfigError(f"{name} must be a whole number of at least {least}, not {value!r}")
        return int(value)

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.text(name, "1" if default else "0").lower()
        if value not in ("0", "1", "true", "false", "yes", "no"):
            raise ConfigError(f"{name} must be 0 or 1, not {value!r}")
        return value in ("1", "true", "yes")

    def items(self, name: str, default: str = "") -> list[str]:
        return [item.strip() for item in self.text(name, default).split(",") if item.strip()]

    def schedules(self, name: str) -> dict[str, tuple[float, ...]]:
        """A JSON object of retry schedules by channel, each as `delivery.retries` wants it."""
        try:
            given = json.loads(self.text(name, "{}"))
            found = {channel: tuple(float(step) for step in steps) for channel, steps in given.items()}
            if not all(isinstance(steps, list) for steps in given.values()):
                raise ValueError("each channel has a list of seconds")
            for steps in found.values():
                check_schedule(steps)
        except (ValueError, TypeError, AttributeError) as error:
            raise ConfigError(
                f'{name} must be a JSON object such as {{"webhook": [5, 300, 1800]}}, seconds by channel: {error}'
            ) from error
        return found


environment = Environment(os.environ)


def database(url: str) -> dict[str, Any]:
    """Django's DATABASES entry for a PostgreSQL URL; query parameters become libpq options, `host` may be a folder."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise ConfigError(
            f"DATABASE_URL must begin with postgresql://, not {parts.scheme}://. Carillon speaks PostgreSQL only."
        )
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    host = options.pop("host", None) or parts.hostname or ""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "carillon",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(options.pop("port", None) or parts.port or ""),
        "CONN_MAX_AGE": 0,
        # A connection that a restart of PostgreSQL broke is found before it is used.
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 2,
            "application_name": "carillon",
            "tcp_user_timeout": 10_000,  # a server that is cut off, not down, is given up after 10 s and not after 15 min
            **options,
            "pool": {
                "min_size": 0,
                "max_size": 10,
                "timeout": 1.2,
                "max_lifetime": 1800,
                "max_idle": 60,
                "reconnect_timeout": 1,
            },
        },
    }


def broker(redis_url: str) -> str:
    """Celery's spelling of a Redis URL: Unix sockets are `redis+socket://` there."""
    return "redis+socket://" + redis_url.removeprefix("unix://") if redis_url.startswith("unix://") else redis_url
