"""The SMTP listener for bounces: 250 once it is committed."""

import asyncio

import aiosmtplib
import pytest

from deploy.bounces.listener import MOST_CONNECTIONS, start_bounce_listener
from tests.delivery.feedback.conftest import Send
from tests.delivery.feedback.samples import sample
from tests.delivery.world import World


async def test_a_bounce_by_smtp_is_committed_when_it_is_answered(world: World, send: Send) -> None:
    delivery = await send()
    server = await start_bounce_listener("127.0.0.1", 0, address="Bounces@example.org")
    port = server.sockets[0].getsockname()[1]
    try:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
            for mail in (sample("postfix_failed", delivery), b"Subject: spam\r\n\r\nbuy\r\n"):
                await client.sendmail("", ["bounces@EXAMPLE.org"], mail)
            with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
                await client.sendmail("", ["somebody@example.org"], b"Subject: x\r\n\r\nx\r\n")
            with pytest.raises(aiosmtplib.SMTPDataError) as refused:
                await client.sendmail("ada@example.com", ["bounces@example.org"], b"Subject: hello\r\n\r\nhi\r\n")
            assert (refused.value.code, refused.value.message[:5]) == (550, "5.7.1")
            assert (await client.ehlo()).message.startswith("example.org")
    finally:
        server.close()
    (row,) = await world.rows("SELECT state, reason FROM delivery_delivery")
    assert (row["state"], row["reason"]) == ("failed", "bounced")
    assert len(await world.rows("SELECT FROM notifications_suppression")) == 1


async def test_more_connections_than_it_has_room_for_are_refused(world: World) -> None:
    server = await start_bounce_listener("127.0.0.1", 0, address="bounces@example.org")
    port = server.sockets[0].getsockname()[1]
    open_ones = []
    try:
        for _ in range(MOST_CONNECTIONS):
            open_ones.append(await asyncio.open_connection("127.0.0.1", port))
            assert (await open_ones[-1][0].readline()).startswith(b"220 example.org")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert b"421 4.3.2" in await reader.read()
        writer.close()
    finally:
        for _, writer in open_ones:
            writer.close()
        server.close()
