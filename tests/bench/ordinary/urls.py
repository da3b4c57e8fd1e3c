"""One address."""

from django.urls import path

from tests.bench.ordinary.views import NotificationView

urlpatterns = [path("v1/notifications", NotificationView.as_view())]
