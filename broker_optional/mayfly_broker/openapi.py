"""The OpenAPI 3.1 document, made of the routes and of the bodies' own schemas."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from mayfly import __version__
from mayfly.rendezvous.messages import ID, LIMITS, OUTCOMES, STATUS, ErrorName, schemas
from mayfly_broker.routes import ANYWHERE, ROUTES, WITH_BODY, Route

QUERY: dict[str, dict[str, Any]] = {
    "wait": {
        "description": "Seconds to wait for something to answer with.",
        "schema": {"type": "number", "minimum": 0, "maximum": LIMITS.max_wait, "default": 0},
    },
    "after": {
        "description": "The cursor of the answer before: what is newer is wanted.",
        "schema": {"type": "integer", "minimum": 0, "maximum": 2**31 - 1, "default": 0},
    },
    "outcome": {
        "description": "How it went. Only the relay's word counts.",
        "schema": {"type": "string", "enum": list(OUTCOMES), "default": "failed"},
    },
}

_ERROR = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}}
_ID = {"type": "string", "pattern": f"^{ID}$"}


@cache
def document() -> dict[str, Any]:
    """The whole document. Not to be changed."""
    references, components = schemas()
    paths: dict[str, Any] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, references)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Mayfly broker",
            "version": __version__,
            "description": "Where relays and clients meet. The protocol is in words in core/PROTOCOL.md.",
            "license": {"name": "BSD-3-Clause", "identifier": "BSD-3-Clause"},
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The token of the match, or of the posting.",
                }
            },
        },
    }


def _operation(route: Route, references: dict[str, Any]) -> dict[str, Any]:
    named = re.findall(r"{(\w+)}", route.path)
    operation: dict[str, Any] = {
        "operationId": route.operation,
        "summary": route.summary,
        "parameters": [{"name": name, "in": "path", "required": True, "schema": _ID} for name in named]
        + [{"name": name, "in": "query", "required": False} | QUERY[name] for name in route.query],
        "responses": _responses(route, references),
    }
    if route.bearer:
        operation["security"] = [{"token": []}]
    if route.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": references[route.body]}},
        }
    return operation


def _responses(route: Route, references: dict[str, Any]) -> dict[str, Any]:
    answered: dict[str, Any] = {"description": "Done."}
    if route.answer is not None:
        answered["content"] = {"application/json": {"schema": references[route.answer]}}
    names: dict[int, list[str]] = {}
    errors = (*route.errors, *ANYWHERE, *(WITH_BODY if route.body else ()))
    for name in (*errors, *((ErrorName.UNAUTHORIZED,) if route.bearer else ())):
        names.setdefault(STATUS[name], []).append(name.value)
    refused = {
        str(status): {"description": "Refused: " + ", ".join(sorted(set(why))) + ".", "content": _ERROR}
        for status, why in sorted(names.items())
    }
    return {str(route.status): answered} | refused
