"""Servers that offer PIPELINING (RFC 2920) get the commands of a transaction at once, and are heard out."""

import asyncio

import pytest

from delivery.transports.base import PermanentFailure, ProviderFailure, TemporaryFailure
from tests.delivery.transports.email.sending import failure_with, transport_to
from tests.delivery.transports.outbounds import make_outbound
from tests.delivery.transports.servers import CLOSE, Handle, mail_server, smtp_script, tcp_server

OFFER = b"250-mx\r\n250 PIPELINING\r\n"


def group_server(*answers: bytes, seen: list[bytes], messages: list[bytes], extra: bytes = b"") -> Handle:
    """Answers nothing before the whole group is there; `answers` are for MAIL, RCPT and DATA of the first transaction."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mx\r\n")
        await reader.readuntil(b"\r\n")
        writer.write(OFFER)
        script = answers
        while True:
            line = await reader.readuntil(b"\r\n")
            if line.upper() == b"RSET\r\n":
                seen.append(line)
                writer.write(b"250 clean\r\n")
                continue
            group = [line, *[await reader.readuntil(b"\r\n") for _ in range(2)]]
            seen.extend(line.split(b":")[0].strip() for line in group)
            writer.write(b"".join(script))
            if script[-1].startswith(b"354"):
                message = b""
                while not (message == b".\r\n" or message.endswith(b"\r\n.\r\n")):
                    message += await reader.readuntil(b"\r\n")
                messages.append(message)
                writer.write(b"554 no valid recipients\r\n" if message == b".\r\n" else b"250 taken\r\n" + extra)
            script = (b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n")

    return handle


async def test_the_commands_of_a_transaction_go_out_together() -> None:
    seen: list[bytes] = []
    messages: list[bytes] = []
    server = group_server(b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n", seen=seen, messages=messages)
    async with tcp_server(server) as tcp, transport_to(tcp.port) as transport:
        receipt = await transport.send(transport.render(make_outbound()))
    assert seen == [b"MAIL FROM", b"RCPT TO", b"DATA"]
    assert receipt.response["text"] == "taken"
    assert len(messages) == 1


@pytest.mark.parametrize("data", [b"503 need RCPT\r\n", b"354 go on\r\n"])
async def test_a_refused_recipient_leaves_the_connection_usable(data: bytes) -> None:
    """Also when the server wants a message for nobody: it gets an empty one."""
    seen: list[bytes] = []
    messages: list[bytes] = []
    script = group_server(b"250 ok\r\n", b"550 5.1.1 no such user\r\n", data, seen=seen, messages=messages)
    async with tcp_server(script) as tcp, transport_to(tcp.port, max_connections=1) as transport:
        payload = transport.render(make_outbound())
        with pytest.raises(PermanentFailure, match="invalid_recipient"):
            await transport.send(payload)
        await transport.send(payload)
    assert seen == [b"MAIL FROM", b"RCPT TO", b"DATA", b"RSET\r\n", b"MAIL FROM", b"RCPT TO", b"DATA"]
    assert len(messages[-1]) > len(b".\r\n")
    assert messages[:-1] == ([b".\r\n"] if data.startswith(b"354") else [])


async def test_the_first_refusal_counts() -> None:
    failure = await failure_with(
        group_server(b"553 5.1.8 bad sender\r\n", b"503 need MAIL\r\n", b"503 need MAIL\r\n", seen=[], messages=[])
    )
    assert isinstance(failure, PermanentFailure)
    assert failure.reason == "sender_refused"


@pytest.mark.parametrize(
    ("answers", "kind", "reason"),
    [
        ({"RCPT": CLOSE}, TemporaryFailure, "connection_lost"),
        ({"RCPT": b"nonsense\r\n"}, TemporaryFailure, "bad_response"),
        ({"RCPT": b"250-" + b"x" * 70_000}, TemporaryFailure, "bad_response"),
        ({"RCPT": b"421 4.3.2 shutting down\r\n"}, ProviderFailure, "server_unavailable"),
        ({"DATA": CLOSE}, TemporaryFailure, "connection_lost"),
    ],
)
async def test_rude_servers(answers: dict[str, bytes], kind: type[TemporaryFailure], reason: str) -> None:
    failure = await failure_with(smtp_script(EHLO=OFFER, **answers))
    assert type(failure) is kind
    assert failure.reason == reason


async def test_a_reply_nobody_asked_for_ends_the_connection() -> None:
    """It would be taken for the answer to the next command."""
    seen: list[bytes] = []
    messages: list[bytes] = []
    handle = group_server(
        b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n", seen=seen, messages=messages, extra=b"250 and more\r\n"
    )
    connections = 0

    async def counting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await handle(reader, writer)

    async with tcp_server(counting) as tcp, transport_to(tcp.port, max_connections=1) as transport:
        payload = transport.render(make_outbound())
        await transport.send(payload)
        await transport.send(payload)
    assert (connections, len(messages)) == (2, 2)


async def test_a_real_server_takes_many_on_one_connection() -> None:
    async with mail_server() as server, transport_to(server.port, max_connections=1) as transport:
        server.mailbox.offers.append("PIPELINING")
        payload = transport.render(make_outbound())
        for _ in range(5):
            await transport.send(payload)
        assert len(server.transports) == 1
    assert len(server.mailbox.envelopes) == 5
