"""`/v1/recipients/{id}/tokens`: opens one inbox for a short time, and what takes that back."""

from uuid import UUID

from django.http import HttpResponse

from api import paths
from api.base import ApiRequest, ApiView
from api.idempotency import answer_once, json_answer
from api.openapi import operation
from api.serializers.tokens import RevocationOut, TokenIn, TokenOut
from api.serializing import shown, validated
from notifications.conf import conf
from notifications.events import access_hint
from notifications.inbox.process import inbox_door
from notifications.intake.requests import Answer
from notifications.services.recipients import ensure_recipient
from notifications.services.tokens import revoke_tokens
from notifications.tokens import issue_token


class TokenCollection(ApiView):
    """`/v1/recipients/{id}/tokens`"""

    scopes = {"POST": "recipients:write"}

    @operation(
        tag="Recipients",
        name="create_token",
        summary="Issue an inbox token",
        description="Give it to the recipient's browser or app. An unknown recipient is created bare.",
        request=TokenIn,
        example={"lifetime_seconds": 3600},
        answers={201: TokenOut},
    )
    async def post(self, request: ApiRequest, recipient_id: str) -> HttpResponse:
        project_id, external_id = request.caller.project_id, paths.new_recipient(recipient_id)
        values = validated(TokenIn, self.read_optional(request))
        lifetime = values.get("lifetime_seconds", conf().token_lifetime_seconds)

        def work() -> Answer:
            recipient = ensure_recipient(project_id=project_id, external_id=external_id)
            token, expires_at = issue_token(
                project_id=project_id, recipient_pk=recipient.id, external_id=external_id, lifetime_seconds=lifetime
            )
            return json_answer(shown(TokenOut, {"token": token, "expires_at": expires_at}), 201)

        return await answer_once(request, project_id, work)


class TokenRevocation(ApiView):
    """`/v1/recipients/{id}/tokens/revoke`"""

    scopes = {"POST": "recipients:write"}

    @operation(
        tag="Recipients",
        name="revoke_tokens",
        summary="Revoke a recipient's inbox tokens",
        description="Every token issued before now is refused everywhere, and what it holds open ends within about a second:"
        " sockets with 4401, event streams and long polls as at their end. Tokens issued later are not concerned.",
        answers={200: RevocationOut},
        answer_example={"tokens_valid_from": "2026-01-31T09:00:00.000Z"},
    )
    async def post(self, request: ApiRequest, recipient_id: str) -> HttpResponse:
        project_id, external_id = request.caller.project_id, paths.existing_recipient(recipient_id)
        revoked: list[UUID] = []

        def work() -> Answer:
            recipient_pk, valid_from = revoke_tokens(project_id=project_id, external_id=external_id)
            revoked.append(recipient_pk)
            return json_answer(shown(RevocationOut, {"tokens_valid_from": valid_from}))

        response = await answer_once(request, project_id, work)
        await (await inbox_door()).publish([access_hint(pk) for pk in revoked])
        return response
