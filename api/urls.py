"""The API's addresses; the hottest first, because the resolver tries them in order."""

from django.urls import path

from api.views.acknowledge_page import acknowledge_page
from api.views.api_keys import ApiKeyCollection, ApiKeyItem, ApiKeyRotation
from api.views.callbacks import CallbackCollection, CallbackEvents, CallbackItem
from api.views.deliveries import DeliveryCollection, DeliveryItem, DeliveryReplay, DeliveryRetry
from api.views.endpoint_actions import EndpointDeliveries, EndpointPing, EndpointReplay, EndpointRotation
from api.views.endpoints import EndpointCollection, EndpointItem
from api.views.events import EventCollection, EventEndpointCollection, EventEndpointItem, EventItem
from api.views.export import RecipientExport
from api.views.health import Health, Metrics, Ready
from api.views.inbox import (
    InboxCounts,
    InboxMessageAction,
    InboxMessageItem,
    InboxMessages,
    InboxReadAll,
    InboxSeenAll,
)
from api.views.inbox_events import InboxEvents
from api.views.notification_items import (
    NotificationAcknowledge,
    NotificationCancel,
    NotificationCancelByKey,
    NotificationDeliveries,
    NotificationExplain,
    NotificationItem,
)
from api.views.notifications import NotificationBulk, NotificationCollection
from api.views.preference_page import preference_page
from api.views.preferences import RecipientPreferencesItem
from api.views.presence import RecipientPresence
from api.views.project import ProjectItem
from api.views.recipients import RecipientCollection, RecipientItem
from api.views.schedules import ScheduleCollection, ScheduleItem, ScheduleOccurrences, ScheduleRunNow
from api.views.schema import DocsAsset, DocsPage, OpenApiDocument
from api.views.stats import Stats
from api.views.suppressions import SuppressionCollection, SuppressionItem
from api.views.template_previews import InlinePreview, TemplatePreview, TemplateTestSend
from api.views.templates import (
    TemplateCollection,
    TemplateItem,
    TemplateVersionItem,
    TemplateVersionPublication,
    TemplateVersions,
)
from api.views.tokens import TokenCollection, TokenRevocation
from api.views.topics import SubscriptionCollection, TopicCollection, TopicItem
from api.views.unsubscribe import unsubscribe
from api.views.workflows import (
    WorkflowCollection,
    WorkflowItem,
    WorkflowPublication,
    WorkflowVersionCollection,
    WorkflowVersionItem,
)

urlpatterns = [
    path("v1/notifications", NotificationCollection.as_view()),
    path("v1/notifications/bulk", NotificationBulk.as_view()),
    path("v1/inbox/messages", InboxMessages.as_view()),
    path("v1/inbox/counts", InboxCounts.as_view()),
    path("v1/inbox/events", InboxEvents.as_view()),
    path("v1/inbox/messages/<str:message_id>", InboxMessageItem.as_view()),
    path("v1/inbox/messages/<str:message_id>/<str:action>", InboxMessageAction.as_view()),
    path("v1/inbox/read-all", InboxReadAll.as_view()),
    path("v1/inbox/seen-all", InboxSeenAll.as_view()),
    path("v1/recipients/<str:recipient_id>/tokens", TokenCollection.as_view()),
    path("v1/recipients/<str:recipient_id>/tokens/revoke", TokenRevocation.as_view()),
    path("v1/recipients/<str:recipient_id>/export", RecipientExport.as_view()),
    path("v1/recipients/<str:recipient_id>/presence", RecipientPresence.as_view()),
    path("v1/recipients/<str:recipient_id>/preferences", RecipientPreferencesItem.as_view()),
    path("v1/recipients/<str:recipient_id>", RecipientItem.as_view()),
    path("v1/topics/<str:topic_key>/subscriptions", SubscriptionCollection.as_view()),
    path("v1/notifications/cancel", NotificationCancelByKey.as_view()),
    path("v1/notifications/<str:notification_id>", NotificationItem.as_view()),
    path("v1/notifications/<str:notification_id>/deliveries", NotificationDeliveries.as_view()),
    path("v1/notifications/<str:notification_id>/explain", NotificationExplain.as_view()),
    path("v1/notifications/<str:notification_id>/cancel", NotificationCancel.as_view()),
    path("v1/notifications/<str:notification_id>/acknowledge", NotificationAcknowledge.as_view()),
    path("v1/deliveries", DeliveryCollection.as_view()),
    path("v1/deliveries/replay", DeliveryReplay.as_view()),
    path("v1/deliveries/<str:delivery_id>", DeliveryItem.as_view()),
    path("v1/deliveries/<str:delivery_id>/retry", DeliveryRetry.as_view()),
    path("v1/recipients", RecipientCollection.as_view()),
    path("v1/recipients/<str:recipient_id>/endpoints", EndpointCollection.as_view()),
    path("v1/recipients/<str:recipient_id>/endpoints/<str:endpoint_id>", EndpointItem.as_view()),
    path("v1/recipients/<str:recipient_id>/endpoints/<str:endpoint_id>/deliveries", EndpointDeliveries.as_view()),
    path("v1/recipients/<str:recipient_id>/endpoints/<str:endpoint_id>/ping", EndpointPing.as_view()),
    path("v1/recipients/<str:recipient_id>/endpoints/<str:endpoint_id>/replay", EndpointReplay.as_view()),
    path("v1/recipients/<str:recipient_id>/endpoints/<str:endpoint_id>/rotate-secret", EndpointRotation.as_view()),
    path("v1/topics", TopicCollection.as_view()),
    path("v1/topics/<str:topic_key>", TopicItem.as_view()),
    path("v1/workflows", WorkflowCollection.as_view()),
    path("v1/workflows/<str:workflow_key>", WorkflowItem.as_view()),
    path("v1/workflows/<str:workflow_key>/versions", WorkflowVersionCollection.as_view()),
    path("v1/workflows/<str:workflow_key>/versions/<str:version_number>", WorkflowVersionItem.as_view()),
    path("v1/workflows/<str:workflow_key>/versions/<str:version_number>/publish", WorkflowPublication.as_view()),
    path("v1/templates", TemplateCollection.as_view()),
    path("v1/templates/preview", InlinePreview.as_view()),
    path("v1/templates/<str:template_key>", TemplateItem.as_view()),
    path("v1/templates/<str:template_key>/preview", TemplatePreview.as_view()),
    path("v1/templates/<str:template_key>/test-send", TemplateTestSend.as_view()),
    path("v1/templates/<str:template_key>/versions", TemplateVersions.as_view()),
    path("v1/templates/<str:template_key>/versions/<str:version_number>", TemplateVersionItem.as_view()),
    path("v1/templates/<str:template_key>/versions/<str:version_number>/publish", TemplateVersionPublication.as_view()),
    path("v1/events", EventCollection.as_view()),
    path("v1/events/endpoints", EventEndpointCollection.as_view()),
    path("v1/events/endpoints/<str:event_endpoint_key>", EventEndpointItem.as_view()),
    path("v1/events/<str:event_id>", EventItem.as_view()),
    path("v1/suppressions", SuppressionCollection.as_view()),
    path("v1/suppressions/<str:suppression_id>", SuppressionItem.as_view()),
    path("v1/callbacks", CallbackCollection.as_view()),
    path("v1/callbacks/<str:callback_id>", CallbackItem.as_view()),
    path("v1/callbacks/<str:callback_id>/events", CallbackEvents.as_view()),
    path("v1/project", ProjectItem.as_view()),
    path("v1/schedules", ScheduleCollection.as_view()),
    path("v1/schedules/<str:schedule_key>", ScheduleItem.as_view()),
    path("v1/schedules/<str:schedule_key>/occurrences", ScheduleOccurrences.as_view()),
    path("v1/schedules/<str:schedule_key>/run-now", ScheduleRunNow.as_view()),
    path("v1/api-keys", ApiKeyCollection.as_view()),
    path("v1/api-keys/<str:api_key_id>", ApiKeyItem.as_view()),
    path("v1/api-keys/<str:api_key_id>/rotate", ApiKeyRotation.as_view()),
    path("v1/stats", Stats.as_view()),
    path("v1/openapi.json", OpenApiDocument.as_view()),
    path("v1/docs", DocsPage.as_view()),
    path("v1/docs/<str:name>", DocsAsset.as_view()),
    path("u/<str:token>", unsubscribe),
    path("p/<str:token>", preference_page),
    path("k/<str:token>", acknowledge_page),
    path("healthz", Health.as_view()),
    path("readyz", Ready.as_view()),
    path("metrics", Metrics.as_view()),
]
