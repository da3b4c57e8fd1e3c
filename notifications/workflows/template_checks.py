"""What is checked of texts when a workflow is saved: the seam between workflows and the template language. Types only."""

from collections.abc import Callable
from typing import Any

from notifications.errors import Fault

TemplateCheck = Callable[[Any, str], list[Fault]]
"""(template, channel) -> faults, with pointers into the template."""
LineCheck = Callable[[str], list[Fault]]
"""(one line of Liquid) -> faults, without pointers."""
