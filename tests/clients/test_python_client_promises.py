"""What the client's README and types promise, and that it covers the API that the platform describes."""

import contextlib
import inspect
import io
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import carillon_client
import httpx
import pytest
from carillon_client import CarillonError, Client, Inbox, RetryPolicy
from carillon_client.operations import listing, operation

from tests.clients.conftest import FOLDER
from tests.fixtures.platform import ROOT, Platform

README = (FOLDER / "README.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
ADDRESS = "http://127.0.0.1:8000"

# For who reports, and the documents.
LEFT_OUT = re.compile(r" /v1/(callbacks/\{\w+\}/events|openapi\.json|asyncapi\.json|docs.*)$")

TYPED = """
from typing import assert_type
from carillon_client import AsyncClient, Client
from carillon_client.drivers import Pages
from carillon_client.errors import Problem
from carillon_client.results import Accepted, Delivery, Notification

def sync(client: Client) -> None:
    send = client.notifications.send
    assert_type(send(recipients=["u1", {"topic": "t"}, {"id": "u2", "name": None}], content={"title": "x"}), Accepted)
    assert_type(client.notifications.list(page_size=2), Pages[Notification])
    assert_type([row for row in client.deliveries.list(state="failed")], list[Delivery])
    assert_type(client.notifications.send_many([{"recipients": ["u1"]}]), tuple[Accepted | Problem, ...])
    assert_type(client.recipients.delete("u1"), None)

async def in_asyncio(client: AsyncClient) -> None:
    assert_type(await client.notifications.send(recipients=["u1"], idempotency_key="k"), Accepted)
    async for notification in client.notifications.list():
        assert_type(notification, Notification)

def wrong(client: Client, aclient: AsyncClient) -> None:
    client.notifications.send(content={"title": "x"})
    client.notifications.send(recipients=["u1"], contents={"title": "x"})
    client.recipients.patch("u1", email=1)
    client.notifications.get(1)
    aclient.notifications.get("ntf_1").id
"""
WRONG_LINES = range(TYPED[: TYPED.index("def wrong")].count("\n") + 2, TYPED.count("\n") + 1)


def test_the_readme_has_its_examples() -> None:
    assert len(BLOCKS) == README.count("```python") == 6


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_the_examples_of_the_readme_run(number: int, service: Platform) -> None:
    code = BLOCKS[number].replace(ADDRESS, service.url)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(code, f"README.md, example {number + 1}", "exec"), {"api_key": service.api_key})
    expected = ["accepted", "", "", "/email .*\nno such notification", r"\d+ unread, at Position\(", ""][number]
    assert re.search(expected, said.getvalue()), said.getvalue()


def test_the_readme_lists_every_method() -> None:
    with Client(ADDRESS, "k" * 32) as client:
        for attribute, resource in vars(client).items():
            if attribute.startswith("_"):
                continue
            row = next(line for line in README.splitlines() if line.startswith(f"| `{attribute}` |"))
            missing = [name for name in methods_of(resource) if f"`{name}`" not in row]
            assert not missing, (attribute, missing)


def test_types_are_told_and_mistakes_found(tmp_path: Path) -> None:
    (tmp_path / "sample.py").write_text(TYPED)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={tmp_path}/cache", "sample.py"],
        cwd=tmp_path,
        env={"MYPYPATH": str(FOLDER / "src"), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    found = [int(number) for number in re.findall(r"^sample\.py:(\d+): error", done.stdout, re.MULTILINE)]
    assert found == list(WRONG_LINES), done.stdout + done.stderr


def test_the_platform_does_not_use_its_client() -> None:
    users = [
        str(path)
        for package in ("notifications", "schedules", "delivery", "api", "consumers", "deploy")
        for path in (ROOT / package).rglob("*.py")
        if FOLDER not in path.parents and "carillon_client" in path.read_text()
    ]
    assert users == []


def test_the_package_says_what_it_needs() -> None:
    project = tomllib.loads((FOLDER / "pyproject.toml").read_text())["project"]
    assert (project["name"], project["license"]) == ("carillon-client", "Apache-2.0")
    assert [re.split(r"[<>=; ]", each)[0] for each in project["dependencies"]] == [
        "httpx",
        "msgspec",
        "typing-extensions",
    ]
    assert re.fullmatch(r"\d+\.\d+\.\d+", carillon_client.__version__)
    assert (FOLDER / "src" / "carillon_client" / "py.typed").is_file()


def test_every_operation_of_the_api_has_a_method(service: Platform) -> None:
    document = service.http.get("/v1/openapi.json").json()
    described = {
        f"{verb.upper()} {path}"
        for path, item in document["paths"].items()
        for verb in item
        if path.startswith("/v1/") and verb in ("get", "post", "put", "patch", "delete")
    }
    described = {each for each in described if not LEFT_OUT.search(each)}
    called = {template_of(request, described) for request in every_request()}
    assert called == described


def every_request() -> list[httpx.Request]:
    """What each method of the client asks, with the word `x` for every argument."""
    asked: list[httpx.Request] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(400)

    with httpx.Client(transport=httpx.MockTransport(refuse)) as http:
        once = RetryPolicy(attempts=1)
        client = Client(ADDRESS, "k" * 32, retries=once, http=http)
        resources = [resource for attribute, resource in vars(client).items() if not attribute.startswith("_")]
        for resource in (*resources, Inbox(ADDRESS, "t" * 32, retries=once, http=http)):
            for name in methods_of(resource):
                with contextlib.suppress(CarillonError):
                    answer = call_somehow(getattr(resource, name))
                    next(iter(answer))
    return asked


def call_somehow(method: Any) -> Any:
    """With what it needs, and no more."""
    needed = [each for each in inspect.signature(method).parameters.values() if each.default is each.empty]
    return method(
        *("x" for each in needed if each.kind is each.POSITIONAL_OR_KEYWORD and each.name != "self"),
        **{each.name: "x" for each in needed if each.kind is each.KEYWORD_ONLY},
    )


def methods_of(resource: Any) -> list[str]:
    """The operations and listings; what else a resource has is made of them."""
    kind = type(resource)
    return [name for name in dir(kind) if isinstance(getattr(kind, name), operation | listing)]


def template_of(request: httpx.Request, described: set[str]) -> str:
    """The described operation that a request is, literal parts before variable ones; else the request itself."""
    asked = f"{request.method} {request.url.path}"
    fitting = [each for each in described if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", each), asked)]
    return min(fitting, key=lambda each: each.count("{"), default=asked)
