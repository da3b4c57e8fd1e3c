"""The AsyncAPI document says what the socket does: real frames fit the schemas it gives."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from consumers.asyncapi import build_document
from consumers.codes import CloseCode
from consumers.frames import COMMANDS, parse_command
from notifications.inbox.publish import publish
from tests.consumers.conftest import MakeClient
from tests.consumers.inbox import Owner

DOCUMENT = build_document(version="0.1.0")


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, child in value.items():
            if name == "$ref":
                yield child
            else:
                yield from references(child)
    elif isinstance(value, list):
        for child in value:
            yield from references(child)


def check(name: str, frame: Any) -> None:
    schema = {**DOCUMENT["components"]["messages"][name]["payload"], "components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(schema).validate(frame)


def test_is_json_and_every_reference_leads_somewhere() -> None:
    document = json.loads(json.dumps(DOCUMENT))
    for reference in references(document):
        target = document
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]
    assert set(COMMANDS) < set(document["components"]["messages"])
    assert all(str(code.value) in document["info"]["description"] for code in CloseCode)


@pytest.mark.parametrize(
    "name", [name for name, each in DOCUMENT["components"]["messages"].items() if "examples" in each]
)
def test_examples_fit(name: str) -> None:
    for example in DOCUMENT["components"]["messages"][name]["examples"]:
        check(name, example["payload"])
    if name in COMMANDS:
        assert parse_command(json.dumps(example["payload"])).name == name


async def test_real_frames_fit(owner: Owner, open_socket: MakeClient) -> None:
    client = await open_socket()
    connect = {"id": 1, "connect": {"token": owner.token(), "since": {"epoch": "x", "offset": 1}}}
    check("connect", connect)
    check("connected", await client.ask(connect))
    await publish(await owner.append())
    await client.follow_to(1)
    check("change", client.events[0])
    read = {"id": "a", "read": {"ids": [client.events[0]["message"]["id"]]}}
    check("read", read)
    check("done", await client.ask(read))
    check("page", await client.ask({"id": 2, "list": {"limit": 1}}))
    check("refused", await client.ask({"id": 3, "dance": {}}))
    check("position", {"event": "position", "offset": 1})
    for wrong in ({"id": 2, "list": {"limit": 0}}, {"id": 2, "list": {"colour": "red"}}, {"id": 2}):
        with pytest.raises(jsonschema.ValidationError):
            check("list", wrong)
