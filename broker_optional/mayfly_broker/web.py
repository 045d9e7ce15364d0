"""The aiohttp application, and what holds for every request: limits, CORS, errors as JSON, counts, no addresses."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Handler

from mayfly.rendezvous import messages
from mayfly.rendezvous.messages import LIMITS, STATUS, ErrorName
from mayfly_broker import metrics, openapi, prefixes
from mayfly_broker.config import BrokerConfig
from mayfly_broker.gate import peer_of
from mayfly_broker.handlers import OWNER, Handlers
from mayfly_broker.limits import RateLimit
from mayfly_broker.metrics import Tally
from mayfly_broker.prefixes import Prefixes
from mayfly_broker.refusals import RefusedError
from mayfly_broker.routes import ROUTES

ACCESS = logging.getLogger("mayfly_broker.access")
"""One line a request: time taken, method, operation, status. Never an address, an id or a query."""

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Retry-After",
}
"""Any page may ask, also one opened from disk, whose origin is null: there are no cookies that it could misuse."""

PREFLIGHT = CORS | {
    "Access-Control-Allow-Methods": "GET, POST, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Access-Control-Max-Age": "86400",
}

_HTTP_ERRORS = {
    400: ErrorName.BAD_REQUEST,
    404: ErrorName.NOT_FOUND,
    405: ErrorName.METHOD,
    408: ErrorName.TIMEOUT,
    413: ErrorName.TOO_LARGE,
    415: ErrorName.MEDIA_TYPE,
}

_UNLIMITED = {"health", "metrics"}
"""Operations that a health check or a collector calls however busy its network is; they cost next to nothing."""


def application(
    handlers: Handlers,
    guard: Guard,
    tally: Tally,
    *,
    with_metrics: bool,
) -> web.Application:
    """The whole interface."""
    app = web.Application(middlewares=[_Answers(tally).middleware, guard.middleware], client_max_size=LIMITS.max_body)
    for route in ROUTES:
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]] = getattr(handlers, route.operation)
        app.router.add_route(route.method, route.path, handler, name=route.operation)
    document = json.dumps(openapi.document(), separators=(",", ":")).encode()

    async def described(_: web.Request) -> web.Response:
        return web.Response(body=document, content_type="application/json")

    app.router.add_route("GET", "/openapi.json", described, name="openapi")
    if with_metrics:
        _add_metrics(app, tally)
    return app


def metrics_application(tally: Tally) -> web.Application:
    """Only /metrics, for a listener of its own."""
    app = web.Application(client_max_size=LIMITS.max_body)
    _add_metrics(app, tally)
    return app


def _add_metrics(app: web.Application, tally: Tally) -> None:
    async def counted(_: web.Request) -> web.Response:
        return web.Response(body=tally.text(), headers={"Content-Type": metrics.CONTENT_TYPE})

    app.router.add_route("GET", "/metrics", counted, name="metrics")


def operation(request: web.Request) -> str:
    """The name of what is asked for; `none` where there is nothing."""
    return request.match_info.route.name or "none"


class Guard:
    """Counts requests by address prefix, and hands the prefix's name of the day to the handlers."""

    def __init__(self, known: Prefixes, config: BrokerConfig, daily_key: Callable[[], Awaitable[bytes]]) -> None:
        self._prefixes = known
        self._daily_key = daily_key
        self._rate = RateLimit(config.prefix_rate, config.prefix_burst, config.max_prefixes)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse what is too much."""
        if operation(request) in _UNLIMITED:
            return await handler(request)
        forwarded = ",".join(request.headers.getall("X-Forwarded-For", ()))  # a proxy may add a line of its own
        network = self._prefixes.of(peer_of(request.transport), forwarded)
        owner = request[OWNER] = prefixes.name(await self._daily_key(), network)
        wait = self._rate.take(owner, time.monotonic())
        if wait is not None:
            raise RefusedError(ErrorName.TOO_MANY, retry_after=wait)
        return await handler(request)


class _Answers:
    """Turns whatever a handler raises into a JSON answer, and counts and decorates all answers."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The outermost layer."""
        begun = time.monotonic()
        response = await self._answer(request, handler)
        response.headers.update(CORS)
        response.headers["Server"] = "mayfly"
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        name = operation(request)
        self._tally.requests[name, response.status] += 1
        ACCESS.info("%.1f ms %s %s %d", (time.monotonic() - begun) * 1000, request.method, name, response.status)
        return response

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except RefusedError as error:
            return self._refused(error)
        except web.HTTPMethodNotAllowed as error:
            return self._method(request.method, {*error.allowed_methods, "OPTIONS"})
        except web.HTTPException as error:
            return self._refused(RefusedError(_HTTP_ERRORS.get(error.status, ErrorName.BAD_REQUEST)))
        except (ConnectionError, web.RequestPayloadError):
            return self._refused(RefusedError(ErrorName.BAD_REQUEST))  # nobody is there to read it
        except Exception as error:  # a bug: told as one, without a traceback that could hold addresses
            logging.getLogger("mayfly_broker").error("internal error: %s", type(error).__name__)
            return self._refused(RefusedError(ErrorName.INTERNAL))

    def _method(self, method: str, allowed: set[str]) -> web.Response:
        headers = {"Allow": ", ".join(sorted(allowed))}
        if method == "OPTIONS":
            return web.Response(status=204, headers=PREFLIGHT | headers)
        return self._refused(RefusedError(ErrorName.METHOD), headers)

    def _refused(self, error: RefusedError, headers: dict[str, str] | None = None) -> web.Response:
        self._tally.refused[error.name.value] += 1
        sent = dict(headers or {})
        if error.retry_after is not None:
            sent["Retry-After"] = str(max(1, round(error.retry_after)))
        if error.name is ErrorName.UNAUTHORIZED:
            sent["WWW-Authenticate"] = "Bearer"
        body = messages.serialise(error.body)
        return web.Response(body=body, status=STATUS[error.name], headers=sent, content_type="application/json")
