"""Any ASGI application on exactly the server that `deploy.web` runs: `python -m tests.bench.serve --fd N --app a:b`."""

import argparse
import socket

import uvicorn

from deploy.web import server_config


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="tests.bench.serve", description=__doc__)
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--app", required=True)
    arguments = parser.parse_args()
    listener = socket.socket(fileno=arguments.fd)
    listener.setblocking(False)
    config = server_config()
    config.app = arguments.app
    config.lifespan = "auto"
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
