"""The Python client when answers are lost, keys are used again and the platform says not so fast."""

import httpx
import pytest
from carillon_client import AsyncClient, Client, IdempotencyKeyReused, NoAnswer, RetryPolicy
from carillon_client.results import Accepted

from tests.clients.asking import FAST, HELLO, finished, received
from tests.clients.proxy import LossyProxy
from tests.fixtures.platform import Platform


def test_a_key_stands_for_one_request(client: Client) -> None:
    first = client.notifications.send(recipients=["k1"], idempotency_key="mine", **HELLO)
    assert client.notifications.send(recipients=["k1"], idempotency_key="mine", **HELLO) == first
    with pytest.raises(IdempotencyKeyReused) as reused:
        client.notifications.send(recipients=["k2"], idempotency_key="mine", **HELLO)
    assert reused.value.idempotency_key == "mine"
    finished(client, first.id)
    assert received(client, "k1") == [first.id]


def test_a_lost_answer_doubles_nothing(client: Client, proxy: LossyProxy, service: Platform) -> None:
    with Client(proxy.url, service.api_key, retries=FAST) as careful:
        proxy.lose(3)
        sent = careful.notifications.send(recipients=["cut"], **HELLO)
        assert proxy.lost == 3
        assert len(proxy.keys) == 4 and len(set(proxy.keys)) == 1
        finished(client, sent.id)
        assert received(client, "cut") == [sent.id]

        proxy.lose(1)
        made = careful.endpoints.create("cut", "http://127.0.0.1:9/hook")
        assert made.secret
        assert [endpoint.id for endpoint in client.endpoints.list("cut")] == [made.id]

        proxy.lose(1)
        careful.endpoints.delete("cut", made.id)  # removed by the first try, not there for the second
        assert proxy.lost == 1
        assert list(client.endpoints.list("cut")) == []

        proxy.lose(1)
        assert careful.recipients.get("cut").id == "cut"


async def test_a_lost_answer_doubles_nothing_async(client: Client, proxy: LossyProxy, service: Platform) -> None:
    async with AsyncClient(proxy.url, service.api_key, retries=FAST) as careful:
        proxy.lose(2)
        results = await careful.notifications.send_many([{"recipients": ["acut"], **HELLO}] * 2)
    assert proxy.lost == 2 and len(set(proxy.keys)) == 1
    ids = [result.id for result in results if isinstance(result, Accepted)]
    assert len(set(ids)) == 2
    for identifier in ids:
        finished(client, identifier)
    assert sorted(received(client, "acut")) == sorted(ids)


def test_without_an_answer_the_key_is_told(client: Client, proxy: LossyProxy, service: Platform) -> None:
    with Client(proxy.url, service.api_key, retries=RetryPolicy(attempts=2, first_pause_seconds=0)) as hasty:
        proxy.lose(2)
        with pytest.raises(NoAnswer, match="2 tries") as lost:
            hasty.notifications.send(recipients=["told"], **HELLO)
    assert lost.value.idempotency_key == proxy.keys[0]
    sent = client.notifications.send(recipients=["told"], idempotency_key=lost.value.idempotency_key, **HELLO)
    finished(client, sent.id)
    assert received(client, "told") == [sent.id]


def test_the_rate_limit_is_kept_to(service: Platform) -> None:
    statuses: list[int] = []
    with httpx.Client(
        trust_env=False, event_hooks={"response": [lambda said: statuses.append(said.status_code)]}
    ) as http:
        client = Client(service.url, service.api_key, retries=RetryPolicy(attempts=20), http=http)
        client.recipients.put("busy")
        for _ in range(2000):
            assert client.recipients.get("busy").id == "busy"
            if 429 in statuses:
                break
    assert 429 in statuses and statuses[-1] == 200
