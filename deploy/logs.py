"""Logging: constant messages with fields, one line each, to stderr; values are ids and counts, never contents."""

import logging

import structlog
from django.conf import settings
from structlog.typing import Processor


def configure_logging() -> None:
    """Send the standard library's and structlog's records through one formatter."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "logger", "event"]),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.CARILLON_LOG_LEVEL)
    for noisy in (
        "uvicorn.error",
        "httpx",
        "aiohttp.access",
        "celery.app.trace",
        "celery.worker.strategy",
        "celery.beat",
        "kombu",
        "mail.log",  # aiosmtpd's, with everybody's address
    ):
        logging.getLogger(noisy).setLevel(logging.WARNING)
