"""Plug-ins of the test suite: real servers first, then what stands on them."""

pytest_plugins = (
    "tests.fixtures.servers",
    "tests.fixtures.postfix",
    "tests.fixtures.receivers",
    "tests.fixtures.platform",
    "tests.fixtures.recipients",
)
