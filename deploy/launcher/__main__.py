"""`python -m deploy.launcher`: the whole platform in the foreground, until SIGTERM or Ctrl-C."""

import asyncio
import os
import socket
import sys

from deploy.config import ConfigError, environment
from deploy.launcher.console import say
from deploy.launcher.errors import StartError
from deploy.launcher.folders import lock_folder, make_private_folder
from deploy.launcher.lifecycle import Platform
from deploy.launcher.listening import open_listener
from deploy.launcher.options import Options, read_options
from deploy.secrets import Secrets, load_or_create


def main() -> int:
    """Exit status 0 after an asked-for stop, 2 for something the operator must change, 1 for everything else."""
    os.umask(0o077)
    try:
        options = read_options(environment)
        listener = open_listener(options.host, options.port)
        lock_folder(make_private_folder(options.data_dir))
        secrets = load_or_create(options.data_dir, environment)
        # The process's one loop; Django never runs in it.
        asyncio.run(_run(options, listener, secrets))  # noqa: TID251
    except ConfigError as error:
        say(f"cannot start: {error}")
        return 2
    except PermissionError as error:
        say(f"cannot start: {error.filename} cannot be read or written by this account (set CARILLON_DATA_DIR)")
        return 2
    except StartError as error:
        say(f"cannot start: {error}")
        return error.exit_status
    except KeyboardInterrupt:
        return 130
    return 0


async def _run(options: Options, listener: socket.socket, secrets: Secrets) -> None:
    await Platform(options, listener, secrets).run()


if __name__ == "__main__":
    sys.exit(main())
