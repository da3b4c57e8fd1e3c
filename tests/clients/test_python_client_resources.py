"""Schedules, preferences, the project and its keys through the Python client."""

from carillon_client import Client
from carillon_client.api_keys import FreshApiKey

from tests.clients.asking import HELLO, finished
from tests.fixtures.platform import Platform


def test_a_schedule_is_made_run_paused_and_removed(client: Client) -> None:
    made = client.schedules.put(
        "weekly", cron="0 9 * * 1", timezone="Europe/Berlin", notification={"recipients": ["scheduled"], **HELLO}
    )
    assert made.next_at is not None and client.schedules.get("weekly") == made
    assert "weekly" in [schedule.key for schedule in client.schedules.list()]
    client.schedules.run_now("weekly")
    assert client.schedules.patch("weekly", paused=True).next_at is None
    assert len(client.schedules.occurrences("weekly", limit=3).upcoming) <= 3
    client.schedules.delete("weekly")


def test_preferences_are_put_patched_and_of_the_project(client: Client) -> None:
    client.recipients.put("choosy")
    put = client.preferences.put("choosy", channels={"sms": False}, categories={"news": {"email": False}})
    assert (put.channels, put.categories) == ({"sms": False}, {"news": {"email": False}})
    patched = client.preferences.patch("choosy", categories={"news": None})
    assert patched.categories == {} and client.preferences.get("choosy") == patched
    before = client.project.get()
    assert client.project.patch(timezone="Europe/Vienna").timezone == "Europe/Vienna"
    assert client.project.patch(timezone=before.timezone).timezone == before.timezone


def test_a_key_is_made_rotated_and_revoked(client: Client, service: Platform) -> None:
    made = client.api_keys.create("reporting", ["notifications:read", "notifications:write"])
    assert isinstance(made, FreshApiKey) and made.key not in repr(made)
    with Client(service.url, made.key) as other:
        sent = other.notifications.send(recipients=["keyed"], **HELLO)
    finished(client, sent.id)
    fresh = client.api_keys.rotate(made.id, overlap_seconds=0)
    assert fresh.key != made.key and fresh.scopes == made.scopes
    client.api_keys.revoke(fresh.id)
    assert client.api_keys.get(fresh.id).revoked_at is not None


def test_a_template_is_stored_previewed_and_sent(client: Client) -> None:
    first = client.templates.put("hello", {"default": {"default": {"title": "Hello {{ data.name }}", "body": "one"}}})
    said = client.templates.preview("hello", channel="in_app", data={"name": "Ada"})
    assert (said.title, said.body) == ("Hello Ada", "one")
    second = client.templates.put("hello", {"default": {"default": {"title": "Hi {{ data.name }}", "body": "two"}}})
    assert (first.version, second.version) == (1, 2)
    assert [version.number for version in client.templates.versions("hello")] == [2, 1]
    assert (
        client.templates.publish("hello", 1).variants == first.variants == client.templates.version("hello", 1).variants
    )
    inline = client.templates.preview_inline({"title": "{{ data.x }}", "body": "b"}, channel="in_app", data={"x": "y"})
    assert inline.title == "y"
    sent = client.templates.test_send("hello", "tester", channel="in_app", data={"name": "Bo"})
    finished(client, sent.id)
    client.templates.delete("hello")


def test_acknowledged_and_counted(client: Client) -> None:
    sent = client.notifications.send(recipients=["lead"], **HELLO)
    finished(client, sent.id)
    assert client.notifications.acknowledge(sent.id, recipient="lead").acknowledged_by == "lead"
    assert client.notifications.acknowledge(sent.id).acknowledged_by == "lead"
    counted = client.stats.get()
    assert sum(channel.count for channel in counted.deliveries) > 0 and counted.since < counted.until
