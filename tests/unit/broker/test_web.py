"""What holds for every answer: headers, counts, limits."""

from __future__ import annotations

import logging

import pytest

from unit.broker.served import served


async def test_every_answer_may_be_read_by_any_page_and_is_kept_by_nobody() -> None:
    async with served() as (api, *_):
        for path in ("/healthz", "/metrics", "/openapi.json", "/v1/none", "/v1/matches"):
            async with api.session.get(api.base + path) as answer:
                assert answer.headers["Access-Control-Allow-Origin"] == "*"
                assert answer.headers["Cache-Control"] == "no-store"
                assert answer.headers["Server"] == "mayfly"


async def test_the_wrong_method_names_the_right_ones() -> None:
    async with served() as (api, *_):
        answer = await api.call("PUT", "/v1/postings/pppppppppppppppp")
        answer.refused("method-not-allowed")
        assert answer.headers["Allow"] == "DELETE, OPTIONS, PATCH"


async def test_requests_are_counted_by_operation() -> None:
    async with served() as (api, _, __, tally):
        await api.post_friend()
        await api.match("7")
        await api.call("GET", "/v1/nothing")
        assert tally.requests["post", 201] == tally.requests["match", 404] == tally.requests["none", 404] == 1
        assert tally.refused["no-such-nameplate"] == 1
        assert tally.matches.total() == 0


async def test_the_access_log_has_no_address_id_or_query(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "mayfly_broker.access"):
        async with served() as (api, *_):
            posting = await api.post_friend()
            await api.news(posting)
    lines = [record.getMessage() for record in caplog.records if record.name == "mayfly_broker.access"]
    assert [line.partition(" ms ")[2] for line in lines] == ["POST post 201", "GET news 200"]
