"""Ends a connection whose client does not read: nothing that ASGI offers can."""

from typing import Any


def abort(send: Any) -> None:
    """Drop the connection behind an ASGI `send`, with what waits in its buffers.

    uvicorn's `send` waits while the client does not read, for the close frame as for any other, and its graceful close
    waits for the buffer to empty, so such a client would keep its memory as long as it likes. `send` is a method of
    uvicorn's protocol, which has the transport. With another server this does nothing and the server's limits hold.
    """
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is not None:
        transport.abort()
