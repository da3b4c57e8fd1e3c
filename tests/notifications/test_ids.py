"""Public ids."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications import ids


@given(st.uuids())
def test_there_and_back(value: UUID) -> None:
    assert ids.decode("ntf", ids.encode("ntf", value)) == value


@given(st.uuids(), st.uuids())
def test_text_sorts_as_the_uuid_does(one: UUID, two: UUID) -> None:
    assert (one < two) == (ids.encode("dlv", one) < ids.encode("dlv", two))


@given(st.text(max_size=40))
def test_other_text_names_nothing(text: str) -> None:
    found = ids.decode("ntf", text)
    assert found is None or ids.encode("ntf", found) == text


def test_there_is_one_spelling_and_one_kind() -> None:
    text = ids.encode("ntf", ids.new_uuid())
    for wrong in (
        text.upper(),
        text[:-1],
        text + "0",
        text.replace("ntf_", "dlv_"),
        text[4:],
        "ntf_" + "z" * 26,
        "ntf_" + "i" * 26,
    ):
        assert ids.decode("ntf", wrong) is None


def test_new_ids_grow() -> None:
    made = [ids.new_uuid() for _ in range(1000)]
    assert made == sorted(made)
    assert {value.version for value in made} == {7}
    assert len(set(made)) == 1000


@pytest.mark.parametrize("number", [0, (1 << 128) - 1])
def test_the_ends_of_the_range(number: int) -> None:
    text = ids.encode("msg", UUID(int=number))
    assert len(text) == 30
    assert ids.decode("msg", text) == UUID(int=number)
