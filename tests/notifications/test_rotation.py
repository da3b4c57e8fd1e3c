"""Keys are exchanged under a running platform: everything sealed opens with the first key, nothing is lost."""

import threading
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, connections, models

from delivery.models import Provider
from delivery.provider_secrets import open_secrets, seal_secrets
from notifications import rotation
from notifications.canary import WrongKey, verify_key
from notifications.models import Canary, Endpoint, IdempotencyKey, Project, Recipient
from notifications.sealed_columns import SEALED_COLUMNS
from notifications.sealing import SealBroken, reseal, seal, unseal

COUNT = 25


@pytest.fixture
def old(settings: Any) -> str:
    (key,) = settings.CARILLON_ENCRYPTION_KEYS
    return str(key)


@pytest.fixture
def new(old: str) -> str:
    return Fernet.generate_key().decode()


@pytest.fixture
def sealed(transactional_db: None, old: str) -> list[Endpoint]:
    """Something in every sealed column, and an answer that was never sealed."""
    verify_key()
    project = Project.objects.create(name="p")
    recipient = Recipient.objects.create(project=project, external_id="u1")
    endpoints = [
        Endpoint.objects.create(
            project=project,
            recipient=recipient,
            channel="webhook",
            url=f"https://a.example/{n}",
            sealed_secret=seal(f"s{n}"),
        )
        for n in range(COUNT)
    ]
    Provider.objects.create(name="relay", sealed_secrets=seal_secrets({"password": "hidden"}))
    for key, response in (("open", '{"id": "ntf_1"}'), ("sealed", seal("answer"))):
        IdempotencyKey.objects.create(project=project, key=key, fingerprint="f", status=201, response=response)
    return endpoints


def texts() -> dict[str, list[str]]:
    return {
        f"{label}.{field}": list(apps.get_model(label)._default_manager.order_by("pk").values_list(field, flat=True))
        for label, field in SEALED_COLUMNS
    }


def test_after_a_rotation_the_new_key_alone_opens_everything(sealed: Any, settings: Any, old: str, new: str) -> None:
    settings.CARILLON_ENCRYPTION_KEYS = (new, old)
    call_command("rotate_secrets", "--batch=10")
    settings.CARILLON_ENCRYPTION_KEYS = (new,)
    verify_key()
    assert [unseal(endpoint.sealed_secret) for endpoint in Endpoint.objects.order_by("pk")] == [
        f"s{number}" for number in range(COUNT)
    ]
    assert open_secrets(Provider.objects.get().sealed_secrets) == {"password": "hidden"}
    assert unseal(IdempotencyKey.objects.get(key="sealed").response) == "answer"
    assert IdempotencyKey.objects.get(key="open").response == '{"id": "ntf_1"}'
    settings.CARILLON_ENCRYPTION_KEYS = (old,)
    with pytest.raises(WrongKey):
        verify_key()
    for endpoint in Endpoint.objects.all():
        with pytest.raises(SealBroken):
            unseal(endpoint.sealed_secret)


def test_a_second_rotation_finds_nothing_to_do(
    sealed: Any, settings: Any, old: str, new: str, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.CARILLON_ENCRYPTION_KEYS = (new, old)
    call_command("rotate_secrets")
    before = texts()
    capsys.readouterr()
    call_command("rotate_secrets")
    assert texts() == before
    assert "\n0 sealed again." in capsys.readouterr().out


def test_one_that_was_interrupted_is_taken_up_again(sealed: Any, settings: Any, old: str, new: str) -> None:
    settings.CARILLON_ENCRYPTION_KEYS = (new, old)

    class PowerCut(Exception):
        pass

    def cut(result: rotation.ColumnResult) -> None:
        if result.resealed >= 10:
            raise PowerCut

    with pytest.raises(PowerCut):
        rotation.rotate_all(batch=5, on_progress=cut)
    half = list(Endpoint.objects.order_by("pk").values_list("sealed_secret", flat=True))
    assert sum(1 for text in half if reseal(text) is None) == 10
    verify_key()
    settings.CARILLON_ENCRYPTION_KEYS = (new,)
    with pytest.raises(WrongKey):
        verify_key()  # the canary comes last
    settings.CARILLON_ENCRYPTION_KEYS = (new, old)
    call_command("rotate_secrets")
    after = list(Endpoint.objects.order_by("pk").values_list("sealed_secret", flat=True))
    assert after[:10] == half[:10], "what was done is not done again"
    assert all(reseal(text) is None for text in after)


def test_what_no_key_opens_is_named_left_alone_and_keeps_the_old_key_needed(
    sealed: list[Endpoint], settings: Any, old: str, new: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = Fernet(Fernet.generate_key()).encrypt(b"lost").decode()
    Endpoint.objects.filter(pk=sealed[3].pk).update(sealed_secret=lost)
    settings.CARILLON_ENCRYPTION_KEYS = (new, old)
    with pytest.raises(CommandError, match="Keep every key"):
        call_command("rotate_secrets")
    assert str(sealed[3].pk) in capsys.readouterr().err
    assert Endpoint.objects.get(pk=sealed[3].pk).sealed_secret == lost
    assert reseal(Endpoint.objects.get(pk=sealed[4].pk).sealed_secret) is None
    assert reseal(Canary.objects.get().sealed) is not None


def test_what_is_written_meanwhile_stays_and_is_found_by_the_next_pass(
    sealed: list[Endpoint], settings: Any, old: str, new: str
) -> None:
    """A process that still has the old key in front writes between our reading and our writing."""
    settings.CARILLON_ENCRYPTION_KEYS = (new, old)
    other = Fernet(old)
    wrote = []

    def write(result: rotation.ColumnResult) -> None:
        if not wrote and result.resealed and "Endpoint" in result.name:
            text = other.encrypt(b"fresh").decode()
            wrote.append(Endpoint.objects.filter(pk=sealed[0].pk).update(sealed_secret=text))

    results = rotation.rotate_all(batch=10, on_progress=write)
    assert wrote == [1]
    assert sum(result.resealed for result in results if "Endpoint" in result.name) == COUNT + 1
    settings.CARILLON_ENCRYPTION_KEYS = (new,)
    assert unseal(Endpoint.objects.get(pk=sealed[0].pk).sealed_secret) == "fresh"


def test_a_value_that_changed_since_it_was_read_is_not_overwritten(sealed: list[Endpoint], old: str) -> None:
    row = sealed[0]
    changed = seal("changed")
    Endpoint.objects.filter(pk=row.pk).update(sealed_secret=changed)
    fresh = [(row.pk, row.sealed_secret, seal("stale"))]
    assert rotation._replace("notifications_endpoint", "id", "sealed_secret", fresh) == 0
    assert Endpoint.objects.get(pk=row.pk).sealed_secret == changed


def test_two_rotations_at_once_do_no_harm(sealed: Any, settings: Any, old: str, new: str) -> None:
    settings.CARILLON_ENCRYPTION_KEYS = (new, old)
    errors: list[BaseException] = []

    def rotate() -> None:
        try:
            rotation.rotate_all(batch=3, on_progress=lambda result: None)
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=rotate) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors
    settings.CARILLON_ENCRYPTION_KEYS = (new,)
    assert {unseal(text) for text in Endpoint.objects.values_list("sealed_secret", flat=True)} == {
        f"s{number}" for number in range(COUNT)
    }
    connection.close()


def test_every_column_that_sounds_sealed_is_known_to_the_rotation() -> None:
    found = {
        (model._meta.label, field.name)
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.Field) and field.name.startswith("sealed")
    }
    assert found <= set(SEALED_COLUMNS)
    for label, name in SEALED_COLUMNS:
        assert isinstance(apps.get_model(label)._meta.get_field(name), models.TextField)
