"""By which ways a recipient is reached."""

from uuid import UUID

from delivery.routing import Address, Target, Way, plan_ways

ONE, TWO = UUID(int=1), UUID(int=2)


def target(email: str | None = None, **endpoints: tuple[Address, ...]) -> Target:
    return Target(UUID(int=9), "u1", email, endpoints)


def test_in_app_always_reaches_the_inbox() -> None:
    assert plan_ways(["in_app"], target()) == [Way("in_app")]


def test_email_goes_to_the_address_or_says_that_there_is_none() -> None:
    assert plan_ways(["email"], target("u1@example.com")) == [Way("email", address="u1@example.com")]
    assert plan_ways(["email"], target()) == [Way("email", reason="no_email")]
    assert plan_ways(["email"], target("")) == [Way("email", address="", reason="no_email")]


def test_each_endpoint_of_the_channel_is_a_delivery_of_its_own() -> None:
    both = target(webhook=(Address(ONE, "https://a.example"), Address(TWO, "https://b.example")), push=(Address(ONE),))
    assert plan_ways(["webhook"], both) == [
        Way("webhook", ONE, "https://a.example"),
        Way("webhook", TWO, "https://b.example"),
    ]


def test_no_endpoint_is_a_way_that_failed_not_a_silence() -> None:
    assert plan_ways(["webhook"], target()) == [Way("webhook", reason="no_endpoint")]


def test_channels_keep_their_order() -> None:
    ways = plan_ways(["email", "in_app", "webhook"], target("u1@example.com", webhook=(Address(ONE),)))
    assert [way.channel for way in ways] == ["email", "in_app", "webhook"]
