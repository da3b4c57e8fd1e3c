"""Which due rows come first: critical ones, then the others, each in the order of their time. SQL only."""


def due_rows(table: str, *, where: str = "true") -> str:
    """Common table expressions that lock up to `%(limit)s` due rows of `table`: `due (id, n)`, n from 1, critical first.

    Two look-ups instead of one sort, so that each reads just what it takes from the partial index of open rows, however long the
    queue of a broadcast is.
    """
    return f"""
    urgent AS MATERIALIZED (
        SELECT id FROM {table} WHERE {where} AND critical AND available_at <= now()
         ORDER BY available_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED),
    usual AS MATERIALIZED (
        SELECT id FROM {table} WHERE {where} AND NOT critical AND available_at <= now()
         ORDER BY available_at LIMIT greatest(0, %(limit)s - (SELECT count(*) FROM urgent)) FOR UPDATE SKIP LOCKED),
    due AS MATERIALIZED (
        SELECT id, row_number() OVER () AS n FROM (SELECT id FROM urgent UNION ALL SELECT id FROM usual) AS locked)"""  # noqa: S608 - the module's callers name tables
