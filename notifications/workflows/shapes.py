"""What a caller may write in a workflow: the msgspec structs that decode it; the OpenAPI document is generated from them."""

from datetime import timedelta
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, field

from notifications.workflows.definition import QuietHours, Until

MOST_STEPS: Final = 50

Key = Annotated[str, Meta(pattern=r"^[a-z0-9_-]{1,64}$")]
Channel = Annotated[str, Meta(min_length=1, max_length=40)]
RecipientId = Annotated[str, Meta(min_length=1, max_length=255)]
Liquid = Annotated[str, Meta(max_length=1000, description="Liquid.")]
TemplateIn = Annotated[
    str | dict[str, Any],
    Meta(
        description="The key of a stored template, its fields in line, or `{locales: {default: fields, de: fields}}`."
    ),
]
Duration = Annotated[timedelta, Meta(description="ISO 8601, such as PT15M or P1D; one second to 400 days.")]


class WindowIn(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """When a digest closes: one of `for`, `sliding` with `max`, `cron`, `rrule`."""

    for_: Duration | None = field(default=None, name="for")
    sliding: Duration | None = None
    max: Duration | None = None
    cron: Annotated[str, Meta(max_length=255)] | None = None
    rrule: (
        Annotated[
            str,
            Meta(max_length=255, description="RFC 5545; DAILY, WEEKLY, MONTHLY or YEARLY, without COUNT and UNTIL."),
        ]
        | None
    ) = None
    timezone: Annotated[str, Meta(max_length=64, description="IANA name, or `recipient` (default).")] | None = None


class StepIn(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What all steps have."""

    key: Key
    type: str
    if_: Annotated[dict[str, Any], Meta(description="JSON Logic.")] | None = field(default=None, name="if")


class ChannelStepIn(StepIn, kw_only=True):
    """`type` is the channel's name."""

    template: TemplateIn
    quiet_hours: QuietHours | None = None


class DelayStepIn(StepIn, kw_only=True):
    """One of `for` and `until`."""

    for_: Duration | None = field(default=None, name="for")
    until: Annotated[str, Meta(max_length=1000, description="Liquid that gives an RFC 3339 time.")] | None = None


class ConditionStepIn(StepIn, kw_only=True):
    """Where `if` does not hold: go on at `else`, or end."""

    else_: Annotated[Key, Meta(description="The key of a later step.")] | None = field(default=None, name="else")


class DigestStepIn(StepIn, kw_only=True):
    """Collect until the window closes."""

    window: WindowIn
    digest_key: Liquid = ""
    first_at_once: bool = False
    max_items: Annotated[int, Meta(ge=1, le=1000)] = 100
    order: Literal["oldest_first", "newest_first"] = "oldest_first"
    skip_if_empty: bool = True


class ThrottleStepIn(StepIn, kw_only=True):
    """So many per window and key."""

    limit: Annotated[int, Meta(ge=1, le=1_000_000)]
    window: Duration
    throttle_key: Liquid = ""
    on_limit: Literal["defer", "drop"] = "defer"


class FallbackStepIn(StepIn, kw_only=True):
    """Without templates: what the last step said on the channel, or else on any."""

    channels: Annotated[list[Channel], Meta(min_length=1, max_length=20)]
    wait: Duration
    until: Until = "delivered"
    template: TemplateIn | None = None
    templates: Annotated[dict[str, TemplateIn], Meta(description="By channel.")] = {}


class EscalateStepIn(StepIn, kw_only=True):
    """Without channels: those of the steps before."""

    to: Annotated[
        list[RecipientId],  # what is stored may name nobody any more
        Meta(max_length=20, description="Recipients' ids, in order.", extra_json_schema={"minItems": 1}),
    ]
    every: Duration
    times: Annotated[int, Meta(ge=1, le=20)] = 3
    until: Literal["acknowledged"] = "acknowledged"
    channels: Annotated[list[Channel], Meta(min_length=1, max_length=20)] | None = None
    template: TemplateIn | None = None
    templates: Annotated[dict[str, TemplateIn], Meta(description="By channel.")] = {}


class WorkflowIn(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One version of a workflow."""

    name: Annotated[str, Meta(min_length=1, max_length=255)]
    steps: Annotated[list[dict[str, Any]], Meta(min_length=1, max_length=MOST_STEPS)]
    category: Annotated[str, Meta(max_length=255)] | None = None
    critical: bool = False
    schema: Annotated[dict[str, Any], Meta(description="JSON Schema (2020-12) of `data`.")] | None = None


class SavedWorkflowIn(WorkflowIn, kw_only=True):
    """A workflow as it is PUT."""

    draft: Annotated[bool, Meta(description="Save it, publish nothing.")] = False


OTHER_STEPS: Final[dict[str, type[StepIn]]] = {
    "delay": DelayStepIn,
    "condition": ConditionStepIn,
    "digest": DigestStepIn,
    "throttle": ThrottleStepIn,
    "fallback": FallbackStepIn,
    "escalate": EscalateStepIn,
}
