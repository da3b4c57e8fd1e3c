"""Django's settings, composed from `deploy/config.py`. One file for every environment; differences are variables."""

from pathlib import Path
from typing import Any

from api.openapi_settings import SPECTACULAR_SETTINGS as SPECTACULAR_SETTINGS
from delivery.conf import RETRY_SECONDS, DeliveryConf
from deploy.bounces.settings import bounce_settings
from deploy.config import MAIL_FROM, broker, database, environment
from deploy.transports import read_signing_keys, transport_settings
from deploy.unfold import UNFOLD as UNFOLD
from deploy.version import version
from notifications.conf import NotificationsConf
from notifications.inbox.keep import Keep

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(environment.text("CARILLON_DATA_DIR", str(BASE_DIR / ".data")))
DEBUG = environment.flag("CARILLON_DEBUG")
SECRET_KEY = environment.text("CARILLON_SECRET_KEY")
SECRET_KEY_FALLBACKS = environment.items("CARILLON_OLD_SECRET_KEYS")
CARILLON_ENCRYPTION_KEYS = tuple(environment.items("CARILLON_ENCRYPTION_KEYS"))
PUBLIC_URL = environment.text(
    "CARILLON_PUBLIC_URL", f"http://{environment.text('HOST', '127.0.0.1')}:{environment.text('PORT', '8000')}"
)
ALLOWED_HOSTS = environment.items("CARILLON_ALLOWED_HOSTS", "*")
ALLOWED_ORIGINS = environment.items("CARILLON_ALLOWED_ORIGINS")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

INSTALLED_APPS = [
    "deploy.apps.DeployConfig",
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django_celery_beat",
    "rest_framework",
    "drf_spectacular",
    "notifications.apps.NotificationsConfig",
    "schedules.apps.SchedulesConfig",
    "delivery.apps.DeliveryConfig",
]

# For the pages (admin, demo, docs). The API has its own handler with its own short list: deploy/asgi.py.
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "deploy.acting.actor_middleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "deploy.urls"
ASGI_APPLICATION = "deploy.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = {"default": database(environment.text("DATABASE_URL"))}
REDIS_URLS = environment.items("REDIS_URL", environment.text("REDIS_URL"))
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "notifications.inbox.layer.LiveLayer",
        "CONFIG": {"hosts": REDIS_URLS, "prefix": "carillon"},
    }
}

AUTH_PASSWORD_VALIDATORS = [{"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"}]
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
APPEND_SLASH = False
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {"staticfiles": {"BACKEND": "servestatic.storage.CompressedManifestStaticFilesStorage"}}

# Cookies and transport follow the public address: behind TLS everything is strict, on plain loopback it works.
_TLS = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _TLS
SECURE_SSL_REDIRECT = _TLS
SECURE_HSTS_SECONDS = 31_536_000 if _TLS else 0
# Other hosts below the domain, and lists that browsers are shipped with, are not ours to decide about.
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = False
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _TLS else None
X_FRAME_OPTIONS = "DENY"

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_SCHEMA_CLASS": "api.openapi.ApiSchema",
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
}

CARILLON_VERSION = version()
CARILLON_INSTANCE = environment.text("CARILLON_INSTANCE", "")
CARILLON_MAIL_DIR = environment.text("CARILLON_MAIL_DIR", "")
CARILLON_WEBHOOK_ALLOW = environment.items("CARILLON_WEBHOOK_ALLOW")
CARILLON_RATE_LIMIT_PER_MINUTE = environment.number("CARILLON_RATE_LIMIT", 600_000, least=1)
CARILLON_WEB_PROCESSES = environment.number("WEB_PROCESSES", 1, least=1)
CARILLON_BOUNCE = bounce_settings(environment)
_TRANSPORTS = transport_settings(
    smtp_url=environment.text("SMTP_URL", ""),
    catches_mail=bool(CARILLON_MAIL_DIR),
    mail_from=environment.text("CARILLON_MAIL_FROM", MAIL_FROM),
    webhook_allow=tuple(CARILLON_WEBHOOK_ALLOW),
    user_agent=f"Carillon/{version()}",
    signing_keys=read_signing_keys(environment.items("CARILLON_DKIM_KEYS")),
    bounce_address=CARILLON_BOUNCE.address,
)
CARILLON_NOTIFICATIONS = NotificationsConf(
    channels=frozenset({"in_app", *_TRANSPORTS}),
    inbox_keep=Keep(
        message_days=environment.number("CARILLON_INBOX_DAYS", 365, least=1),
        messages=environment.number("CARILLON_INBOX_MESSAGES", 10_000, least=1),
        log_days=environment.number("CARILLON_INBOX_LOG_DAYS", 30, least=1),
        changes=environment.number("CARILLON_INBOX_LOG_CHANGES", 10_000, least=1),
    ),
)
_LEASE = environment.number("CARILLON_LEASE_SECONDS", 60, least=2)
# Every attempt ends well before its lease does.
CARILLON_DELIVERY = DeliveryConf(
    transports=_TRANSPORTS,
    retry_seconds={**RETRY_SECONDS, **environment.schedules("CARILLON_RETRY_SECONDS")},
    lease_seconds=_LEASE,
    attempt_timeout_seconds=_LEASE * 5 / 12,
    event_retention_days=environment.number("CARILLON_EVENT_DAYS", 14, least=6),  # beyond the last retry
    history_days=environment.number("CARILLON_HISTORY_DAYS", 90, least=0),
    journal_folder=DATA_DIR / "outcomes",
)
BROKER_URL = environment.text("CELERY_BROKER_URL", broker(REDIS_URLS[0]))

LOGGING_CONFIG = None
CARILLON_LOG_LEVEL = environment.text("CARILLON_LOG", "INFO").upper()
