"""The listening socket: opened before anything else starts, shared by all web processes, kept while they restart."""

import errno
import ipaddress
import socket

from deploy.launcher.errors import StartError

BACKLOG = 4096


def open_listener(host: str, port: int) -> socket.socket:
    """Listen on `host` and `port` (0: any free one). Listening, not just bound: else two starts could share a port."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise StartError(f"HOST: {host!r} is not an address of this machine: {error}", exit_status=2) from error
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise StartError(_explain(error, host, port), exit_status=2) from error
    return listener


def _explain(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is in use by another program: stop it, or choose another with PORT=<number>"
    if error.errno == errno.EACCES:
        return f"port {port} needs more rights than this account has: choose one above 1023 with PORT=<number>"
    return f"cannot listen on {host}, port {port} (HOST, PORT): {error.strerror}"


def reachable_address(listener: socket.socket) -> tuple[str, int]:
    """An address at which this machine reaches the listener."""
    host, port = listener.getsockname()[:2]
    address = ipaddress.ip_address(host.split("%")[0])
    if address.is_unspecified:
        return ("::1" if address.version == 6 else "127.0.0.1"), port
    return host, port


def base_url(listener: socket.socket) -> str:
    """The URL to paste into a browser on this machine."""
    host, port = reachable_address(listener)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
