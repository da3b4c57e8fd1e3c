"""Templates that attack: a clear error soon, bounded memory, nothing of ours to be seen.

Time is not measured here but counted: the meter looks at the clock at every step, and how much one step can do is bounded, so a clock
that moves on by itself at every look shows that nothing goes on after its end.
"""

import itertools
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from notifications.templating.compiled import compile_fields
from notifications.templating.errors import TemplateError
from notifications.templating.library import Library
from notifications.templating.limits import MAX_SOURCE, Meter
from notifications.templating.rendering import render_content
from tests.notifications.templating.saying import body

BIG = "x" * 400_000
MEMORY_BYTES = 48 * 1024 * 1024

ATTACKS: dict[str, str] = {
    "a loop of 10^9": "{% for i in (1..1000000000) %}x{% endfor %}",
    "a loop of 10^9 backwards": "{% for i in (1..1000000000) reversed %}x{% endfor %}",
    "a loop of 10^9 in part": "{% for i in (1..1000000000) limit: 100000000 %}x{% endfor %}",
    "a loop to beyond any number": "{% for i in (1..99999999999999999999999) %}x{% endfor %}",
    "loops in loops": "{% for i in (1..1000) %}{% for j in (1..1000) %}{% for k in (1..1000) %}x{% endfor %}{% endfor %}{% endfor %}",
    "empty loops one after the other": "{% for i in (1..40000) %}{% endfor %}" * 50,
    "a range as a list": "{% assign a = (1..1000000000) %}{{ a | reverse }}",
    "a range joined": "{{ (1..1000000000) | join: ',' }}",
    "huge output": "{% for i in (1..40000) %}xxxxxxxxxxxxxxxx{% endfor %}",
    "huge output of data": "{{ data.big }}",
    "huge captures": "{% for i in (1..40000) %}{% capture a %}{{ data.big | slice: 0, 200000 }}{% endcapture %}{% endfor %}",
    "doubling text": "{% assign s = 'xxxxxxxxxxxxxxxx' %}" + "{% assign s = s | append: s %}" * 40,
    "replacing a letter by a book": "{{ data.big | replace: 'x', data.big }}",
    "a book between letters": "{{ data.list | join: data.big }}",
    "doubling numbers": "{% assign n = 99999999 %}" + "{% assign n = n | times: n %}" * 40 + "{{ n }}",
    "a long number": "{{ " + "9" * 900 + " | plus: 1 }}",
    "an infinite number": "{{ '1e400' | times: 2 | ceil }}",
    "many variables": "".join("{% assign v" + str(n) + " = data.big %}" for n in range(1000)),
    "searching every letter": "{{ data.big | split: '' | uniq | size }}",
    "the same search very often": "{% assign a = data.list | uniq %}" * 1900,
    "a chain of filters": "{{ data.big " + "| upcase | downcase " * 50 + "}}" + "{{ data.big | upcase }}" * 900,
    "a partial in itself": "{% render 'self' %}",
    "partials that multiply": "{% render 'p0' %}",
    "partials in a loop": "{% for i in (1..1000) %}{% render 'p4' %}{% endfor %}",
    "blocks in blocks": "{% if 1 %}" * 200 + "{% endif %}" * 200,
    "brackets in brackets": "{{ " + "a[" * 400 + "1" + "]" * 400 + " }}",
    "brackets never closed": "{{" * 60_000,
    "tags never closed": "{% " * 40_000,
    "quotes never closed": "{{ '" + "'" * 100_000,
    "comments never closed": "{% comment %}" * 5_000,
    "raw never closed": "{% raw %}" * 5_000,
    "many small expressions": "{{a}}" * 20_000,
    "a long condition": "{% if " + "a and " * 20_000 + "a %}x{% endif %}",
    "a long text": "x" * (MAX_SOURCE + 1),
    "a list that cannot be sorted": "{{ data.mixed | sort }}",
    "no base64": "{{ '/w==' | base64_decode }}",
    "a division by nothing": "{{ 1 | divided_by: 0 }}",
    "a modulus by nothing": "{{ 1.5 | modulo: 0 }}",
    "a long format": "{{ 'now' | date: '" + "y" * 500 + "' }}",
    "an unknown filter": "{{ data.big | safe }}",
    "an unknown tag": "{% include 'self' %}",
    "a file": "{% render '/etc/passwd' %}",
    "a partial by a variable": "{% render data.big %}",
}
DATA: dict[str, Any] = {"big": BIG, "list": list(range(9000)), "mixed": [1, "a", None, {}]}
LIBRARY = Library(
    partials={
        "self": {"default": {"text": "{% render 'self' %}"}},
        **{f"p{n}": {"default": {"text": ("{% render 'p" + str(n + 1) + "' %}") * 20}} for n in range(8)},
        "p8": {"default": {"text": "x"}},
    }
)


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_a_clear_error_and_takes_little_memory(name: str) -> None:
    body("{{ 1 | number }}{{ 'now' | date }}")  # what the libraries load once
    tracemalloc.start()
    try:
        with pytest.raises(TemplateError) as caught:
            body(ATTACKS[name], library=LIBRARY, data=DATA)
        assert tracemalloc.get_traced_memory()[1] < MEMORY_BYTES
    finally:
        tracemalloc.stop()
    said = caught.value.detail
    assert caught.value.pointer == "/body"
    assert said[0].isupper()
    assert said.endswith(".")
    assert len(said) < 400
    assert not any(inside in said for inside in ("Traceback", "Error", "object at", "site-packages", ".py", BIG[:400]))


def test_no_more_is_done_once_time_is_up() -> None:
    """Every source of steps: variables, filters, turns of loops, partials, assignments."""
    sources = [
        "{{ a }}" * 1000,
        "{% assign b = 1 %}" * 1000,
        "{{ 1 | plus: 1 }}" * 1000,
        "{% for i in (1..1000) %}{% endfor %}",
        "{% for i in (1..1000) %}x{% endfor %}",
        "{% render 'p7' %}" * 100,
    ]
    partials = LIBRARY.partials_in("en", "en")
    for source in sources:
        looks = itertools.count()
        compiled = compile_fields({"body": source}, partials=partials)
        with pytest.raises(TemplateError, match="took too long"):
            compiled.render(
                {}, locale="en", timezone="UTC", meter=Meter(seconds=50, clock=lambda looks=looks: float(next(looks)))
            )  # type: ignore[misc]
        assert next(looks) == 52  # one look at the beginning, fifty within the time, one too late


def test_all_fields_share_one_time() -> None:
    looks = itertools.count()
    compiled = compile_fields({"title": "{{ a }}" * 40, "body": "{{ a }}" * 40}, partials={})
    with pytest.raises(TemplateError, match="took too long") as caught:
        compiled.render({}, locale="en", timezone="UTC", meter=Meter(seconds=50, clock=lambda: float(next(looks))))
    assert caught.value.pointer == "/body"


class Secretive(Mapping[str, Any]):
    """Something of ours that a caller has put among the facts by mistake."""

    password = "hunter2"

    def __getitem__(self, name: str) -> Any:
        return "hunter2"

    def __iter__(self) -> Iterator[str]:
        return iter(["password"])

    def __len__(self) -> int:
        return 1

    def __str__(self) -> str:
        return "hunter2"

    def __liquid__(self) -> str:
        return "hunter2"

    def __html__(self) -> str:
        return "hunter2"


@pytest.mark.parametrize(
    "source",
    [
        "{{ data.__class__ }}{{ data.text.__class__.__mro__ }}{{ data['__class__'] }}{{ data.text['__init__'] }}",
        "{{ ours }}{{ ours.password }}{{ ours['password'] }}{{ ours | json }}{{ ours | upcase }}{{ ours | append: '' }}",
        "{% for x in ours %}{{ x }}{% endfor %}{% assign o = ours %}{{ o }}{% if ours == 'hunter2' %}hunter2{% endif %}",
        "{{ data.list | map: 'password' }}{{ data.list | map: '__class__' }}{{ data.list | where: '__class__' | size }}",
        "{% for i in data.one %}{{ forloop }}{{ forloop.it }}{{ forloop.__class__ }}{{ forloop.parentloop.name }}{% endfor %}",
        "{{ today }}{{ self }}{{ context }}{{ env }}{{ settings }}{{ data.text.upper }}{{ data.items }}{{ data.keys }}",
        "{% increment x %}{{ x.__class__ }}{% capture c %}{{ ours }}{% endcapture %}{{ c }}",
        "{{ data.text | default: ours }}{{ nothing | default: ours }}{% cycle ours, ours.password %}",
    ],
)
def test_nothing_of_pythons_objects_is_seen(source: str) -> None:
    data = {"text": "t", "list": [1, "a", {"x": 1}], "one": [1]}
    try:
        said = body(source, data=data, ours=Secretive())
    except TemplateError as error:
        said = error.detail
    for inside in ("hunter2", "<class", "object", "method", "0x", "ForLoop", "builtin", "mro"):
        assert inside not in said


def test_an_object_within_a_list_is_not_shown() -> None:
    for source in ("{{ data.list }}", "{{ data.list | join }}", "{{ data.list | first }}", "{{ data.list | json }}"):
        try:
            said = body(source, data={"list": [Secretive()]})
        except TemplateError as error:
            said = error.detail
        assert "hunter2" not in said


def test_attacks_leave_nothing_behind() -> None:
    """In a process of its own: a thousand different attacks, and its memory after the second half as after the first."""
    program = """
import gc, resource, sys
from notifications.templating.errors import TemplateError
from tests.notifications.templating.test_attacks import ATTACKS, DATA, LIBRARY
from tests.notifications.templating.saying import body
names = ["a loop of 10^9", "huge output of data", "doubling text", "a book between letters", "brackets in brackets", "a partial in itself"]
def held():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()
def attack(start):
    for n in range(start, start + 1500):
        try:
            body(ATTACKS[names[n % len(names)]] + f"{{# {n} #}}", library=LIBRARY, data=DATA)
        except TemplateError:
            continue
        raise SystemExit("it went through")
attack(0)
before = held()
attack(1500)
print(held() - before)
"""
    if not sys.platform.startswith("linux"):
        pytest.skip("reads /proc")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=300)
    assert int(done.stdout) < 8 * 1024 * 1024


def test_what_is_fine_stays_fine() -> None:
    """A digest of a thousand items, which is as many as one holds."""
    items = [{"data": {"text": f"comment {n}"}, "actor": {"name": f"u{n}"}} for n in range(1000)]
    source = "{% for item in items %}- {{ item.actor.name }}: {{ item.data.text | truncate: 40 }}\n{% endfor %}"
    said = render_content({"body": source}, channel="email", context={"items": items}, locale=None, timezone=None)
    assert said.body.count("\n") == 999
