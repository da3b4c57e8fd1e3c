"""`/v1/recipients/{id}/tokens`: opens one inbox for a short time."""

from django.http import HttpResponse

from api import paths
from api.base import ApiRequest, ApiView
from api.idempotency import answer_once, json_answer
from api.openapi import operation
from api.serializers.tokens import TokenIn, TokenOut
from api.serializing import shown, validated
from notifications.conf import conf
from notifications.intake.requests import Answer
from notifications.services.recipients import ensure_recipient
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
