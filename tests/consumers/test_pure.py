"""Frames without I/O: any text is a command or a known fault."""

import json

from hypothesis import given
from hypothesis import strategies as st

from consumers import frames

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["id", *frames.COMMANDS]), inner),
)


@given(st.text() | _json.map(lambda value: json.dumps(value)))
def test_any_text_is_a_command_or_a_known_fault(text: str) -> None:
    try:
        command = frames.parse_command(text)
    except frames.BadCommand as bad:
        frames.error(bad.command_id, bad.code, bad.title)
    except frames.NotJson:
        pass
    else:
        assert command.name in frames.COMMANDS
