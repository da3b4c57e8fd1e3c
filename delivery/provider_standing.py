"""How the providers are, as the workers last wrote it: for whoever only watches."""

from typing import Final

ALL_PAUSED: Final = """
    WITH asked AS (
        SELECT channel, state, coalesce((settings ->> 'want_of_better')::boolean, false) AS spare
          FROM delivery_provider WHERE enabled)
    SELECT channel FROM asked
     WHERE NOT spare OR NOT EXISTS (SELECT FROM asked other WHERE other.channel = asked.channel AND NOT other.spare)
     GROUP BY channel HAVING bool_and(state = 'paused') ORDER BY channel"""
"""Channels of which every provider is paused: their deliveries wait. Those for want of a better count where alone."""

HEALTH: Final = """
    SELECT channel, name, max((state = 'paused')::int), max(consecutive_failures)
      FROM delivery_provider WHERE enabled GROUP BY channel, name"""
"""Per provider, by its name for people."""
