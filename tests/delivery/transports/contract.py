"""What every transport owes its caller, whatever the channel: each transport's tests inherit this."""

import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from delivery.transports.base import DeliveryError, Outbound, PermanentFailure, Receipt, TemporaryFailure, Transport


class TransportContract:
    """Subclasses give a transport, a delivery it can make, and other sides that refuse or are not there."""

    def make_transport(self) -> Transport[Any]:
        raise NotImplementedError

    def accepting(self) -> AbstractAsyncContextManager[Outbound]:
        """Another side that takes the delivery given."""
        raise NotImplementedError

    def refusing(self) -> AbstractAsyncContextManager[Outbound]:
        """Another side that says no for now."""
        raise NotImplementedError

    def absent(self) -> Outbound:
        """A delivery to where nobody listens."""
        raise NotImplementedError

    def broken(self) -> Outbound:
        """A delivery that cannot even be rendered."""
        raise NotImplementedError

    def secrets(self) -> tuple[str, ...]:
        """What must never show up in a repr, an error or a stored answer."""
        raise NotImplementedError

    @pytest.fixture
    async def transport(self) -> AsyncIterator[Transport[Any]]:
        transport = self.make_transport()
        yield transport
        await transport.aclose()

    async def test_says_what_it_needs_from_its_caller(self, transport: Transport[Any]) -> None:
        assert transport.channel
        assert transport.attempt_timeout_seconds > 0
        assert transport.max_in_flight >= 1

    async def test_render_is_repeatable_and_opens_nothing(self, transport: Transport[Any]) -> None:
        outbound = self.absent()
        assert transport.render(outbound) == transport.render(outbound)
        assert transport.render(outbound) == self.make_transport().render(outbound)

    async def test_an_accepted_delivery_has_a_small_storable_receipt(self, transport: Transport[Any]) -> None:
        async with self.accepting() as outbound:
            receipt = await transport.send(transport.render(outbound))
        assert isinstance(receipt, Receipt)
        assert len(json.dumps(receipt.response)) < 4096

    async def test_one_payload_can_be_sent_again(self, transport: Transport[Any]) -> None:
        async with self.accepting() as outbound:
            payload = transport.render(outbound)
            first, second = await transport.send(payload), await transport.send(payload)
        assert first.response.keys() == second.response.keys()

    async def test_a_refusal_for_now_is_temporary(self, transport: Transport[Any]) -> None:
        async with self.refusing() as outbound:
            with pytest.raises(TemporaryFailure) as caught:
                await transport.send(transport.render(outbound))
        self.assert_tells_but_keeps_secrets(caught.value)

    async def test_nobody_there_is_temporary(self, transport: Transport[Any]) -> None:
        with pytest.raises(TemporaryFailure) as caught:
            await transport.send(transport.render(self.absent()))
        self.assert_tells_but_keeps_secrets(caught.value)

    async def test_what_cannot_be_said_is_permanent_before_any_network(self, transport: Transport[Any]) -> None:
        with pytest.raises(PermanentFailure) as caught:
            transport.render(self.broken())
        self.assert_tells_but_keeps_secrets(caught.value)

    async def test_secrets_stay_out_of_reprs(self, transport: Transport[Any]) -> None:
        outbound = self.absent()
        shown = repr(outbound) + repr(transport.render(outbound)) + repr(transport) + repr(vars(transport).get("_conf"))
        assert not [secret for secret in self.secrets() if secret in shown]

    async def test_closes_without_a_send_and_twice(self) -> None:
        transport = self.make_transport()
        await transport.aclose()
        await transport.aclose()

    async def test_closes_after_a_send(self) -> None:
        transport = self.make_transport()
        async with self.accepting() as outbound:
            await transport.send(transport.render(outbound))
            await transport.aclose()
            await transport.aclose()

    def assert_tells_but_keeps_secrets(self, error: DeliveryError) -> None:
        assert error.reason.replace("_", "").isalnum()
        assert error.reason == error.reason.lower()
        shown = f"{error!r} {error} {json.dumps(error.response)}"
        assert not [secret for secret in self.secrets() if secret in shown]
        assert error.__suppress_context__ or error.__context__ is None
