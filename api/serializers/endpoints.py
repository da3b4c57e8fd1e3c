"""Endpoints as they come in and go out. The secret goes out once, when it is made."""

from typing import Any

from rest_framework import serializers

from api.fields import PublicId, Text, Time, WholeNumber
from api.serializing import In
from delivery.retries import MOST_STEPS, check_schedule
from notifications import custom_headers, event_types, signing_keys, texts
from notifications.clock import utc_now
from notifications.models import Endpoint
from notifications.sealing import SealBroken

CHANNELS = ["webhook"]
_SIGNATURE_HELP = (
    "`v1`: HMAC-SHA256 with the secret. `v1a`: Ed25519, verified with `public_key`. `both`: both signatures."
)
_HEADERS_HELP = (
    "Further request headers, such as authorization; kept encrypted and shown masked. Framing, hop-by-hop, cookie, forwarding,"
    " host, content-* and webhook-* headers are refused."
)
_FILTERS_HELP = (
    "Which event types to send: `order-shipped`, or a beginning such as `order-*`. Empty: all. Without a workflow the type is"
    " `notification`. What no endpoint of a recipient wants is recorded once, as `suppressed` (`event_filtered`)."
)
_RETRY_HELP = "Seconds to wait before each further attempt, in place of the channel's schedule; [] tries once; null: the channel's."


class Headers(serializers.DictField):
    """Header names and values; null, where it is allowed, removes one."""

    def __init__(self, *, removing: bool = False, **options: Any) -> None:
        child = Text(max_length=custom_headers.LONGEST_VALUE, check=custom_headers.check_value, allow_null=removing)
        super().__init__(child=child, help_text=_HEADERS_HELP, **options)

    def to_internal_value(self, data: Any) -> dict[str, str | None]:
        found: dict[str, str | None] = {}
        faults: dict[str, list[str]] = {}
        for given, value in super().to_internal_value(data).items():
            try:
                name = custom_headers.check_name(given)
            except ValueError as error:
                faults[given] = [str(error)]
                continue
            if name in found:
                faults[given] = ["Named twice."]
            found[name] = value
        if faults:
            raise serializers.ValidationError(faults)
        return found


class RetrySeconds(serializers.ListField):
    """A retry schedule."""

    def __init__(self, **options: Any) -> None:
        child = WholeNumber(min_value=1, max_value=86_400)
        super().__init__(child=child, max_length=MOST_STEPS, allow_null=True, help_text=_RETRY_HELP, **options)

    def to_internal_value(self, data: Any) -> list[int]:
        seconds: list[int] = super().to_internal_value(data)
        try:
            check_schedule(seconds)
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from error
        return seconds


def _filters(**options: Any) -> serializers.ListField:
    child = Text(check=event_types.check_filter, max_length=255)
    return serializers.ListField(child=child, max_length=event_types.MOST_FILTERS, help_text=_FILTERS_HELP, **options)


class SigningIn(In):
    """How an endpoint's webhooks are signed from now on."""

    signature = serializers.ChoiceField(choices=list(signing_keys.SCHEMES), required=False, help_text=_SIGNATURE_HELP)
    secret = Text(
        check=signing_keys.check_secret,
        max_length=128,
        required=False,
        help_text="Your own: `whsec_` and the base64 of 24 to 64 random bytes. Made here unless given.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "secret" in attrs and attrs.get("signature") == Endpoint.Signature.V1A:
            raise serializers.ValidationError({"secret": ["With v1a alone there is no secret."]})
        return attrs


class RotationIn(SigningIn):
    """Another kind of signature, or an own secret, with a rotation."""


class EndpointIn(SigningIn):
    """A new endpoint."""

    channel = serializers.ChoiceField(choices=CHANNELS)
    url = Text(max_length=2048, help_text="http or https; must lead to a public address.")
    headers = Headers(required=False)
    event_types = _filters(required=False)
    retry_seconds = RetrySeconds(required=False)


class EndpointPatchIn(In):
    """What can be changed about an endpoint. `headers` are merged: null removes one, what is left out stays.

    A `url` of another origin (scheme, host, port) drops the stored headers; those given in the same request are kept.
    """

    url = Text(max_length=2048, required=False)
    state = serializers.ChoiceField(
        choices=Endpoint.State.choices,
        required=False,
        help_text="An endpoint that was disabled, by you or by its receiver's 410, receives nothing until it is enabled.",
    )
    headers = Headers(required=False, removing=True)
    event_types = _filters(required=False)
    retry_seconds = RetrySeconds(required=False)


class EndpointOut(serializers.Serializer[Any]):
    """One address of a recipient beyond email and phone."""

    id = PublicId("end")
    recipient = serializers.CharField(source="recipient.external_id", help_text="The recipient's id.")
    channel = serializers.CharField()
    url = serializers.CharField()
    signature = serializers.ChoiceField(choices=list(signing_keys.SCHEMES), help_text=_SIGNATURE_HELP)
    public_key = serializers.SerializerMethodField(help_text="`whpk_` and base64; null without `v1a`.")
    old_secret_until = serializers.SerializerMethodField(
        help_text="Until then what signed before the last rotation signs along; null when nothing does."
    )
    headers = serializers.SerializerMethodField(help_text="Names of its own request headers, values masked.")
    event_types = serializers.ListField(child=serializers.CharField(), help_text=_FILTERS_HELP)
    retry_seconds = serializers.ListField(child=serializers.IntegerField(), allow_null=True, help_text=_RETRY_HELP)
    state = serializers.ChoiceField(choices=Endpoint.State.choices)
    disabled_reason = serializers.SerializerMethodField()
    created_at = Time()

    def get_public_key(self, endpoint: Endpoint) -> str | None:
        return endpoint.public_key or None

    def get_old_secret_until(self, endpoint: Endpoint) -> str | None:
        until = endpoint.old_secret_until
        return texts.format_time(until) if until is not None and until > utc_now() else None

    def get_headers(self, endpoint: Endpoint) -> dict[str, str]:
        try:
            return dict.fromkeys(custom_headers.unseal_headers(endpoint.sealed_headers), custom_headers.MASK)
        except SealBroken:
            return {}  # no key opens them: one lost secret hides no other endpoint

    def get_disabled_reason(self, endpoint: Endpoint) -> str | None:
        return endpoint.disabled_reason or None


class EndpointMadeOut(EndpointOut):
    """An endpoint with the signing secret that was just made, which is never shown again."""

    secret = serializers.CharField(
        allow_null=True, help_text="Standard Webhooks: `whsec_` and base64. Null with `v1a` alone: use `public_key`."
    )
