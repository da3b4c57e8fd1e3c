"""DKIM keys made by the command and in the admin: the record is ready to paste, the private key is nowhere."""

import re
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from delivery.models import DkimKey
from notifications import ids
from notifications.models import Project
from notifications.sealing import unseal
from tests.deploy.operator import superuser

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("static_names")]


def create(*args: str) -> tuple[DkimKey, str]:
    out = StringIO()
    call_command("create_dkim_key", *args, stdout=out)
    return DkimKey.objects.latest("created_at"), out.getvalue()


@pytest.mark.parametrize(("algorithm", "kind"), [("rsa", "rsa"), ("ed25519", "ed25519")])
def test_the_command_prints_the_record(algorithm: str, kind: str) -> None:
    key, said = create("Example.ORG.", "--selector", "s2026", "--algorithm", algorithm)
    assert (key.domain, key.selector, key.algorithm, key.active) == ("example.org", "s2026", f"{kind}-sha256", False)
    zone = said.splitlines()[0]
    assert zone.startswith('s2026._domainkey.example.org. IN TXT ( "v=DKIM1; k=')
    strings = re.findall(r'"([^"]*)"', zone)
    assert "".join(strings) == key.public_record
    assert all(len(string) <= 255 for string in strings)
    assert f"Value: {key.public_record}\n" in said
    private = unseal(key.sealed_private_key)
    assert "PRIVATE KEY" in private
    assert "PRIVATE" not in said and "PRIVATE" not in key.sealed_private_key
    assert private.splitlines()[1] not in said


def test_an_international_domain_is_kept_in_ascii() -> None:
    assert create("bücher.example")[0].domain == "xn--bcher-kva.example"


def test_a_key_for_one_project_that_signs_at_once() -> None:
    project = Project.objects.create(name=f"p {uuid4()}")
    key, said = create("example.org", "--project", ids.encode("prj", project.pk), "--active")
    assert (key.project_id, key.active) == (project.pk, True)
    assert "switch the key on" not in said


@pytest.mark.parametrize(
    "args",
    [
        ["a b"], ["127.0.0.1"], ["example.org", "--selector", "a.b"], ["example.org", "--selector", ""],
        ["x" * 64 + ".example"], [("abcdefg." * 8) + "example"], ["example.org", "--project", "prj_x"],
        ["example.org", "--project", ids.encode("prj", ids.new_uuid())],
    ],
)  # fmt: skip
def test_what_dns_cannot_hold_is_refused(args: list[str]) -> None:
    with pytest.raises(CommandError):
        create(*args)
    assert not DkimKey.objects.exists()


def test_a_name_is_given_once() -> None:
    create("example.org")
    with pytest.raises(CommandError, match="choose another selector"):
        create("EXAMPLE.org")
    assert DkimKey.objects.count() == 1


@pytest.fixture
def root(static_names: None) -> Client:
    return superuser()


def page_of(key: DkimKey) -> str:
    return reverse("admin:delivery_dkimkey_change", args=[key.pk])


def add(root: Client, **fields: str) -> Any:
    values = {"domain": "example.org", "selector": "s1", "algorithm": "rsa-sha256", "project": ""}
    return root.post(reverse("admin:delivery_dkimkey_add"), {**values, **fields})


def test_an_operator_makes_a_key_pastes_its_record_and_switches_it_on(root: Client) -> None:
    assert add(root, domain="Mail.Example.org").status_code == 302
    key = DkimKey.objects.get()
    assert (key.domain, key.active) == ("mail.example.org", False)
    shown = root.get(page_of(key)).content.decode()
    assert key.public_record in shown
    assert "s1._domainkey.mail.example.org" in shown
    assert "PRIVATE" not in shown and key.sealed_private_key not in shown
    assert root.post(page_of(key), {"active": "on", "domain": "other.example"}).status_code == 302
    changed = DkimKey.objects.get()
    assert (changed.active, changed.domain, changed.sealed_private_key) == (True, key.domain, key.sealed_private_key)


@pytest.mark.parametrize("fields", [{"domain": "a b"}, {"selector": "ü"}, {"algorithm": "rsa-sha1"}, {"domain": ""}])
def test_a_wrong_form_is_shown_again(root: Client, fields: dict[str, str]) -> None:
    assert add(root, **fields).status_code == 200
    assert not DkimKey.objects.exists()


def test_a_second_key_of_that_name_is_refused_in_the_form(root: Client) -> None:
    add(root)
    answer = add(root)
    assert answer.status_code == 200
    assert DkimKey.objects.count() == 1
