"""The document, the routes and the handlers are one."""

from __future__ import annotations

import json
import re

from mayfly.rendezvous.messages import BODIES, STATUS, ErrorName
from mayfly_broker.handlers import Handlers
from mayfly_broker.openapi import document
from mayfly_broker.routes import ROUTES


def test_every_route_is_in_the_document_and_has_a_handler() -> None:
    described = {(method.upper(), path) for path, item in document()["paths"].items() for method in item}
    assert described == {(route.method, route.path) for route in ROUTES}
    for route in ROUTES:
        assert callable(getattr(Handlers, route.operation))
        assert {route.body, route.answer} <= {*BODIES, None}


def test_no_reference_is_broken() -> None:
    text = json.dumps(document())
    components = document()["components"]["schemas"]
    assert set(re.findall(r'"#/components/schemas/(\w+)"', text)) <= set(components)


def test_every_error_stands_where_it_can_happen() -> None:
    described: dict[str, set[str]] = {}
    for item in document()["paths"].values():
        for operation in item.values():
            for status, response in operation["responses"].items():
                described.setdefault(status, set()).update(
                    re.findall(r"[a-z]+(?:-[a-z]+)+|[a-z]{4,}", response["description"])
                )
    for name in ErrorName:
        if name is not ErrorName.METHOD:  # no operation of the document can meet it
            assert name.value in described[str(STATUS[name])], name
