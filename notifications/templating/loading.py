"""A project's stored templates, read as routing needs them: one query per batch once they are known.

What a version says never changes, so versions are kept by id; which version is in use is asked every time. What a
template is made with is asked along with it, as far as it is known from the last time.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from notifications.templating.library import Library

_MAX_ROUNDS: Final = 16
_MAX_VERSIONS: Final = 512
_MAX_CHARACTERS: Final = 16 * 1024 * 1024

_IN_USE: Final = """
    SELECT key, kind, published_id FROM notifications_template
     WHERE project_id = %s AND key = ANY(%s) AND published_id IS NOT NULL"""
_VERSIONS: Final = """
    SELECT id, variants, "references", length(variants::text) FROM notifications_templateversion WHERE id = ANY(%s)"""


@dataclass(frozen=True, slots=True)
class _Version:
    variants: Mapping[str, Any]
    references: tuple[str, ...]
    characters: int


class _Kept:
    """Versions by id, the longest unused dropped first."""

    def __init__(self) -> None:
        self._versions: OrderedDict[UUID, _Version] = OrderedDict()
        self._characters = 0

    def get(self, version_id: UUID) -> _Version | None:
        found = self._versions.get(version_id)
        if found is not None:
            self._versions.move_to_end(version_id)
        return found

    def put(self, version_id: UUID, version: _Version) -> None:
        if version_id in self._versions:
            return
        self._versions[version_id] = version
        self._characters += version.characters
        while len(self._versions) > _MAX_VERSIONS or (self._characters > _MAX_CHARACTERS and len(self._versions) > 1):
            self._characters -= self._versions.popitem(last=False)[1].characters


_kept = _Kept()
_known: OrderedDict[tuple[UUID, frozenset[str]], frozenset[str]] = OrderedDict()


async def load_library(connection: AsyncConnection[TupleRow], project_id: UUID, keys: Iterable[str]) -> Library:
    """What is in use now under these keys, and everything that it refers to. What does not exist is left out."""
    asked = frozenset(keys)
    if not asked:
        return Library()
    kinds: dict[str, dict[str, Mapping[str, Any]]] = {"template": {}, "layout": {}, "partial": {}}
    seen: set[str] = set()
    wanted = set(_known.get((project_id, asked), asked))
    for _ in range(_MAX_ROUNDS):
        seen |= wanted
        found = await (await connection.execute(_IN_USE, [project_id, sorted(wanted)])).fetchall()
        versions = await _versions(connection, [row[2] for row in found])
        wanted = set()
        for key, kind, version_id in found:
            if version_id not in versions:  # deleted between the two queries
                continue
            kinds[kind][key] = versions[version_id].variants
            wanted.update(versions[version_id].references)
        wanted -= seen
        if not wanted:
            break
    _remember(project_id, asked, frozenset(seen))
    return Library(templates=kinds["template"], layouts=kinds["layout"], partials=kinds["partial"])


async def _versions(connection: AsyncConnection[TupleRow], wanted: list[UUID]) -> dict[UUID, _Version]:
    versions = {version_id: kept for version_id in wanted if (kept := _kept.get(version_id)) is not None}
    if missing := [version_id for version_id in wanted if version_id not in versions]:
        cursor = await connection.execute(_VERSIONS, [missing])
        for version_id, variants, references, characters in await cursor.fetchall():
            version = versions[version_id] = _Version(variants, tuple(references), characters)
            _kept.put(version_id, version)
    return versions


def _remember(project_id: UUID, asked: frozenset[str], seen: frozenset[str]) -> None:
    _known[project_id, asked] = seen
    _known.move_to_end((project_id, asked))
    while len(_known) > _MAX_VERSIONS:
        _known.popitem(last=False)
