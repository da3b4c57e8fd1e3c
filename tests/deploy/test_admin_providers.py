"""Mail servers in the admin: made, changed and looked at; a password goes in and never comes out."""

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.utils import timezone

from delivery.models import Provider
from delivery.provider_secrets import open_secrets, seal_secrets
from delivery.transports.email.servers import server_of
from delivery.transports.providers import ProviderConfig
from tests.deploy.operator import staff, superuser

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("static_names")]

ADD = "/admin/delivery/provider/add/"
LIST = "/admin/delivery/provider/"
FORM = {
    "name": "relay",
    "project": "",
    "position": "50",
    "enabled": "on",
    "host": "smtp.example.com",
    "port": "587",
    "security": "starttls",
    "verify": "on",
    "username": "me",
    "password": "correct-horse",
    "from_address": "shop@example.com",
    "max_connections": "2",
}


@pytest.fixture
def root(static_names: None) -> Client:
    return superuser()


@pytest.fixture
def relay(root: Client) -> Provider:
    assert root.post(ADD, FORM).status_code == 302
    return Provider.objects.get()


def page(provider: Provider) -> str:
    return f"{LIST}{provider.pk}/change/"


def config(provider: Provider) -> ProviderConfig:
    secrets = open_secrets(provider.sealed_secrets)
    return ProviderConfig(
        id=provider.pk, kind=provider.kind, name=provider.name, settings=provider.settings, secrets=secrets
    )


def test_what_the_form_says_is_what_the_transport_understands(relay: Provider) -> None:
    server = server_of(config(relay))
    assert (server.host, server.port, server.tls, server.starttls) == ("smtp.example.com", 587, False, True)
    assert (server.username, server.password) == ("me", "correct-horse")
    assert server.sender is not None and server.sender.spec == "shop@example.com"
    assert (server.max_connections, server.verify) == (2, True)
    assert (relay.channel, relay.kind, relay.origin) == ("email", "smtp", "admin")


def test_the_password_is_stored_sealed_and_never_shown(relay: Provider, root: Client) -> None:
    assert "correct-horse" not in f"{relay.sealed_secrets}{relay.settings}"
    for url in (LIST, page(relay), f"{LIST}{relay.pk}/history/"):
        assert b"correct-horse" not in root.get(url).content
        assert relay.sealed_secrets.encode() not in root.get(url).content


def test_an_empty_password_keeps_the_stored_one_and_no_user_takes_it_away(relay: Provider, root: Client) -> None:
    assert root.post(page(relay), {**FORM, "password": "", "position": "7"}).status_code == 302
    relay.refresh_from_db()
    assert (relay.position, open_secrets(relay.sealed_secrets)) == (7, {"password": "correct-horse"})
    assert root.post(page(relay), {**FORM, "username": "", "password": ""}).status_code == 302
    relay.refresh_from_db()
    assert (relay.sealed_secrets, "username" in relay.settings) == ("", False)


@pytest.mark.parametrize("moved", [{"host": "evil.example.com"}, {"port": "2525"}, {"security": "none"}], ids=str)
def test_a_stored_password_is_not_told_to_another_server(relay: Provider, root: Client, moved: dict[str, str]) -> None:
    answer = root.post(page(relay), {**FORM, **moved, "password": ""})
    assert answer.status_code == 200
    assert b"Enter the password again" in answer.content
    relay.refresh_from_db()
    assert server_of(config(relay)).host == FORM["host"]
    assert root.post(page(relay), {**FORM, **moved}).status_code == 302


@pytest.mark.parametrize(
    "wrong",
    [
        {"host": ""},
        {"host": "two words"},
        {"host": "evil\r\nhost"},
        {"port": "0"},
        {"port": "65536"},
        {"security": "magic"},
        {"username": "me", "password": ""},
        {"username": "", "password": "alone"},
        {"from_address": "nonsense"},
        {"from_address": "jörg@example.com"},
        {"max_connections": "0"},
        {"max_connections": "9"},
        {"name": ""},
    ],
    ids=str,
)
def test_nonsense_is_refused_and_stores_nothing(root: Client, wrong: dict[str, str]) -> None:
    answer = root.post(ADD, {**FORM, **wrong})
    assert answer.status_code == 200
    assert b"error" in answer.content
    assert b"correct-horse" not in answer.content
    assert not Provider.objects.exists()


def test_another_server_begins_in_good_health_and_a_new_position_changes_nothing(relay: Provider, root: Client) -> None:
    def pause() -> None:
        Provider.objects.update(
            state="paused", reason="authentication_refused", paused_until=timezone.now(), consecutive_failures=4
        )

    pause()
    root.post(page(relay), {**FORM, "password": "", "position": "3"})
    relay.refresh_from_db()
    assert (relay.state, relay.consecutive_failures, relay.health_version) == ("paused", 4, 0)
    root.post(page(relay), {**FORM, "password": "another"})
    relay.refresh_from_db()
    assert (relay.state, relay.paused_until, relay.consecutive_failures, relay.health_version) == (
        "healthy",
        None,
        0,
        1,
    )


def test_saving_does_not_undo_what_a_worker_wrote_meanwhile(relay: Provider, root: Client) -> None:
    Provider.objects.filter(pk=relay.pk).update(health_version=9, state="paused", reason="connect_failed")
    stale = Provider.objects.get(pk=relay.pk)
    Provider.objects.filter(pk=relay.pk).update(health_version=10, state="healthy", reason="")
    form_class = admin.site._registry[Provider].get_form(_request(root), stale, change=True)
    form = form_class({**FORM, "password": ""}, instance=stale)
    assert form.is_valid(), form.errors
    admin.site._registry[Provider].save_model(_request(root), form.save(commit=False), form, True)
    relay.refresh_from_db()
    assert (relay.health_version, relay.state) == (10, "healthy")


def test_try_again_is_heard_by_every_worker(relay: Provider, root: Client) -> None:
    Provider.objects.update(state="paused", reason="connect_failed", consecutive_failures=2, health_version=5)
    assert b"paused: connect_failed" in root.get(LIST).content
    root.post(LIST, {"action": "try_again", "_selected_action": [relay.pk]})
    relay.refresh_from_db()
    assert (relay.state, relay.health_version) == ("healthy", 6)


def test_the_environments_servers_are_looked_at_only(root: Client) -> None:
    row = Provider.objects.create(
        name="mx:25", origin="environment", settings={"host": "mx", "port": 25, "security": "none"}
    )
    assert b"mx:25" in root.get(page(row)).content
    assert root.post(page(row), FORM).status_code == 403
    assert root.post(f"{LIST}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    root.post(LIST, {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    assert Provider.objects.filter(pk=row.pk).exists()


def test_a_server_can_be_taken_away(relay: Provider, root: Client) -> None:
    assert root.post(f"{LIST}{relay.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Provider.objects.exists()


def test_who_may_only_look_changes_nothing(relay: Provider) -> None:
    client = staff("delivery.view_provider")
    assert client.get(page(relay)).status_code == 200
    assert client.post(page(relay), FORM).status_code == 403


def test_secrets_that_no_key_opens_are_asked_for_anew(relay: Provider, root: Client) -> None:
    Provider.objects.update(sealed_secrets="gAAAAAnonsense")
    assert root.get(page(relay)).status_code == 200
    assert root.post(page(relay), {**FORM, "password": ""}).status_code == 200
    assert root.post(page(relay), FORM).status_code == 302
    relay.refresh_from_db()
    assert open_secrets(relay.sealed_secrets) == {"password": "correct-horse"}


def test_the_first_page_tells_of_paused_servers(root: Client) -> None:
    Provider.objects.create(name="relay", state="paused", reason="connect_failed", sealed_secrets=seal_secrets({}))
    assert b"1 provider paused" in root.get("/admin/").content


def _request(client: Client) -> Any:
    return client.get(LIST).wsgi_request
