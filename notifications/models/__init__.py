"""The tables of WHAT and TO WHOM, one module per subject."""

from notifications.models.address_key import AddressKey
from notifications.models.audit import AuditEntry
from notifications.models.canary import Canary
from notifications.models.inbox import Inbox, InboxEvent, InboxMessage
from notifications.models.notification import IdempotencyKey, Notification
from notifications.models.people import Endpoint, Recipient, Subscription, Topic
from notifications.models.preferences import RecipientPreferences
from notifications.models.projects import ApiKey, Project, ProjectSettings
from notifications.models.suppressions import Suppression
from notifications.models.templates import Template, TemplateVersion
from notifications.models.workflows import Workflow, WorkflowVersion

__all__ = [
    "AddressKey",
    "ApiKey",
    "AuditEntry",
    "Canary",
    "Endpoint",
    "IdempotencyKey",
    "Inbox",
    "InboxEvent",
    "InboxMessage",
    "Notification",
    "Project",
    "ProjectSettings",
    "Recipient",
    "RecipientPreferences",
    "Subscription",
    "Suppression",
    "Template",
    "TemplateVersion",
    "Topic",
    "Workflow",
    "WorkflowVersion",
]
