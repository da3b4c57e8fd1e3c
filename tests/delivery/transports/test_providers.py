"""Who is asked for whose message, and what a change of configuration keeps."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from delivery.transports.health import CameTo, HealthPolicy
from delivery.transports.providers import ProviderConfig, ProviderSet

OURS, THEIRS = uuid4(), uuid4()


class Client:
    """What a transport would make of a configuration."""

    def __init__(self, config: ProviderConfig) -> None:
        if config.kind != "pigeon":
            raise ValueError("no such kind")
        self.name = config.name
        self.retired = False

    def retire(self) -> None:
        self.retired = True


def config(name: str, number: int = 1, **more: Any) -> ProviderConfig:
    values = {"kind": "pigeon", "settings": {"loft": name}, "position": number, **more}
    return ProviderConfig(id=UUID(int=number), name=name, **values)


@pytest.fixture
def providers() -> ProviderSet[Client]:
    return ProviderSet(Client, Client.retire, policy=HealthPolicy(pause_seconds=0.0001))


def asked(providers: ProviderSet[Client], project: UUID | None = None) -> list[str]:
    return [provider.config.name for provider in providers.candidates(project)]


def test_a_projects_own_come_first_then_those_for_all(providers: ProviderSet[Client]) -> None:
    providers.configure(
        [config("b", 2), config("a", 1), config("own", 9, project_id=OURS), config("other", 0, project_id=THEIRS)]
    )
    assert asked(providers, OURS) == ["own", "a", "b"]
    assert asked(providers, None) == ["a", "b"]


def test_one_for_want_of_a_better_is_asked_only_where_there_is_no_other(providers: ProviderSet[Client]) -> None:
    catcher = config("catcher", 1, want_of_better=True)
    providers.configure([catcher, config("own", 2, project_id=OURS)])
    assert (asked(providers, OURS), asked(providers, THEIRS)) == (["own"], ["catcher"])
    providers.configure([catcher, config("relay", 3)])
    assert asked(providers, THEIRS) == ["relay"]


def test_what_did_not_change_keeps_its_client_and_its_health(providers: ProviderSet[Client]) -> None:
    providers.configure([config("a", 1), config("b", 2)])
    first, second = providers
    down(providers, "a")
    providers.configure([config("renamed", 1, settings={"loft": "a"}, position=5), config("b", 2)])
    assert [provider.config.name for provider in providers] == ["b", "renamed"]
    assert first.health.is_paused and not first.client.retired
    providers.configure([config("a", 1, secrets={"key": "new"})])
    assert first.client.retired and second.client.retired
    (fresh,) = providers
    assert not fresh.health.is_paused


def test_an_unusable_one_is_named_and_harms_no_other(providers: ProviderSet[Client]) -> None:
    assert providers.configure([config("a", 1, kind="smoke"), config("b", 2)]) == {UUID(int=1): "no such kind"}
    assert asked(providers) == ["b"]


def test_capacity_is_without_bound_until_all_are_paused_then_one_probe_each(providers: ProviderSet[Client]) -> None:
    assert providers.capacity() == 0
    providers.configure([config("a", 1), config("b", 2), config("catcher", 3, want_of_better=True)])
    assert providers.capacity() is None
    down(providers, "a")
    assert providers.capacity() is None
    down(providers, "b")
    wait_until(lambda: providers.capacity() == 2)
    first = next(iter(providers))
    probe = providers.begin(first)
    assert probe is not None
    assert providers.capacity() == 1
    providers.end(first, probe, CameTo.WORKED)
    assert providers.capacity() is None


def test_nothing_is_taken_on_before_it_is_known_who_there_is(providers: ProviderSet[Client]) -> None:
    providers.configure([config("a", 1)])
    providers.hold()
    assert providers.capacity() == 0
    providers.configure([config("a", 1)])
    assert providers.capacity() is None


def test_secrets_stay_out_of_reprs() -> None:
    assert "hidden" not in repr(config("a", secrets={"password": "hidden"}))


def down(providers: ProviderSet[Client], name: str) -> None:
    provider = next(provider for provider in providers if provider.config.name == name)
    use = providers.begin(provider)
    assert use is not None
    providers.end(provider, use, CameTo.DOWN, reason="connect_failed")


def wait_until(probe: Any) -> None:
    for _ in range(10_000_000):
        if probe():
            return
    raise AssertionError("waited in vain")
