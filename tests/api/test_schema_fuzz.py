"""schemathesis: requests made from the OpenAPI document, right and wrong ones; every answer must be as described."""

import json

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.openapi_document import document
from tests.api.asking import Tenant, add_message, token_of

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SCHEMA = schemathesis.openapi.from_dict(json.loads(document()[0]))
OPERATIONS = [result.ok() for result in SCHEMA.get_all_operations()]
EXAMPLES = 15
PARTS = {"params": "params", "headers": "headers", "data": "content", "json": "json"}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda mode: mode.name.lower())
def test_answers_are_as_described(
    tenant: Tenant, operation: schemathesis.schemas.APIOperation, mode: schemathesis.GenerationMode
) -> None:
    tenant.http.put("/v1/recipients/u1", json={})
    tenant.http.put("/v1/topics/team-1", json={})
    steps = [{"key": "bell", "type": "in_app", "template": {"title": "Hello"}}]
    tenant.http.put("/v1/workflows/comment", json={"name": "Comments", "steps": steps})
    tenant.http.put(
        "/v1/templates/order-shipped", json={"variants": {"default": {"default": {"title": "{{ data.x }}"}}}}
    )
    token = token_of(tenant, "u1")
    add_message(tenant, "u1")
    inbox = {"Authorization": f"Bearer {token}"} if operation.path.startswith("/v1/inbox/") else {}
    callback = tenant.http.post("/v1/callbacks", json={"name": "relay"}).json()
    reports = operation.path == "/v1/callbacks/{callback_id}/events"
    if reports:
        inbox = {"Authorization": f"Bearer {callback['secret']}"}

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        if reports:
            case.path_parameters = {"callback_id": callback["id"]}
        case.headers = {name: value for name, value in (case.headers or {}).items() if name.lower() != "authorization"}
        request = case.as_transport_kwargs(base_url="http://api.test")
        # White space around a value is no part of it (RFC 9110, 5.5); a client cannot even send it.
        sent = {name: value.strip() for name, value in request.get("headers", {}).items()}
        request["headers"] = {**sent, **inbox}
        parts = {ours: request[name] for name, ours in PARTS.items() if name in request}
        answer = tenant.http.request(request["method"], request["url"], **parts)
        case.validate_response(schemathesis.Response.from_httpx(answer, verify=False), checks=CHECKS)

    ask()
