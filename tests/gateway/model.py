"""A developer's endpoint that speaks both APIs, told by the model's input how to behave.

A real HTTP server on loopback.  What the last message says chooses the mode: ``slow``, ``hang``,
``break``, ``500``, ``429``, ``huge``, ``redirect``, ``401``, ``no-usage``, ``say:TEXT``.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

READ, WRITTEN = 11, 3


@dataclass
class Seen:
    """What the endpoint was sent."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class Model:
    """The endpoint: its address, what it was sent, and how many streams are open."""

    address: str = ""
    seen: list[Seen] = field(default_factory=list)
    open: int = 0
    pause: float = 0.02
    pieces: int = 3
    go: asyncio.Event = field(default_factory=asyncio.Event)


def _said(body: dict[str, Any]) -> str:
    if "prompt" in body:
        return str(body["prompt"])
    items = body.get("messages") or body.get("input") or ""
    if isinstance(items, list) and items and isinstance(items[-1], dict):
        content = items[-1].get("content", "")
        if isinstance(content, list):
            return "".join(str(one.get("text", "")) for one in content)
        return str(content)
    return str(items)


class Endpoint:
    """The handlers."""

    def __init__(self, model: Model) -> None:
        self.model = model

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.model.seen.append(Seen(request.path, dict(request.headers), body))
        mode = _said(body)
        match mode:
            case "hang":
                await asyncio.sleep(3600)
            case "500":
                return web.json_response({"error": {"message": "oh"}}, status=500)
            case "429":
                return web.json_response({"error": {"message": "slow down"}}, status=429)
            case "401":
                says = request.headers.get("Authorization", "")
                return web.json_response({"error": {"message": f"bad key {says}"}}, status=401)
            case "400":
                says = request.headers.get("Authorization", "")
                return web.json_response({"error": {"message": f"odd {says}"}}, status=400)
            case "422":
                return web.json_response({"error": {"message": "no such tool"}}, status=422)
            case "redirect":
                raise web.HTTPFound("http://127.0.0.1:1/elsewhere")
        if body.get("stream"):
            return await self._stream(request, body, mode)
        if mode == "break":
            assert request.transport is not None
            response = web.StreamResponse(headers={"Content-Length": "1000"})
            await response.prepare(request)
            await response.write(b"{")
            request.transport.abort()
            return response
        return web.json_response(_whole(request.path, body, mode))

    async def _stream(
        self, request: web.Request, body: dict[str, Any], mode: str
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        self.model.open += 1
        try:
            events = _events(request.path, body, mode, self.model.pieces)
            for number, event in enumerate(events):
                await response.write(event)
                if mode == "break" and number == 1:
                    assert request.transport is not None
                    request.transport.abort()
                    return response
                if mode == "slow":
                    await asyncio.sleep(self.model.pause)
                if mode == "wait" and number == 1:
                    await asyncio.sleep(3600)
            await response.write_eof()
        finally:
            self.model.open -= 1
        return response


def _text(mode: str, pieces: int) -> list[str]:
    if mode == "huge":
        return ["x" * 65536] * 400
    if mode.startswith("say:"):
        return list(mode.removeprefix("say:"))
    return ["Hel", "lo", "!"] if pieces == 3 else ["word "] * pieces


def _usage(path: str) -> dict[str, int]:
    if path.endswith(("/responses", "/messages")):
        return {"input_tokens": READ, "output_tokens": WRITTEN, "total_tokens": READ + WRITTEN}
    return {"prompt_tokens": READ, "completion_tokens": WRITTEN, "total_tokens": READ + WRITTEN}


def _whole(path: str, body: dict[str, Any], mode: str) -> dict[str, Any]:
    text = "".join(_text(mode, 3))
    model = body["model"]
    usage = {} if mode == "no-usage" else {"usage": _usage(path)}
    if path.endswith("/chat/completions"):
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return {"id": "c", "object": "chat.completion", "created": 1, "model": model,
                "choices": [choice], **usage}  # fmt: skip
    if path.endswith("/completions"):
        choice = {"index": 0, "text": text, "finish_reason": "stop", "logprobs": None}
        return {"id": "c", "object": "text_completion", "created": 1, "model": model,
                "choices": [choice], **usage}  # fmt: skip
    if path.endswith("/embeddings"):
        data = [{"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}]
        counted = {"usage": {"prompt_tokens": READ, "total_tokens": READ}}
        return {"object": "list", "model": model, "data": data, **counted}
    if path.endswith("/count_tokens"):
        return {"input_tokens": READ}
    if path.endswith("/responses"):
        return _response(model, text, "completed") | usage
    return {"id": "msg", "type": "message", "role": "assistant", "model": model,
            "content": [{"type": "text", "text": text}], "stop_reason": "end_turn",
            "stop_sequence": None, **usage}  # fmt: skip


def _response(model: str, text: str, status: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    item = {"type": "message", "id": "i", "role": "assistant", "status": status,
            "content": content}  # fmt: skip
    return {"id": "r", "object": "response", "created_at": 1, "model": model, "status": status,
            "output": [item] if text else [], "parallel_tool_calls": False, "tool_choice": "auto",
            "tools": []}  # fmt: skip


def _events(path: str, body: dict[str, Any], mode: str, pieces: int) -> Iterator[bytes]:
    texts, model = _text(mode, pieces), body["model"]
    usage = _usage(path)
    if path.endswith("/messages"):
        message = {"id": "msg", "type": "message", "role": "assistant", "model": model,
                   "content": [], "stop_reason": None, "stop_sequence": None,
                   "usage": {"input_tokens": READ, "output_tokens": 1}}  # fmt: skip
        yield _named("message_start", {"message": message})
        block: dict[str, Any] = {"type": "text", "text": ""}
        yield _named("content_block_start", {"index": 0, "content_block": block})
        for text in texts:
            said: dict[str, Any] = {"type": "text_delta", "text": text}
            yield _named("content_block_delta", {"index": 0, "delta": said})
        yield _named("content_block_stop", {"index": 0})
        ended = {"delta": {"stop_reason": "end_turn", "stop_sequence": None}}
        yield _named("message_delta", ended | {"usage": {"output_tokens": WRITTEN}})
        yield _named("message_stop", {})
        return
    if path.endswith("/responses"):
        number = iter(range(10**6))
        made = _response(model, "", "in_progress")
        yield _named("response.created", {"response": made, "sequence_number": next(number)})
        item = {"type": "message", "id": "i", "role": "assistant", "status": "in_progress"}
        added: dict[str, Any] = {"output_index": 0, "sequence_number": next(number)}
        yield _named("response.output_item.added", added | {"item": item | {"content": []}})
        part = {"type": "output_text", "text": "", "annotations": []}
        added = {"item_id": "i", "output_index": 0, "content_index": 0, "part": part}
        added["sequence_number"] = next(number)
        yield _named("response.content_part.added", added)
        for text in texts:
            delta: dict[str, Any] = {"item_id": "i", "output_index": 0, "content_index": 0}
            delta |= {"delta": text, "logprobs": [], "sequence_number": next(number)}
            yield _named("response.output_text.delta", delta)
        ended = _response(model, "".join(texts), "completed") | {"usage": usage}
        yield _named("response.completed", {"response": ended, "sequence_number": next(number)})
        return
    chat = path.endswith("/chat/completions")
    kind = "chat.completion.chunk" if chat else "text_completion"
    frame: dict[str, Any] = {"id": "c", "object": kind, "created": 1, "model": model}
    asked = (body.get("stream_options") or {}).get("include_usage") and mode != "no-usage"
    extra: dict[str, Any] = {"usage": None} if asked else {}
    for text in texts:
        choice: dict[str, Any] = {"index": 0, "finish_reason": None}
        choice |= {"delta": {"content": text}} if chat else {"text": text, "logprobs": None}
        yield _plain(frame | {"choices": [choice]} | extra)
    choice = {"index": 0, "finish_reason": "stop"}
    choice |= {"delta": dict[str, Any]()} if chat else {"text": "", "logprobs": None}
    yield _plain(frame | {"choices": [choice]} | extra)
    if asked:
        yield _plain(frame | {"choices": [], "usage": usage})
    yield b"data: [DONE]\n\n"


def _plain(document: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(document).encode() + b"\n\n"


def _named(kind: str, document: dict[str, Any]) -> bytes:
    return f"event: {kind}\n".encode() + _plain({"type": kind, **document})


@contextmanager
def in_a_loop(start: Callable[[asyncio.AbstractEventLoop], Any]) -> Iterator[Any]:
    """Run an event loop in a thread of its own; ``start`` is awaited there, and closed after."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        opened = start(loop)
        value = asyncio.run_coroutine_threadsafe(opened.__aenter__(), loop).result(30)
        try:
            yield value
        finally:
            asyncio.run_coroutine_threadsafe(opened.__aexit__(None, None, None), loop).result(30)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class RunningModel:
    """The endpoint, served."""

    def __init__(self, model: Model | None = None, port: int = 0) -> None:
        self.model = model or Model()
        self._port = port

    async def __aenter__(self) -> Model:
        app = web.Application(client_max_size=2**30)
        app.router.add_post("/{rest:.*}", Endpoint(self.model).answer)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, backlog=2048)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.model.address = f"http://{host}:{port}"
        return self.model

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()
