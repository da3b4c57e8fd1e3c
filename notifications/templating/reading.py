"""A project's stored templates for those who look at them: previews, the admin. Routing reads by `loading.py`."""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from notifications.models import Template
from notifications.templating.library import Library

_MAX_ROUNDS: Final = 16


def read_library(project_id: UUID, keys: Iterable[str]) -> Library:
    """What is in use under these keys, and everything that it refers to."""
    kinds: dict[str, dict[str, Mapping[str, Any]]] = {kind.value: {} for kind in Template.Kind}
    seen: set[str] = set()
    wanted = set(keys)
    for _ in range(_MAX_ROUNDS):
        seen |= wanted
        rows = Template.objects.filter(project_id=project_id, key__in=wanted, published__isnull=False)
        wanted = set()
        for key, kind, variants, references in rows.values_list(
            "key", "kind", "published__variants", "published__references"
        ):
            kinds[kind][key] = variants
            wanted.update(references)
        wanted -= seen
        if not wanted:
            break
    return Library(templates=kinds["template"], layouts=kinds["layout"], partials=kinds["partial"])
