"""Mail servers in the database, as engines use them: real PostgreSQL, real SMTP servers that come and go."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from aiosmtpd.smtp import AuthResult

from delivery.conf import DeliveryConf, TransportSettings
from delivery.engine import Engine
from delivery.models import Provider
from delivery.provider_secrets import seal_secrets
from delivery.retries import MAX_AGE
from delivery.transports.email.conf import EmailConf
from notifications.canary import verify_key
from notifications.executor import in_thread
from notifications.models import Project
from tests.delivery.transports.servers import MailServer, free_port, mail_server, smtp_script, tcp_server
from tests.delivery.world import World, until

ADA = {"id": "u1", "email": "ada@example.com"}


def conf(*ports: int, is_catcher: bool = False, **changes: Any) -> DeliveryConf:
    values = {
        "server_pause_seconds": 0.2,
        "max_server_pause_seconds": 0.4,
        "authentication_pause_seconds": 30,
        **changes,
    }
    email = EmailConf(
        smtp_urls=",".join(f"smtp://127.0.0.1:{port}" for port in ports),
        is_catcher=is_catcher,
        from_address="c@example.org",
        **values,
    )
    return DeliveryConf(
        transports={"email": TransportSettings(path="delivery.transports.email.transport.EmailTransport", conf=email)},
        sweep_seconds=0.05,
        provider_look_seconds=0.1,
        provider_pause_seconds=0.1,
        retry_seconds={"email": (0.1, 0.1, 0.1)},
    )


@contextlib.asynccontextmanager
async def running(conf: DeliveryConf) -> AsyncIterator[Engine]:
    engine = Engine(conf)
    await engine.start()
    try:
        yield engine
    finally:
        await engine.stop()


async def add(name: str, port: int, **fields: Any) -> Provider:
    """A server as the admin stores it."""
    password = fields.pop("password", None)
    settings = {"host": "127.0.0.1", "port": port, "security": "none", **fields.pop("settings", {})}
    sealed = seal_secrets({"password": password}) if password else ""
    return await in_thread(
        lambda: Provider.objects.create(name=name, settings=settings, sealed_secrets=sealed, **fields)
    )


async def row(world: World, name: str) -> dict[str, Any]:
    (found,) = await world.rows("SELECT * FROM delivery_provider WHERE name = %s", name)
    return found


async def wait_for_provider(world: World, name: str, **values: Any) -> dict[str, Any]:
    async def reached() -> dict[str, Any] | None:
        found = await world.rows("SELECT * FROM delivery_provider WHERE name = %s", name)
        return found[0] if found and all(found[0][key] == value for key, value in values.items()) else None

    return await until(reached, what=f"{name} with {values}")


async def send(world: World, **more: Any) -> dict[str, Any]:
    """One mail, sent: its delivery."""
    notification = await world.accept([ADA], ["email"], **more)
    (delivery,) = await world.wait_for_states(notification, "sent", "failed", "expired")
    assert delivery["state"] == "sent"
    return delivery


async def mailed_by(world: World, delivery: dict[str, Any]) -> str:
    return str((await world.attempts(delivery["id"]))[-1]["response"]["provider"])


async def test_the_servers_of_the_environment_have_a_row_without_their_password(world: World) -> None:
    async with mail_server() as server:
        async with running(conf(server.port)):
            name = f"127.0.0.1:{server.port}"
            await wait_for_provider(world, name, origin="environment", state="healthy", position=100)
            assert await mailed_by(world, await send(world)) == name
            proven = await wait_for_provider(world, name, health_version=0)
        async with running(conf(server.port)):
            await send(world)
        assert (await row(world, name))["id"] == proven["id"]


async def test_a_server_that_is_added_changed_and_disabled_is_followed_without_a_restart(world: World) -> None:
    async with mail_server() as env, mail_server() as first, mail_server() as second, running(conf(env.port)):
        await send(world)
        provider = await add("relay", first.port)
        await switched(world, first)
        settings = {**provider.settings, "port": second.port, "from_address": "shop@example.org"}
        await in_thread(lambda: Provider.objects.filter(pk=provider.pk).update(settings=settings))
        await switched(world, second)
        assert second.mailbox.envelopes[-1].mail_from == "shop@example.org"
        await in_thread(lambda: Provider.objects.filter(pk=provider.pk).update(enabled=False))
        await switched(world, env)


async def switched(world: World, server: MailServer) -> None:
    """Mails are sent until one of them goes by this server, and then stay with it."""
    before = len(server.mailbox.envelopes)

    async def uses() -> bool:
        await send(world)
        return len(server.mailbox.envelopes) > before

    await until(uses, what="the server to be used")
    before = len(server.mailbox.envelopes)
    await send(world)
    assert len(server.mailbox.envelopes) == before + 1


async def test_nothing_goes_to_the_catcher_once_there_is_a_real_server(world: World) -> None:
    async with mail_server() as catcher, mail_server() as relay:
        await add("relay", relay.port, position=500)
        async with running(conf(catcher.port, is_catcher=True)):
            await send(world)
        assert (len(catcher.mailbox.envelopes), len(relay.mailbox.envelopes)) == (0, 1)


async def test_a_projects_own_server_serves_it_and_nobody_else(world: World) -> None:
    other = await in_thread(lambda: Project.objects.create(name="other"))
    async with mail_server() as env, mail_server() as own:
        await add("own", own.port, project_id=world.project_id, position=900)
        async with running(conf(env.port)):
            assert await mailed_by(world, await send(world)) == "own"
            theirs = World(world.connection, other.id)
            notification = await theirs.accept([ADA], ["email"])
            (delivery,) = await theirs.wait_for_states(notification, "sent")
            assert await mailed_by(theirs, delivery) == f"127.0.0.1:{env.port}"


async def test_when_every_server_is_away_deliveries_wait_without_an_attempt_and_go_out_when_one_is_back(
    world: World,
) -> None:
    first, second = free_port(), free_port()
    async with running(conf(first, second)):
        await world.accept([ADA], ["email"])
        for port in (first, second):
            await wait_for_provider(world, f"127.0.0.1:{port}", state="paused", reason="connect_failed")
        await world.accept_many([[ADA]] * 50, ["email"])
        await until(lambda: failures(world, 4), what="several probes")
        (used,) = await world.rows(
            "SELECT sum(attempt_count) AS attempts, max(retry_step) AS step FROM delivery_delivery"
        )
        assert used["step"] == 0
        assert used["attempts"] < 40, "51 deliveries waited; only probes were attempts"
        async with mail_server(second) as server:
            rows = await world.wait_for_states(None, "sent")
            assert len(rows) == len(server.mailbox.envelopes) == 51
            await wait_for_provider(world, f"127.0.0.1:{second}", state="healthy", consecutive_failures=0)
    assert (await row(world, f"127.0.0.1:{first}"))["state"] == "paused"


async def failures(world: World, least: int) -> bool:
    rows = await world.rows("SELECT min(consecutive_failures) AS n FROM delivery_provider")
    return (rows[0]["n"] or 0) >= least


async def test_what_waits_too_long_or_past_its_time_ends_while_all_servers_are_away(world: World) -> None:
    async with running(conf(free_port(), server_pause_seconds=600, max_server_pause_seconds=600)):
        await world.accept([ADA], ["email"])
        await until(lambda: failures(world, 1), what="the server to be paused")
        old, brief, patient = await world.accept_many([[ADA]] * 3, ["email"])
        await world.wait_for_states(patient, "queued")
        await world.connection.execute(
            "UPDATE delivery_delivery SET created_at = now() - %s WHERE notification_id = %s",
            (MAX_AGE + timedelta(minutes=1), old),
        )
        await world.connection.execute(
            "UPDATE delivery_delivery SET expires_at = now() WHERE notification_id = %s", (brief,)
        )
        assert (await world.wait_for_states(old, "failed"))[0]["reason"] == "retried_too_long"
        assert (await world.wait_for_states(brief, "expired"))[0]["reason"] == "expires_at_passed"
        waiting = await world.delivery(patient)
        assert (waiting["state"], waiting["attempt_count"]) == ("queued", 0)


async def test_a_refused_login_is_noted_and_costs_no_delivery_anything(world: World) -> None:
    def authenticate(*words: Any) -> AuthResult:
        return AuthResult(success=words[-1].password == b"right", handled=False)

    async with (
        mail_server(auth_require_tls=False, authenticator=authenticate) as strict,
        mail_server() as second,
        running(conf(second.port)),
    ):
        provider = await add("strict", strict.port, settings={"username": "me"}, password="wrong")
        await until(lambda: reason_of(world, "strict", "authentication_refused"), what="the refusal to be noted")
        delivery = await send(world)
        assert (delivery["attempt_count"], await mailed_by(world, delivery)) == (1, f"127.0.0.1:{second.port}")
        sealed = seal_secrets({"password": "right"})
        await in_thread(lambda: Provider.objects.filter(pk=provider.pk).update(sealed_secrets=sealed))
        await switched(world, strict)


async def reason_of(world: World, name: str, reason: str) -> bool:
    await send(world)
    return bool((await row(world, name))["reason"] == reason)


async def test_what_one_engine_finds_out_the_other_believes(world: World) -> None:
    async with tcp_server(smtp_script(greeting=b"421 4.3.2 no\r\n")) as bad, mail_server() as good:
        settings = conf(bad.port, good.port, server_pause_seconds=600, max_server_pause_seconds=600)
        async with running(settings):
            await send(world)
            paused = await wait_for_provider(world, f"127.0.0.1:{bad.port}", state="paused", consecutive_failures=1)
        asked = bad.connections
        async with running(settings):
            for _ in range(3):
                await send(world)
            assert bad.connections == asked, "a fresh engine does not ask it again"
            await world.connection.execute(
                "UPDATE delivery_provider SET state = 'healthy', paused_until = NULL, reason = '',"
                " health_version = health_version + 1 WHERE id = %s",
                (paused["id"],),
            )

            async def asked_again() -> bool:
                await send(world)
                return bad.connections > asked

            await until(asked_again, what="an operator's word to be heard")


async def test_health_is_written_when_it_changes_and_never_per_mail(world: World) -> None:
    async with mail_server() as server, running(conf(server.port)):
        await send(world)

        async def proven() -> bool:
            return (await row(world, f"127.0.0.1:{server.port}"))["last_success_at"] is not None

        await until(proven, what="the first success to be noted")
        (before,) = await world.rows("SELECT xmin::text FROM delivery_provider")
        await world.accept_many([[ADA]] * 30, ["email"])
        await world.wait_for_states(None, "sent")
        await asyncio.sleep(0.5)
        assert await world.rows("SELECT xmin::text FROM delivery_provider") == [before]


async def test_a_server_whose_secrets_cannot_be_opened_is_passed_over_and_named(world: World) -> None:
    await asyncio.to_thread(verify_key)  # the keys themselves are right
    async with mail_server() as env, mail_server() as mended:
        provider = await add("broken", mended.port, settings={"username": "me"})
        await in_thread(lambda: Provider.objects.filter(pk=provider.pk).update(sealed_secrets="gAAAAAnonsense"))
        async with running(conf(env.port)):
            await wait_for_provider(world, "broken", state="paused", reason="cannot_be_used")
            await send(world)
            good = {"host": "127.0.0.1", "port": mended.port, "security": "none"}
            await in_thread(lambda: Provider.objects.filter(pk=provider.pk).update(sealed_secrets="", settings=good))
            await switched(world, mended)
            await wait_for_provider(world, "broken", state="healthy", reason="")


async def test_changes_are_written_once_the_database_is_there_again(world: World) -> None:
    clients = "FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
    ours = [row["pid"] for row in await world.rows(f"SELECT pid {clients}")]
    async with (
        tcp_server(smtp_script(greeting=b"421 no\r\n")) as bad,
        mail_server() as good,
        running(conf(bad.port, good.port)),
    ):
        await send(world)
        await world.connection.execute(f"SELECT pg_terminate_backend(pid) {clients} AND pid <> ALL(%s)", (ours,))
        await send(world)
        await wait_for_provider(world, f"127.0.0.1:{bad.port}", state="paused")


def test_ids_of_the_environments_servers_never_change() -> None:
    from delivery.transports.email.servers import standing_providers

    first, second = standing_providers("smtp://me:secret@mx.example:587,smtp://mx.example:587", want_of_better=False)
    assert (first.id, second.id) == (
        UUID("8ee13a46-4360-59e5-abd5-46e69875c2a1"),
        UUID("38a4beb7-f94e-5bd6-9683-beb72caaef8f"),
    )
