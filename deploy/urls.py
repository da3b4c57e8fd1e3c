"""Addresses of the pages, served by Django's stock handler; the API's are in `api/urls.py`."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("deploy.pages.urls")),
]
