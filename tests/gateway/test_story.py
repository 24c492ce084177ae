"""From the form that gives a grant to the log of its uses: pages, gateway and libraries, for real.

The developer and the partner use the office's pages in one process after the other; the gateway and
the endpoint are processes and servers of their own.
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anthropic
import openai
import pyrage
import pytest

from tests.gateway.model import RunningModel, in_a_loop
from tests.gateway.offices import RealGateway, real_gateway

_PAGES = """
import json, re, sys
import django
django.setup()
from django.conf import settings
settings.ALLOWED_HOSTS = ["testserver"]
settings.MIDDLEWARE = [one for one in settings.MIDDLEWARE if "whitenoise" not in one]
from django.test.utils import setup_test_environment
from django.utils import timezone
from tests.office.reviews import made
from tests.office.findings.people import client_of
settings.SECOND_FACTOR_REQUIRED = False
asked = json.loads(sys.argv[1])
who = made.cast()
"""
_GIVE = (
    _PAGES
    + """
name = made.opened(who, now=timezone.now())
made.joined(who, name, now=timezone.now())
developer = client_of(who.developer)
opened = developer.post("/reviews/endpoints/", {
    "address": asked["address"], "credential": "sk-first-credential", "keyed": "bearer",
    "prices": "m, 1, 2, 1000", "recipients": asked["recipient"]})
endpoint = opened["Location"].split("/")[3]
found = developer.post(f"/reviews/{name}/give-grant/", {
    "to": "clinic-net", "models": [f"{endpoint} m"], "networks": "127.0.0.0/8", "requests": "50",
    "tokens": "100000", "money": "5", "requests_a_minute": "50", "tokens_a_minute": "100000",
    "streams": "2", "calls": ["chat-completions", "messages"]})
said = found.content.decode()
print(json.dumps({"review": name, "endpoint": endpoint, "page": said}))
"""
)
_CHANGE = (
    _PAGES
    + """
found = client_of(who.developer).post(f"/reviews/endpoints/{asked['endpoint']}/", {
    "address": asked["address"], "credential": "sk-second-credential", "keyed": "x-api-key",
    "prices": "m, 1, 2, 1000", "recipients": asked["recipient"]})
assert found.status_code == 302, found.content
"""
)
_SEEN = (
    _PAGES
    + """
found = {}
for one in ("developer", "partner"):
    client = client_of(getattr(who, one))
    [grant] = client.get(f"/api/reviews/{asked['review']}/grants").json()
    here = f"/api/reviews/{asked['review']}/grants/{grant['name']}"
    found[one] = [grant, client.get(f"{here}/uses").json()["uses"]]
    if one == "developer":
        use = found[one][1][0]["name"]
        found["contents"] = client.get(f"{here}/uses/{use}/contents").content.hex()
print(json.dumps(found))
"""
)
_REVOKE = (
    _PAGES
    + """
client = client_of(who.developer)
[grant] = client.get(f"/api/reviews/{asked['review']}/grants").json()
found = client.post(f"/reviews/{asked['review']}/revoke-grant/", {"item": grant["name"]})
assert found.status_code == 302, found.content
"""
)


def told(gateway: RealGateway, program: str, **asked: Any) -> Any:
    """What a program in the office prints."""
    said = gateway.python(program, json.dumps(asked))
    return json.loads(said.splitlines()[-1]) if said.strip() else None


def until(true: Callable[[], bool]) -> None:
    """Wait for what another process does."""
    for _ in range(300):
        if true():
            return
        time.sleep(0.1)
    raise AssertionError("it did not come")


@pytest.mark.slow
def test_a_grant_from_the_form_to_the_log_and_to_its_end(tmp_path: Path) -> None:
    key = pyrage.x25519.Identity.generate()
    recipient = str(key.to_public())
    with (
        real_gateway(tmp_path / "home") as gateway,
        in_a_loop(lambda _: RunningModel()) as model,
    ):
        given = told(gateway, _GIVE, address=model.address, recipient=recipient)
        lines = dict(re.findall(r"export (\w+)=(\S+?)(?=\s|<)", given["page"]))
        token = lines["OPENAI_API_KEY"]
        assert lines["OPENAI_BASE_URL"].endswith("/v1")
        gateway.start(2)

        def ask() -> str:
            with anthropic.Anthropic(
                api_key=lines["ANTHROPIC_API_KEY"], base_url=gateway.url, max_retries=0
            ) as client:
                answer = client.messages.create(
                    model="m", max_tokens=10, messages=[{"role": "user", "content": "hi"}]
                )
                return str(getattr(answer.content[0], "text", ""))

        with openai.OpenAI(api_key=token, base_url=f"{gateway.url}/v1", max_retries=0) as client:
            stream = client.chat.completions.create(
                model="m", messages=[{"role": "user", "content": "hi"}], stream=True
            )
            assert "".join(one.choices[0].delta.content or "" for one in stream) == "Hello!"
        assert model.seen[-1].headers["Authorization"] == "Bearer sk-first-credential"
        told(
            gateway, _CHANGE, address=model.address, recipient=recipient,
            endpoint=given["endpoint"],
        )  # fmt: skip
        until(lambda: bool(ask()) and "x-api-key" in model.seen[-1].headers)
        assert model.seen[-1].headers["x-api-key"] == "sk-second-credential"
        asked = len(model.seen)
        until(lambda: len(told(gateway, _SEEN, review=given["review"])["partner"][1]) >= asked)
        seen = told(gateway, _SEEN, review=given["review"])
        for grant, uses in (seen["developer"], seen["partner"]):
            assert grant["spent"]["requests"] == len(uses) == asked
            assert {one["outcome"] for one in uses} == {"answered"}
            assert {one["address"] for one in uses} == {"127.0.0.1"}
        kept = json.loads(pyrage.decrypt(bytes.fromhex(seen["contents"]), [key]))
        assert json.loads(base64.b64decode(kept["request"]))["messages"][0]["content"] == "hi"
        told(gateway, _REVOKE, review=given["review"])

        def refused() -> bool:
            try:
                ask()
            except anthropic.APIStatusError as error:
                return "revoked" in str(error)
            return False

        until(refused)
        log = (gateway.home / "gateway.log").read_text()
        for secret in (token, "sk-first-credential", "sk-second-credential"):
            assert secret not in log
        assert gateway.state()["contradictions"] == []
