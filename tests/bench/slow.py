"""A view that waits 100 ms for something else, with 1 000 requests at once: on the event loop, and on threads."""

import time

from tests.bench.load import Load, finish_load, start_load
from tests.bench.processes import HttpServer, child_environment, new_data_dir, open_listener, python, tree_memory_mb
from tests.bench.report import Bench
from tests.fixtures.platform import remove_data

CONNECTIONS = 1000
SERVERS = {
    "slow view": ["-m", "tests.bench.serve", "--app", "tests.bench.slow_servers:application"],
    "slow view: threads": ["-m", "tests.bench.slow_servers"],
}


def measure(bench: Bench) -> None:
    """Both ways serve the same Django with the same (empty) settings; memory is read in the middle of the load."""
    folder = new_data_dir()
    servers: dict[str, HttpServer] = {}
    try:
        for name, arguments in SERVERS.items():
            listener = open_listener("127.0.0.1", 0)
            fd = listener.fileno()
            servers[name] = HttpServer(
                python(name.replace(": ", "-"), [*arguments, "--fd", str(fd)], child_environment({}), (fd,)),
                listener,
                folder,
            )
            servers[name].wait_until_answering("/slow")
        for number in bench.rounds("slow", 3):
            for name, server in servers.items():
                _measure_one(bench, name, server)
                bench.say(f"slow view, round {number}: {name} {bench.series[name].values[-1]:,.0f}/s")
    finally:
        for server in servers.values():
            server.child.stop()
        remove_data(folder)
    bench.compare("slow view", "slow view: threads")
    bench.compare("slow view memory", "slow view memory: threads")


def _measure_one(bench: Bench, name: str, server: HttpServer) -> None:
    seconds = 3.0 if bench.quick else 6.0
    load = Load(
        host=server.host,
        port=server.port,
        path="/slow",
        method="GET",
        connections=CONNECTIONS,
        expected_status=200,
        warm_up_seconds=2.0,
        seconds=seconds,
    )
    with start_load(load) as process:
        time.sleep(load.warm_up_seconds + seconds / 2)
        memory = sum(tree_memory_mb(server.child.pid).values())
        result = finish_load(process)
    server.child.assert_running()
    bench.add(name, "requests/s", result.per_second)
    bench.note(name, "p50 ms", result.p50_ms)
    bench.note(name, "p99 ms", result.p99_ms)
    bench.add(name.replace("view", "view memory"), "MB PSS", memory)
