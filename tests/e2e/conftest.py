"""A platform that mails to a real SMTP server of the test's own."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.platform import Platform, remove_data
from tests.fixtures.receivers import LoopThread, SmtpReceiver


@pytest.fixture(scope="session")
def post_office(receiver_thread: LoopThread) -> Iterator[SmtpReceiver]:
    """One SMTP server for all journeys."""
    receiver = SmtpReceiver(receiver_thread)
    yield receiver
    receiver_thread.call(receiver.aclose())


@pytest.fixture(scope="session")
def shop(post_office: SmtpReceiver) -> Iterator[Platform]:
    """One platform for all journeys on embedded servers; nobody harms it."""
    data_dir = Path(tempfile.mkdtemp(prefix="carillon-shop-"))
    instance = Platform(data_dir, {"SMTP_URL": post_office.url})
    yield instance
    instance.stop()
    remove_data(data_dir)
