"""Pages over tables of millions without counting them."""

from typing import TYPE_CHECKING, Any, Final

from django.core.paginator import Paginator
from django.db import connections
from django.utils.functional import cached_property

if TYPE_CHECKING:
    _Paginator = Paginator[Any]
else:
    _Paginator = Paginator

_EXACT_UP_TO: Final = 5_000


class EstimatedPaginator(_Paginator):
    """Counts exactly up to a bound; beyond it a whole table is estimated by PostgreSQL's statistics."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        exact = int(rows.order_by()[: _EXACT_UP_TO + 1].count())
        if exact <= _EXACT_UP_TO or rows.query.where:
            return min(exact, _EXACT_UP_TO)
        with connections[rows.db].cursor() as cursor:
            cursor.execute(
                "SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [rows.model._meta.db_table]
            )
            found = cursor.fetchone()
        return max(int(found[0]) if found else 0, exact)
