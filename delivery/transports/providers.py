"""Several providers of one channel in order: who may be asked for a project's message, and which are paused.

A provider is whoever takes messages off our hands: a mail server, a text-message gateway. A transport that has them keeps
a `ProviderSet` as its attribute `providers`; whoever runs the transport hands configurations in and is told of
health. A project's own providers come before those for all projects; one for want of a better (the built-in mail
catcher) is asked only where there is no other.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from uuid import UUID

from delivery.transports.health import CameTo, Health, HealthPolicy, HealthReport, News, Use

ClientT = TypeVar("ClientT")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderConfig:
    """One provider. `settings` and `secrets` are as its kind has them; `project_id` None: for all projects."""

    id: UUID
    kind: str
    name: str
    settings: Mapping[str, Any]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    project_id: UUID | None = None
    position: int = 0
    want_of_better: bool = False

    def reaches_the_same_as(self, other: "ProviderConfig") -> bool:
        """Whether connections to one are as good as connections to the other."""
        return (self.kind, self.settings, self.secrets) == (other.kind, other.settings, other.secrets)


class Provider(Generic[ClientT]):
    """One provider in use: its client (a pool of connections, say) and its health."""

    def __init__(self, config: ProviderConfig, client: ClientT, policy: HealthPolicy) -> None:
        self.config = config
        self.client = client
        self.health = Health(policy)


Changed = Callable[[ProviderConfig, News, HealthReport], None]


class ProviderSet(Generic[ClientT]):
    """The providers of one channel in one process. `make` turns a configuration into a client or raises ValueError."""

    def __init__(
        self,
        make: Callable[[ProviderConfig], ClientT],
        retire: Callable[[ClientT], None],
        *,
        policy: HealthPolicy,
        standing: Iterable[ProviderConfig] = (),
    ) -> None:
        self._make = make
        self._retire = retire
        self._policy = policy
        self._held = False
        self._providers: dict[UUID, Provider[ClientT]] = {}
        self.standing = tuple(standing)
        """Those of the transport's own configuration, always there."""
        self.on_change: Changed = lambda config, news, report: None
        self.configure(self.standing)

    def __iter__(self) -> Iterator[Provider[ClientT]]:
        return iter(self._providers.values())

    def hold(self) -> None:
        """Take nothing on until `configure` has said what there is."""
        self._held = True

    def configure(self, configs: Iterable[ProviderConfig]) -> dict[UUID, str]:
        """Have exactly these; what did not change keeps its connections and its health. The unusable, with reasons."""
        unusable: dict[UUID, str] = {}
        before, self._providers = self._providers, {}
        for config in sorted(configs, key=lambda config: (config.position, config.id.int)):
            known = before.pop(config.id, None)
            if known is not None and known.config.reaches_the_same_as(config):
                known.config = config
                self._providers[config.id] = known
                continue
            if known is not None:
                self._retire(known.client)
            try:
                self._providers[config.id] = Provider(config, self._make(config), self._policy)
            except ValueError as exc:
                unusable[config.id] = str(exc)
        for gone in before.values():
            self._retire(gone.client)
        self._held = False
        return unusable

    def adopt(self, provider_id: UUID, report: HealthReport) -> None:
        """Another process knows more about this one's health."""
        if provider := self._providers.get(provider_id):
            provider.health.adopt(report, time.monotonic())

    def candidates(self, project_id: UUID | None) -> list[Provider[ClientT]]:
        """Whom to ask for a message of this project, in order, whatever their health."""
        fitting = [p for p in self._providers.values() if p.config.project_id in (None, project_id)]
        fitting.sort(key=lambda provider: provider.config.project_id is None)
        return [p for p in fitting if not p.config.want_of_better] or fitting

    def begin(self, provider: Provider[ClientT]) -> Use | None:
        """Use a provider; None: not now."""
        return provider.health.begin(time.monotonic())

    def end(self, provider: Provider[ClientT], use: Use, came_to: CameTo, *, reason: str = "") -> None:
        """Note how the use of a provider ended."""
        now = time.monotonic()
        if news := provider.health.end(use, came_to, now, reason=reason):
            self.on_change(provider.config, news, provider.health.report(now))

    def capacity(self) -> int | None:
        """How many messages it makes sense to begin now: None without a bound, else the probes that are due."""
        if self._held:
            return 0
        now = time.monotonic()
        better = any(p.config.project_id is None and not p.config.want_of_better for p in self._providers.values())
        asked = [p for p in self._providers.values() if not (better and p.config.want_of_better)]
        if any(not provider.health.is_paused for provider in asked):
            return None
        return sum(1 for provider in asked if provider.health.may_probe(now))

    def seconds_until_usable(self, project_id: UUID | None) -> float | None:
        """For a message of this project; None when there is no provider at all."""
        now = time.monotonic()
        return min((p.health.seconds_until_usable(now) for p in self.candidates(project_id)), default=None)

    def clients(self) -> list[ClientT]:
        return [provider.client for provider in self._providers.values()]
