"""The SMTP listener for bounces: 250 once it is committed."""

import aiosmtplib
import pytest

from deploy.bounces.listener import start_bounce_listener
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
    finally:
        server.close()
    (row,) = await world.rows("SELECT state, reason FROM delivery_delivery")
    assert (row["state"], row["reason"]) == ("failed", "bounced")
    assert len(await world.rows("SELECT FROM notifications_suppression")) == 1
