"""A process of its own that sends webhooks: `python -m tests.delivery.transports.webhook.sender < request > outcomes`.

Reads `{"urls": [...], "allow": [...], "timeout_seconds": n}`, sends to one URL after the other, and answers
`{"outcomes": [[word, seconds], ...], "grown_mib": n}`, the word being `accepted` or the failure's reason, the
growth that of the process's largest resident size since its first, harmless send.
"""

import asyncio
import json
import resource
import sys
import time
from typing import Any

from delivery.transports.base import DeliveryError
from delivery.transports.webhook.conf import WebhookConf
from delivery.transports.webhook.transport import WebhookTransport
from tests.delivery.transports.outbounds import SECRET, make_outbound


async def send(transport: WebhookTransport, url: str) -> tuple[str, float]:
    began = time.monotonic()
    try:
        await transport.send(transport.render(make_outbound(address=url, secrets=(SECRET,))))
        word = "accepted"
    except DeliveryError as error:
        word = error.reason
    return word, time.monotonic() - began


def largest_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def main(asked: dict[str, Any]) -> dict[str, Any]:
    transport = WebhookTransport(
        WebhookConf(allow_networks=tuple(asked["allow"]), timeout_seconds=asked["timeout_seconds"])
    )
    first, *others = asked["urls"]
    outcomes = [await send(transport, first)]
    before = largest_mib()
    outcomes += [await send(transport, url) for url in others]
    await transport.aclose()
    return {"outcomes": outcomes, "grown_mib": largest_mib() - before}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(json.load(sys.stdin)))))
