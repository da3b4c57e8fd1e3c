"""API keys: their form, their checksum, and that only a hash is kept."""

import pytest
from django.contrib.auth import get_user_model

from notifications import api_keys
from notifications.models import ApiKey, Project
from notifications.services import bootstrap, create_api_key


def test_generated_keys_have_one_form() -> None:
    keys = {api_keys.generate() for _ in range(200)}
    assert len(keys) == 200
    for key in keys:
        assert api_keys.is_generated(key)
        assert api_keys.public_id_of(key) == key[4:16]
        assert len(key) == 66


def test_one_wrong_letter_is_noticed_without_the_database() -> None:
    key = api_keys.generate()
    for at in range(len(key)):
        wrong = key[:at] + ("a" if key[at] != "a" else "b") + key[at + 1 :]
        assert not api_keys.is_generated(wrong)


def test_a_chosen_key_gets_a_public_id_that_tells_nothing() -> None:
    key = "correct horse battery staple, and then some"
    assert not api_keys.is_generated(key)
    assert len(api_keys.public_id_of(key)) == 12
    assert api_keys.public_id_of(key) not in api_keys.digest(key)
    assert api_keys.matches(key, api_keys.digest(key))
    assert not api_keys.matches(key + "x", api_keys.digest(key))


@pytest.mark.django_db
def test_the_key_itself_is_nowhere_in_the_row() -> None:
    project = Project.objects.create(name="p")
    row, key = create_api_key(project=project, name="n", scopes=["admin"])
    stored = ApiKey.objects.filter(id=row.id).values().get()
    assert key not in str(stored)
    assert key[17:60] not in str(stored)
    assert stored["digest"] == api_keys.digest(key)


@pytest.mark.django_db
@pytest.mark.parametrize(("scopes", "key"), [(["everything"], None), (["admin"], "too short")])
def test_nonsense_is_refused(scopes: list[str], key: str | None) -> None:
    project = Project.objects.create(name="p")
    with pytest.raises(ValueError):
        create_api_key(project=project, name="n", scopes=scopes, key=key)
    assert not ApiKey.objects.exists()


@pytest.mark.django_db
def test_bootstrap_twice_is_bootstrap_once_and_the_given_secrets_win() -> None:
    for password in ("first password", "first password", "second password"):
        bootstrap(api_key="k" * 40, admin_password=password)
    assert Project.objects.count() == ApiKey.objects.count() == 1
    assert get_user_model().objects.get().check_password("second password")
    bootstrap(api_key="l" * 40, admin_password="second password")
    assert ApiKey.objects.count() == 2
