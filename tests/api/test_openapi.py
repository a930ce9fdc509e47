import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from playwright.async_api import Page

from bot.api.api import OPERATIONS
from bot.api.openapi import document
from interactions.registry import Registry
from tests.api.conftest import ASKED, Api


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    return document(OPERATIONS, Registry(), "http://127.0.0.1:8080")


def schema_of(spec: dict[str, Any], path: str, verb: str, status: str) -> Draft202012Validator:
    content = spec["paths"][path][verb]["responses"][status]["content"]
    return Draft202012Validator({**next(iter(content.values()))["schema"], "components": spec["components"]})


def test_the_document_is_openapi_3_1(spec: dict[str, Any]) -> None:
    assert list(OpenAPIV31SpecValidator(spec).iter_errors()) == []


def test_every_example_fits_its_own_schema(spec: dict[str, Any]) -> None:
    wrong = []
    for path, verbs in spec["paths"].items():
        for verb, said in verbs.items():
            for content in said.get("requestBody", {}).get("content", {}).values():
                validator = Draft202012Validator({**content["schema"], "components": spec["components"]})
                for name, example in content.get("examples", {}).items():
                    wrong += [(path, verb, name, str(error)) for error in validator.iter_errors(example["value"])]
    assert wrong == []


def test_every_body_has_an_example_that_is_validated(spec: dict[str, Any]) -> None:
    for operation in OPERATIONS:
        if operation.body:
            assert operation.examples
            for example in operation.examples.values():
                operation.body.validate_python(json.loads(json.dumps(example)))


async def test_what_is_answered_is_what_is_documented(api: Api, spec: dict[str, Any]) -> None:
    asked = await api.ask(expires_in=60, requested_by={"agent": "deploy-bot"})
    await api.decide(asked)
    one = f"/api/v1/interactions/{asked['id']}"
    calls: list[tuple[str, str, str, str, Any]] = [
        ("get", one, "/api/v1/interactions/{id}", "agent", None),
        ("get", "/api/v1/interactions", "/api/v1/interactions", "agent", None),
        ("get", "/api/v1/deliveries", "/api/v1/deliveries", "admin", None),
        ("get", "/api/v1/thresholds", "/api/v1/thresholds", "agent", None),
        ("post", f"{one}/consume", "/api/v1/interactions/{id}/consume", "agent", {"digest": asked["digest"]}),
        ("post", f"{one}/consume", "/api/v1/interactions/{id}/consume", "agent", {"digest": asked["digest"]}),
        ("post", f"{one}/consume", "/api/v1/interactions/{id}/consume", "agent", {"digst": ""}),
        ("post", "/api/v1/interactions", "/api/v1/interactions", "agent", ASKED),
        ("post", "/api/v1/events", "/api/v1/events", "agent", {"type": "a", "summary": "b"}),
        ("post", "/api/v1/events", "/api/v1/events", "agent", [{"type": "a", "summary": "b"}]),
        ("post", "/api/v1/events", "/api/v1/events", "other", {}),
        ("get", "/api/v1/operators", "/api/v1/operators", "admin", None),
        ("post", "/api/v1/keys", "/api/v1/keys", "admin", {"name": "x", "scopes": ["metrics"]}),
        ("get", "/api/v1/keys", "/api/v1/keys", "admin", None),
        ("get", "/api/v1/audit", "/api/v1/audit", "admin", None),
    ]
    for verb, path, documented, key, body in calls:
        response = await api.call(verb, path, key, json=body)
        answer = await response.json()
        assert list(schema_of(spec, documented, verb, str(response.status)).iter_errors(answer)) == [], (path, answer)


async def test_the_page_shows_every_operation_under_its_strict_policy(api: Api, page: Page) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("requestfailed", lambda request: said.append(request.url))
    await page.goto(f"{api.address}/api/docs")
    await page.wait_for_selector(".opblock")
    assert await page.locator(".opblock").count() == len(OPERATIONS)
    assert said == []


async def test_the_document_names_the_address_that_holds_now(api: Api) -> None:
    for address in ("https://gate.example.com", "https://bell.example.com"):
        await api.product.settings.save({"BASE_URL": address}, "test")
        document = await (await api.call("GET", "/api/v1/openapi.json", None)).json()
        assert document["servers"] == [{"url": address}]
