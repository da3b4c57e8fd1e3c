"""Which stored templates a workflow's definition names, and where. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from notifications.texts import escape_pointer


class Naming(NamedTuple):
    """A step says what the template of this key says."""

    step: str
    pointer: str
    template: str


def templates_named(definition: Mapping[str, Any]) -> Iterator[Naming]:
    """Every place of a definition without faults that names a stored template."""
    for index, step in enumerate(definition["steps"]):
        own = {"template": step.get("template")}
        by_channel = {f"templates/{escape_pointer(name)}": said for name, said in step.get("templates", {}).items()}
        for place, said in (own | by_channel).items():
            if isinstance(said, str):
                yield Naming(step["key"], f"/steps/{index}/{place}", said)
