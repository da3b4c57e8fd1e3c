"""Reading the environment: retry schedules."""

import pytest

from deploy.bounces.settings import bounce_settings
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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CARILLON_BOUNCE_ADDRESS", "Bounces <bounces@example.com>"),
        ("CARILLON_BOUNCE_ADDRESS", "bounces"),
        ("CARILLON_BOUNCE_LISTEN", "127.0.0.1:²"),
        ("CARILLON_BOUNCE_IMAP_URL", "imaps://jörg:hidden@host/INBOX"),
    ],
)
def test_ways_for_bounces_that_cannot_be_name_their_variable_and_no_secret(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name) as refused:
        bounce_settings(Environment({name: value}))
    assert "hidden" not in str(refused.value)


def test_bounces_return_to_the_sender_where_nothing_else_is_said() -> None:
    conf = bounce_settings(Environment({"CARILLON_MAIL_FROM": "Shop <shop@example.org>"}))
    assert (conf.address, conf.sender) == ("", "shop@example.org")


def test_digits_beyond_ascii_are_no_number() -> None:
    with pytest.raises(ConfigError, match="PORT"):
        Environment({"PORT": "8²"}).number("PORT", 8000)
