"""The API's addresses; the hottest first, because the resolver tries them in order."""

from django.urls import path

from api.views.notifications import NotificationBulk, NotificationCollection

urlpatterns = [
    path("v1/notifications", NotificationCollection.as_view()),
    path("v1/notifications/bulk", NotificationBulk.as_view()),
]
