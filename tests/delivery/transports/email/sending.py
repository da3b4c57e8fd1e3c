"""Email transports to servers on this machine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from delivery.transports.base import (
    DeliveryError,
)
from delivery.transports.email.conf import EmailConf
from delivery.transports.email.transport import EmailTransport
from tests.delivery.transports.outbounds import make_outbound
from tests.delivery.transports.servers import Handle, tcp_server

PASSWORD = "correct-horse-battery"


def make_transport(*ports: int, query: str = "", **changes: Any) -> EmailTransport:
    urls = ",".join(f"smtp://127.0.0.1:{port}{query}" for port in ports)
    return EmailTransport(EmailConf(smtp_urls=urls, from_address="no-reply@carillon.example", **changes))


@asynccontextmanager
async def transport_to(*ports: int, **changes: Any) -> AsyncIterator[EmailTransport]:
    transport = make_transport(*ports, **changes)
    try:
        yield transport
    finally:
        await transport.aclose()


async def failure_with(handle: Handle, **changes: Any) -> DeliveryError:
    """What a send to this scripted server ends in."""
    async with tcp_server(handle) as server, transport_to(server.port, **changes) as transport:
        with pytest.raises(DeliveryError) as caught:
            await transport.send(transport.render(make_outbound()))
        return caught.value
