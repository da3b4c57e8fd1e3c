"""`/v1/topics` and who is subscribed to them."""

from typing import Any

from django.http import HttpResponse

from api import paging, paths
from api.base import ApiRequest, ApiView, json_response
from api.idempotency import answer_once, json_answer
from api.openapi import LIST_PARAMETERS, operation, page_of
from api.queries import read_query
from api.serializers.topics import MembersIn, SubscribedOut, SubscriptionOut, TopicIn, TopicOut, UnsubscribedOut
from api.serializing import shown, validated
from notifications import selectors
from notifications.executor import in_thread
from notifications.intake.requests import Answer
from notifications.models import Subscription, Topic
from notifications.services import topics as services

_SCOPES = {
    "GET": "recipients:read",
    "PUT": "recipients:write",
    "POST": "recipients:write",
    "PATCH": "recipients:write",
    "DELETE": "recipients:write",
}


def out(topic: Topic) -> dict[str, Any]:
    return shown(TopicOut, topic)


def subscription_out(subscription: Subscription) -> dict[str, Any]:
    return shown(SubscriptionOut, subscription)


class TopicCollection(ApiView):
    """`/v1/topics`"""

    scopes = _SCOPES

    @operation(
        tag="Topics",
        name="list_topics",
        summary="List topics",
        description="Newest first.",
        parameters=LIST_PARAMETERS,
        answers={200: page_of(TopicOut)},
    )
    async def get(self, request: ApiRequest) -> HttpResponse:
        project_id = request.caller.project_id
        page = paging.read_page(read_query(request, paging.PARAMETERS), name="topics", project_id=project_id)
        return json_response(await in_thread(paging.cut, selectors.topics_of(project_id), page, out))


class TopicItem(ApiView):
    """`/v1/topics/{key}`"""

    scopes = _SCOPES

    @operation(tag="Topics", name="get_topic", summary="Read a topic", answers={200: TopicOut})
    async def get(self, request: ApiRequest, topic_key: str) -> HttpResponse:
        topic = await in_thread(
            selectors.get_topic, project_id=request.caller.project_id, key=paths.existing_topic(topic_key)
        )
        return json_response(out(topic))

    @operation(
        tag="Topics",
        name="put_topic",
        summary="Create or replace a topic",
        request=TopicIn,
        example={"name": "Team 1"},
        answers={200: TopicOut, 201: TopicOut},
    )
    async def put(self, request: ApiRequest, topic_key: str) -> HttpResponse:
        values = validated(TopicIn, self.read(request))
        topic, created = await in_thread(
            services.put_topic,
            project_id=request.caller.project_id,
            key=paths.new_topic(topic_key),
            name=values.get("name", ""),
        )
        return json_response(out(topic), 201 if created else 200)

    @operation(
        tag="Topics",
        name="patch_topic",
        summary="Change a topic",
        request=TopicIn,
        example={"name": "Team One"},
        answers={200: TopicOut},
    )
    async def patch(self, request: ApiRequest, topic_key: str) -> HttpResponse:
        values = validated(TopicIn, self.read(request), partial=True)
        topic = await in_thread(
            services.rename_topic,
            project_id=request.caller.project_id,
            key=paths.existing_topic(topic_key),
            name=values.get("name"),
        )
        return json_response(out(topic))

    @operation(
        tag="Topics",
        name="delete_topic",
        summary="Remove a topic",
        description="Ends its subscriptions; the recipients stay.",
        answers={204: None},
    )
    async def delete(self, request: ApiRequest, topic_key: str) -> HttpResponse:
        await in_thread(
            services.delete_topic, project_id=request.caller.project_id, key=paths.existing_topic(topic_key)
        )
        return HttpResponse(status=204)


class SubscriptionCollection(ApiView):
    """`/v1/topics/{key}/subscriptions`"""

    scopes = _SCOPES

    @operation(
        tag="Topics",
        name="list_subscriptions",
        summary="List who is subscribed",
        description="In order of the recipients, the newest recipient first.",
        parameters=LIST_PARAMETERS,
        answers={200: page_of(SubscriptionOut)},
    )
    async def get(self, request: ApiRequest, topic_key: str) -> HttpResponse:
        project_id, key = request.caller.project_id, paths.existing_topic(topic_key)
        page = paging.read_page(
            read_query(request, paging.PARAMETERS), name=f"subscriptions:{key}", project_id=project_id
        )

        def work() -> dict[str, Any]:
            rows = selectors.subscriptions_of(project_id=project_id, key=key)
            return paging.cut(rows, page, subscription_out, by="recipient_id")

        return json_response(await in_thread(work))

    @operation(
        tag="Topics",
        name="subscribe",
        summary="Subscribe recipients",
        description="Up to 1000 at once. Creates the topic, and bare recipients, where they are unknown.",
        request=MembersIn,
        example={"recipients": ["u1", "u2"]},
        answers={200: SubscribedOut},
    )
    async def post(self, request: ApiRequest, topic_key: str) -> HttpResponse:
        project_id, key = request.caller.project_id, paths.new_topic(topic_key)
        wanted = validated(MembersIn, self.read(request))["recipients"]

        def work() -> Answer:
            return json_answer({"added": services.subscribe(project_id=project_id, key=key, external_ids=wanted)})

        return await answer_once(request, project_id, work)

    @operation(
        tag="Topics",
        name="unsubscribe",
        summary="Unsubscribe recipients",
        description="Up to 1000 at once, named in the body as for subscribing. Who is not subscribed is passed over.",
        request=MembersIn,
        example={"recipients": ["u2"]},
        answers={200: UnsubscribedOut},
    )
    async def delete(self, request: ApiRequest, topic_key: str) -> HttpResponse:
        wanted = validated(MembersIn, self.read(request))["recipients"]
        removed = await in_thread(
            services.unsubscribe,
            project_id=request.caller.project_id,
            key=paths.existing_topic(topic_key),
            external_ids=wanted,
        )
        return json_response({"removed": removed})
