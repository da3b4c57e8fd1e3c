"""Addresses of the pages for people; mounted at the root by `deploy/urls.py`."""

from django.urls import path

from deploy.pages import demo, mail, start

urlpatterns = [
    path("", start.start, name="start"),
    path("favicon.ico", start.favicon),
    path("demo", demo.demo, name="demo"),
    path("demo/token", demo.token, name="demo-token"),
    path("demo/notifications", demo.send, name="demo-send"),
    path("demo/notifications/<str:public_id>", demo.deliveries, name="demo-deliveries"),
    path("demo/scenes/<str:key>", demo.scene, name="demo-scene"),
    path("demo/stories/<str:public_id>", demo.story, name="demo-story"),
    path("demo/stories/<str:public_id>/acknowledge", demo.acknowledge, name="demo-acknowledge"),
    path("demo/mail", demo.mail, name="demo-mail"),
    path("dev/mail", mail.mail_list, name="dev-mail"),
    path("dev/mail/<str:name>", mail.mail_page, name="dev-mail-page"),
    path("dev/mail/<str:name>/html", mail.mail_html, name="dev-mail-html"),
    path("dev/mail/<str:name>/source", mail.mail_source, name="dev-mail-source"),
]
