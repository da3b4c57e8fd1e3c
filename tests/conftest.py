"""Plug-ins of the test suite: real servers first, then what stands on them."""

from hypothesis import settings

pytest_plugins = (
    "tests.fixtures.servers",
    "tests.fixtures.postfix",
    "tests.fixtures.receivers",
    "tests.fixtures.platform",
    "tests.fixtures.recipients",
    "tests.fixtures.order",
)

# How long an example takes says nothing on a machine that does other things as well.
settings.register_profile("carillon", deadline=None)
settings.load_profile("carillon")
