"""Reading the environment: retry schedules."""

import pytest

from deploy.config import ConfigError, Environment


def read(text: str) -> dict[str, tuple[float, ...]]:
    return Environment({"SCHEDULES": text}).schedules("SCHEDULES")


def test_schedules_by_channel() -> None:
    assert read("") == {}
    assert read('{"webhook": [5, 60.5], "email": []}') == {"webhook": (5.0, 60.5), "email": ()}


@pytest.mark.parametrize(
    "text",
    ["5", "[]", "{", '{"webhook": 5}', '{"webhook": "12"}', '{"webhook": ["x"]}', '{"webhook": [0]}', '{"webhook": [NaN]}',
     '{"webhook": [86401]}', '{"webhook": [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}', '{"webhook": [null]}',
     '{"webhook": [86400, 86400, 86400, 86400, 86400, 1]}'],
)  # fmt: skip
def test_nonsense_names_the_variable(text: str) -> None:
    with pytest.raises(ConfigError, match="SCHEDULES"):
        read(text)
