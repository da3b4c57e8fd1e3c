"""Keys that do not belong to the database are refused."""

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.checks import Tags, run_checks
from django.core.management import call_command
from django.core.management.base import CommandError

from notifications.canary import WrongKey, verify_key
from notifications.models import Canary, Endpoint, Project, Recipient
from notifications.sealing import seal, unseal

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def use_keys(settings: Any) -> Any:
    """Configures other keys."""

    def use(*keys: str) -> None:
        settings.CARILLON_ENCRYPTION_KEYS = keys

    return use


def new_key() -> str:
    return Fernet.generate_key().decode()


def test_the_first_start_leaves_a_canary_and_every_later_one_opens_it(settings: Any, use_keys: Any) -> None:
    (first,) = settings.CARILLON_ENCRYPTION_KEYS
    verify_key()
    stored = Canary.objects.get()
    assert unseal(stored.sealed)
    verify_key()
    assert Canary.objects.get().sealed == stored.sealed
    use_keys(new_key(), first)
    verify_key()
    use_keys(new_key())
    with pytest.raises(WrongKey, match="CARILLON_ENCRYPTION_KEYS"):
        verify_key()
    assert Canary.objects.get().sealed == stored.sealed


def test_asking_alone_leaves_nothing() -> None:
    verify_key(add=False)
    assert not Canary.objects.exists()


@pytest.mark.parametrize("keys", [(), ("short",), ("x" * 44,)], ids=["none", "short", "no base64 of 32 bytes"])
def test_what_is_no_key_is_named(use_keys: Any, keys: tuple[str, ...]) -> None:
    use_keys(*keys)
    with pytest.raises(WrongKey, match="Fernet"):
        verify_key()


def test_an_installation_from_before_the_canary_is_asked_for_what_it_holds(use_keys: Any) -> None:
    project = Project.objects.create(name="p")
    recipient = Recipient.objects.create(project=project, external_id="u1")
    Endpoint.objects.create(
        project=project, recipient=recipient, channel="webhook", url="https://a.example", sealed_secret=seal("s")
    )
    use_keys(new_key())
    with pytest.raises(WrongKey):
        verify_key()
    assert not Canary.objects.exists()


def test_the_database_check_says_so_and_the_bootstrap_refuses(use_keys: Any) -> None:
    verify_key()
    assert run_checks(tags=[Tags.database], databases=["default"]) == []
    use_keys(new_key())
    assert [message.id for message in run_checks(tags=[Tags.database], databases=["default"])] == ["carillon.E001"]
    with pytest.raises(CommandError, match="CARILLON_ENCRYPTION_KEYS"):
        call_command("carillon_bootstrap")
