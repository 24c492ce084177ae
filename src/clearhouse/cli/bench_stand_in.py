"""``clearhouse bench stand-in``: serve a stand-in for a model, to rehearse a measurement."""

from __future__ import annotations

import hmac
import itertools
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clearhouse.cli.gateway import parsed_address
from clearhouse.errors import ClearhouseError, Unavailable

if TYPE_CHECKING:
    from aiohttp import web


@click.command("stand-in")
@click.option(
    "--items",
    "folder",
    required=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of items; it holds the answers to these.",
)
@click.option("--address", default="127.0.0.1:8710", show_default=True, metavar="HOST:PORT")
@click.option(
    "--credential",
    envvar="CLEARHOUSE_STAND_IN_CREDENTIAL",
    required=True,
    help="What callers have to bring; better in the variable CLEARHOUSE_STAND_IN_CREDENTIAL.",
)
def stand_in(folder: Path, *, address: str, credential: str) -> None:
    """Serve a stand-in for a model that solves the items of a folder, since it has the answers.

    It answers OpenAI's chat completions under http://HOST:PORT/v1, as the model 'stand-in'. With it
    an office rehearses a whole review without any model: endpoint, grant, gateway, run,
    determination.
    """
    from aiohttp import web

    from clearhouse.benchmark.items import read_items
    from clearhouse.benchmark.stand_in import MODEL, AnswerKey

    host, port = parsed_address(address)
    key = AnswerKey(read_items(folder))
    numbers = itertools.count(1)

    async def complete(request: web.Request) -> web.Response:
        from clearhouse.benchmark.stand_in import completion

        _must_bring(request, credential)
        asked = await _document(request)
        try:
            found = completion(key, asked, number=next(numbers), created=int(time.time()))
        except ClearhouseError as error:
            return web.json_response({"error": {"message": str(error)}}, status=400)
        return web.json_response(found)

    async def models(request: web.Request) -> web.Response:
        _must_bring(request, credential)
        one = {"id": MODEL, "object": "model", "created": 0, "owned_by": "clearhouse"}
        return web.json_response({"object": "list", "data": [one]})

    app = web.Application(client_max_size=32 << 20)
    app.router.add_post("/v1/chat/completions", complete)
    app.router.add_get("/v1/models", models)
    click.echo(f"clearhouse: a stand-in for a model is at http://{address}/v1", err=True)
    try:
        web.run_app(app, host=host, port=port, print=None, handle_signals=True)
    except OSError as error:
        raise Unavailable(f"{address} cannot be served: {error.strerror}") from None


def _must_bring(request: web.Request, credential: str) -> None:
    from aiohttp import web

    sent = request.headers.get("Authorization", "")
    # Headers come as bytes that need not be text (PEP 383).
    brought = sent.encode(errors="surrogateescape")
    if not hmac.compare_digest(brought, f"Bearer {credential}".encode()):
        raise web.HTTPUnauthorized(text='{"error": {"message": "expected the credential"}}')


async def _document(request: web.Request) -> dict[str, Any]:
    from aiohttp import web

    try:
        found = json.loads(await request.read())
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise web.HTTPBadRequest(text='{"error": {"message": "expected a JSON object"}}')
    return found
