"""The one bounded, authenticated request: what is sent, what is not believed, and what is never shown."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from tests.custody.builders import TOKEN
from xstocks_daemon.custody.http import HttpTarget, post_json
from xstocks_daemon.custody.wire import MAX_BODY_BYTES
from xstocks_daemon.http import HttpAnswer, HttpUnreachable, http_session

Answer = Callable[[web.Request], web.StreamResponse]


@asynccontextmanager
async def server(answer: Answer, path: str = "/v1/x") -> AsyncIterator[str]:
    async def handle(request: web.Request) -> web.StreamResponse:
        return answer(request)

    app = web.Application()
    app.router.add_post(path, handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def posted(url: str, timeout_secs: float = 60.0) -> HttpAnswer:
    async with http_session() as session:
        return await post_json(session, HttpTarget(url, TOKEN), "/v1/x", {"a": 1}, timeout_secs=timeout_secs)


async def unreachable(url: str, timeout_secs: float = 60.0) -> str:
    with pytest.raises(HttpUnreachable) as failed:
        await posted(url, timeout_secs)
    return failed.value.reason


async def test_the_token_is_sent_and_the_answer_given() -> None:
    async with server(lambda request: web.Response(text=request.headers["Authorization"])) as url:
        assert await posted(url) == HttpAnswer(200, f"Bearer {TOKEN}".encode())
        assert await posted(url + "/") == HttpAnswer(200, f"Bearer {TOKEN}".encode())


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_server_that_is_busy_or_fails_may_be_asked_again(status: int) -> None:
    async with server(lambda _: web.json_response({"detail": "try later"}, status=status)) as url:
        assert await unreachable(url) == f"HTTP status {status}: try later"


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422])
async def test_a_refusal_is_an_answer(status: int) -> None:
    async with server(lambda _: web.Response(body=b"no", status=status)) as url:
        assert await posted(url) == HttpAnswer(status, b"no")


async def test_the_token_does_not_follow_a_redirect() -> None:
    told: list[str] = []

    def elsewhere(request: web.Request) -> web.Response:
        told.append(request.headers.get("Authorization", ""))
        return web.Response()

    async with server(elsewhere) as other:
        moved = web.Response(status=307, headers={"Location": other + "/v1/x"})
        async with server(lambda _: moved) as url:
            assert (await posted(url)).status == 307
    assert told == []


async def test_an_answer_is_bounded_in_size() -> None:
    async with server(lambda _: web.Response(body=b"x" * MAX_BODY_BYTES)) as url:
        assert len((await posted(url)).body) == MAX_BODY_BYTES
    async with server(lambda _: web.Response(body=b"x" * (MAX_BODY_BYTES + 1))) as url:
        assert await unreachable(url) == f"the answer is larger than {MAX_BODY_BYTES} bytes"


def test_neither_the_token_nor_what_a_url_holds_is_shown() -> None:
    target = HttpTarget("http://user:secret@127.0.0.1:9/secret?key=secret", TOKEN)
    assert TOKEN not in repr(target)
    assert target.safe.startswith("http://127.0.0.1:9")
    assert "secret" not in target.safe


async def test_no_connection_is_said_without_the_url() -> None:
    reason = await unreachable("http://127.0.0.1:9/secret?key=secret")
    assert reason == "no connection (ClientConnectorError)"


async def test_the_proxy_settings_of_the_surroundings_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with http_session() as session:
        assert session.trust_env is False


async def test_a_token_that_no_header_can_hold_is_no_traceback() -> None:
    async with server(lambda _: web.Response()) as url, http_session() as session:
        with pytest.raises(HttpUnreachable) as failed:
            await post_json(session, HttpTarget(url, "a\nb"), "/v1/x", {}, timeout_secs=60)
    assert failed.value.reason == "the request cannot be sent (ValueError)"
