"""Handlers and middleware without sockets: what a request may say, and long polls that end when they should."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from unit.broker.served import served


@pytest.mark.parametrize("wait", ["-1", "26", "1e9", "nan", "inf", "", "1_0", "+1", "0x1", "1.", "\uff11"])
async def test_a_wait_that_is_none(wait: str) -> None:
    async with served() as (api, *_):
        posting = await api.post_friend()
        (await api.news(posting, wait=wait)).refused("bad-request")  # type: ignore[arg-type]  # on purpose


@pytest.mark.parametrize("after", ["-1", "x", "1.5", "99999999999", "2147483648"])
async def test_a_cursor_that_is_none(after: str) -> None:
    async with served() as (api, *_):
        posting = await api.post_friend()
        (await api.news(posting, after=after)).refused("bad-request")  # type: ignore[arg-type]  # on purpose


async def test_a_poll_ends_with_the_first_news_and_at_the_end_of_its_wait() -> None:
    async with served() as (api, store, *_), asyncio.timeout(20), asyncio.TaskGroup() as group:
        posting = await api.post_pool()
        assert (await api.news(posting, wait=0.05)).ok()["events"] == []
        assert (await api.news(posting, wait="2.5e-2")).ok()["events"] == []  # type: ignore[arg-type]  # as JSON has it
        poll = group.create_task(api.news(posting, wait=20))
        while not len(store.waiters):
            await asyncio.sleep(0)
        match = (await api.match()).ok()
        assert [event["match"] for event in (await poll).ok()["events"]] == [match["match"]]
        box = group.create_task(api.mailbox(match["match"], match["token"], wait=20))
        while not len(store.waiters):
            await asyncio.sleep(0)
        await api.close(match["match"], posting["token"], "wrong-word")
        assert (await box).ok()["closed"] == "wrong-word"


async def test_a_poll_of_a_broker_that_leaves_ends_soon() -> None:
    async with served() as (api, store, drain, _), asyncio.timeout(15), asyncio.TaskGroup() as group:
        posting = await api.post_friend()
        poll = group.create_task(api.news(posting, wait=25))
        while not len(store.waiters):
            await asyncio.sleep(0)
        drain.begin(10)
        store.waiters.wake_all()
        assert 0 < (await poll).ok()["closing"] <= 10
        refused = await api.call("POST", "/v1/postings", {"version": 1, "mode": "friend", "lifetime": 60})
        assert refused.headers["Retry-After"] == "10"
        refused.refused("draining")


@pytest.mark.parametrize("outcome", ["", "won", "done "])
async def test_an_outcome_that_is_none(outcome: str) -> None:
    async with served() as (api, *_):
        await api.post_pool()
        match = (await api.match()).ok()
        (await api.close(match["match"], match["token"], outcome)).refused("bad-request")


async def test_ids_and_tokens_that_cannot_be() -> None:
    async with served() as (api, *_):
        (await api.mailbox("short", "t" * 22)).refused("unknown-match")
        (await api.call("DELETE", "/v1/postings/x%00y", token="t" * 22)).refused("unknown-posting")
        for header in ("Basic abc", "Bearer", "Bearer ", "t" * 22, "Bearer " + "é" * 22):
            answer = await api.call("DELETE", f"/v1/postings/{'p' * 16}", headers={"Authorization": header})
            answer.refused("unauthorized")


async def test_another_version_and_other_bodies() -> None:
    async with served() as (api, *_):
        (await api.call("POST", "/v1/matches", {"version": 2})).refused("version-unsupported")
        body: Any = {"version": 1, "mode": "pool", "want": {"nat": "<script>"}}
        assert "script" not in (await api.call("POST", "/v1/matches", body)).refused("bad-request")["message"]
        async with api.session.post(api.base + "/v1/matches", data=b"{}", headers={"Content-Type": "text/x"}) as answer:
            assert (answer.status, (await answer.json())["error"]) == (415, "media-type")


async def test_a_mistake_of_ours_is_told_without_its_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    async with served() as (api, store, _, tally):

        async def broken(*_: object) -> None:
            raise ZeroDivisionError("secret")

        monkeypatch.setattr(store, "match", broken)
        answer = await api.match()
        assert "secret" not in str(answer.refused("internal"))
        assert tally.refused["internal"] == 1
