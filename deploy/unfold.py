"""The admin's name, look and navigation."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def environment(request: HttpRequest) -> list[str]:
    """The label in the header: what kind of installation an operator is about to change."""
    if settings.DEBUG:
        return ["Debug", "danger"]
    return ["Local", "info"] if settings.CARILLON_MAIL_DIR else ["Production", "warning"]


def _model(title: str, icon: str, name: str) -> dict[str, Any]:
    app, _, model = name.partition("_")
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{name}_changelist"),
        "permission": lambda request: request.user.has_perm(f"{app}.view_{model}"),
    }


def _beat(title: str, icon: str, model: str) -> dict[str, Any]:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:django_celery_beat_{model}_changelist"),
        "permission": lambda request: request.user.has_perm(f"django_celery_beat.view_{model}"),
    }


def _page(title: str, icon: str, path: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": path}


_NAVIGATION = [
    {
        "items": [
            {"title": "Is anything stuck?", "icon": "monitor_heart", "link": reverse_lazy("admin:index")},
        ]
    },
    {
        "title": "Traffic",
        "items": [
            _model("Notifications", "notifications", "notifications_notification"),
            _model("Deliveries", "outbox", "delivery_delivery"),
            _model("Attempts", "history", "delivery_attempt"),
            _model("Runs", "directions_walk", "delivery_run"),
            _model("Digests", "library_books", "schedules_digest"),
            _model("Schedules", "calendar_clock", "schedules_schedule"),
            _model("Schedule runs", "event_repeat", "schedules_schedulerun"),
            _model("Status events", "campaign", "delivery_statusevent"),
            _model("Status dispatches", "forward_to_inbox", "delivery_statusdispatch"),
            _model("Event endpoints", "hearing", "delivery_eventendpoint"),
            _model("What came back", "undo", "delivery_deliveryevent"),
            _model("Providers", "dns", "delivery_provider"),
            _model("Endpoints in trouble", "heart_broken", "delivery_endpointtrouble"),
            _model("Send limits", "speed", "delivery_sendlimit"),
        ],
    },
    {
        "title": "Rules",
        "items": [
            _model("Workflows", "account_tree", "notifications_workflow"),
        ],
    },
    {
        "title": "People",
        "items": [
            _model("Recipients", "person", "notifications_recipient"),
            _model("Endpoints", "webhook", "notifications_endpoint"),
            _model("Suppressions", "block", "notifications_suppression"),
            _model("Topics", "groups", "notifications_topic"),
            _model("Subscriptions", "group_add", "notifications_subscription"),
            _model("Preferences", "tune", "notifications_recipientpreferences"),
            _model("Inbox messages", "inbox", "notifications_inboxmessage"),
            _model("Inboxes", "all_inbox", "notifications_inbox"),
            _model("Inbox log", "receipt_long", "notifications_inboxevent"),
        ],
    },
    {
        "title": "What is said",
        "items": [
            _model("Templates", "edit_note", "notifications_template"),
            _model("Template versions", "history_edu", "notifications_templateversion"),
        ],
    },
    {
        "title": "Access",
        "items": [
            _model("Projects", "domain", "notifications_project"),
            _model("Project settings", "settings", "notifications_projectsettings"),
            _model("API keys", "key", "notifications_apikey"),
            _model("DKIM keys", "signature", "delivery_dkimkey"),
            _model("Callback sources", "call_received", "delivery_callbacksource"),
            _model("Bounce mailboxes", "markunread_mailbox", "delivery_bouncemailbox"),
            _model("Idempotency keys", "fingerprint", "notifications_idempotencykey"),
            _model("Users", "admin_panel_settings", "auth_user"),
            _model("Groups", "shield_person", "auth_group"),
        ],
    },
    {
        "title": "Platform",
        "items": [
            _model("Processes", "ecg_heart", "delivery_heartbeat"),
            _model("Laws", "gavel", "delivery_lawcheck"),
            _model("Audit log", "policy", "notifications_auditentry"),
        ],
    },
    {
        "title": "Beat",
        "collapsible": True,
        "items": [
            _beat("Periodic tasks", "task_alt", "periodictask"),
            _beat("Intervals", "timer", "intervalschedule"),
            _beat("Crontabs", "calendar_month", "crontabschedule"),
            _beat("Clocked", "alarm", "clockedschedule"),
            _beat("Solar", "wb_sunny", "solarschedule"),
        ],
    },
    {
        "title": "Try it",
        "items": [
            _page("Demo", "play_circle", "/demo"),
            _page("Caught mail", "mail", "/dev/mail"),
            _page("API docs", "menu_book", "/v1/docs"),
        ],
    },
]

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Carillon",
    "SITE_HEADER": "Carillon",
    "SITE_SUBHEADER": "One call, every bell",
    "SITE_URL": "/",
    "SITE_ICON": lambda request: static("carillon/bell.svg"),
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("carillon/bell.svg")},
    ],
    "SHOW_VIEW_ON_SITE": False,
    "ENVIRONMENT": "deploy.unfold.environment",
    "DASHBOARD_CALLBACK": "deploy.admin.dashboard.dashboard",
    "BORDER_RADIUS": "6px",
    "STYLES": [lambda request: static("carillon/admin.css")],
    "COLORS": {
        "primary": {
            "50": "oklch(97.5% .018 75)",
            "100": "oklch(94.5% .042 75)",
            "200": "oklch(89% .082 73)",
            "300": "oklch(82% .125 70)",
            "400": "oklch(75% .152 66)",
            "500": "oklch(67% .152 60)",
            "600": "oklch(55.5% .132 55)",
            "700": "oklch(47.5% .112 52)",
            "800": "oklch(40% .09 50)",
            "900": "oklch(34% .072 49)",
            "950": "oklch(24% .05 48)",
        },
    },
    "COMMAND": {"search_models": False, "show_history": False},
    "SIDEBAR": {"show_search": True, "show_all_applications": False, "navigation": _NAVIGATION},
}
