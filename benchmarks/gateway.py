"""What the gateway costs, how fast it cuts, and what is left when its processes are killed.

A real office on SQLite, ``clearhouse gateway serve`` with every check on, and an endpoint that
speaks the API, each in processes of their own. Processor time is the gateway's own, user and
system, from ``/proc``: a busy machine makes it no smaller, and little larger. Waiting times are as
the machine is; its load stands beside them.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import aiohttp
from aiohttp import web
from aiohttp.connector import AddrInfoType

from tests.gateway.killing import judge, run, settled_state
from tests.gateway.model import Model, RunningModel, in_a_loop
from tests.gateway.offices import RealGateway, real_gateway

_ROOT = Path(__file__).resolve().parent.parent
_REQUESTS = 4_000
_AT_ONCE = 16
_FIRST_CHUNKS = 300
_STREAMS = 1_000
_KILLED = int(os.environ.get("CLEARHOUSE_BENCH_KILLED", "10000"))
_PLENTY = (10**9, 10**12, 10**15)
_TICK = os.sysconf("SC_CLK_TCK")
_LITELLM_US = 20_300
#: A program 'litellm' with its proxy, to be measured in the same run; it is no dependency.
_LITELLM = os.environ.get("CLEARHOUSE_BENCH_LITELLM")
_LITELLM_REQUESTS = 1_000


def table(parts: Sequence[str] = ("cost", "chunk", "memory", "cut", "kills")) -> Iterator[str]:
    """Markdown lines."""
    yield "| what | measured | load of the machine |"
    yield "| --- | --- | --- |"
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        for part in parts:
            for line in _PARTS[part](Path(folder) / part):
                yield f"| {line} | {os.getloadavg()[0]:.1f} |"


@contextmanager
def _served(home: Path, processes: int) -> Iterator[tuple[RealGateway, str, str, str]]:
    """A gateway that runs, the endpoint's address, the grant's name and its token."""
    with _process("endpoint") as (address, _), real_gateway(home) as gateway:
        name, token = gateway.issue(address, _PLENTY)
        gateway.start(processes)
        yield gateway, address, name, token


@contextmanager
def _process(*arguments: str) -> Iterator[tuple[str, int]]:
    """A process of this file's: the address that it prints, and its id."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.gateway", *arguments],
        cwd=_ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip(), process.pid
    finally:
        process.terminate()
        process.wait()


def _body(said: str, *, streams: bool) -> bytes:
    message = {"role": "user", "content": said}
    return json.dumps(
        {"model": "m", "max_tokens": 5, "stream": streams, "messages": [message]}
    ).encode()


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def _memory_mib(pid: int, key: str = "VmHWM") -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"no {key} of {pid}")


async def _many(url: str, token: str, count: int, at_once: int) -> float:
    """Send so many requests; the seconds that it took."""
    numbers = iter(range(count))
    headers = {"Authorization": f"Bearer {token}"}
    body = _body("hello " * 20, streams=False)

    async def client(session: aiohttp.ClientSession) -> None:
        for _ in numbers:
            async with session.post(
                f"{url}/v1/chat/completions", data=body, headers=headers
            ) as answer:
                await answer.read()
                if answer.status != 200:
                    raise RuntimeError(f"status {answer.status}")

    began = time.perf_counter()
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*(client(session) for _ in range(at_once)))
    return time.perf_counter() - began


def _cost(home: Path) -> Iterator[str]:
    """Processor time of a request that is not streamed, everything on."""
    with _served(home, 1) as (gateway, address, _, token):
        yield _bare(address)
        peer_us = _LITELLM_US
        if _LITELLM:
            line, peer_us = _litellm(_LITELLM, home, address)
            yield line
        asyncio.run(_many(gateway.url, token, 500, _AT_ONCE))
        time.sleep(1)
        [pid] = gateway.pids()
        began, told = _cpu_seconds(pid), time.monotonic()
        time.sleep(3)
        idle = (_cpu_seconds(pid) - began) / (time.monotonic() - told)
        for at_once in (_AT_ONCE, 64):
            before = _cpu_seconds(pid)
            seconds = asyncio.run(_many(gateway.url, token, _REQUESTS, at_once))
            time.sleep(1)  # what is still being written to the office counts as well
            spent = _cpu_seconds(pid) - before - idle * (seconds + 1)
            each = 1e6 * spent / _REQUESTS
            yield (
                f"processor time of a request, {at_once} at once ({_REQUESTS:,} requests,"
                f" idle {1000 * idle:.0f} ms a second taken off)"
                f" | {each:.0f} us, 1/{peer_us / each:.0f} of litellm's"
                f" {'' if _LITELLM else 'recorded '}{peer_us / 1000:.1f} ms;"
                f" {_REQUESTS / seconds:.0f} a second"
            )


def _bare(address: str) -> str:
    """The same through a proxy that does nothing else."""
    with _process("bare", address) as (url, pid):
        asyncio.run(_many(url, "token", 500, _AT_ONCE))
        before = _cpu_seconds(pid)
        seconds = asyncio.run(_many(url, "token", _REQUESTS, _AT_ONCE))
        each = 1e6 * (_cpu_seconds(pid) - before) / _REQUESTS
    return (
        f"for comparison: a bare aiohttp proxy without checks, {_AT_ONCE} at once"
        f" | {each:.0f} us; {_REQUESTS / seconds:.0f} a second"
    )


def _litellm(program: str, home: Path, address: str) -> tuple[str, int]:
    """The same through litellm's proxy with a key and no database; its microseconds a request."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    config = home / "litellm.yaml"
    config.write_text(
        "model_list:\n- model_name: m\n  litellm_params:\n    model: openai/m\n"
        f"    api_base: {address}/v1\n    api_key: upstream\n"
        "general_settings:\n  master_key: sk-bench\n"
    )
    process = subprocess.Popen(
        [program, "--config", str(config), "--port", str(port), "--host", "127.0.0.1",
         "--num_workers", "1"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            try:
                asyncio.run(_many(url, "sk-bench", 50, 1))
                break
            except (aiohttp.ClientError, RuntimeError):
                time.sleep(0.5)
        before = _cpu_seconds(process.pid)
        seconds = asyncio.run(_many(url, "sk-bench", _LITELLM_REQUESTS, _AT_ONCE))
        spent = _cpu_seconds(process.pid) - before
    finally:
        process.terminate()
        process.wait()
    each = round(1e6 * spent / _LITELLM_REQUESTS)
    text = (
        f"for comparison: litellm's proxy with one key and no budgets, {_AT_ONCE} at once"
        f" | {each} us; {_LITELLM_REQUESTS / seconds:.0f} a second"
    )
    return text, each


def _first_chunk(home: Path) -> Iterator[str]:
    """What the first chunk of a stream takes longer than from the endpoint itself."""
    with _served(home, 1) as (gateway, address, _, token):

        async def first(session: aiohttp.ClientSession, url: str) -> float:
            began = time.perf_counter()
            async with session.post(
                f"{url}/v1/chat/completions",
                data=_body("hi", streams=True),
                headers={"Authorization": f"Bearer {token}"},
            ) as answer:
                await answer.content.readany()
                found = time.perf_counter() - began
                await answer.read()
            return found

        async def both() -> tuple[list[float], list[float]]:
            direct, through = [], []
            async with aiohttp.ClientSession() as session:
                for number in range(_FIRST_CHUNKS + 20):
                    one, other = (
                        await first(session, address), await first(session, gateway.url)
                    )  # fmt: skip
                    if number >= 20:
                        direct.append(one)
                        through.append(other)
            return direct, through

        direct, through = asyncio.run(both())
        added = 1000 * (median(through) - median(direct))
        yield (
            f"time to the first chunk, added, median of {_FIRST_CHUNKS}"
            f" | {added:.2f} ms ({1000 * median(direct):.2f} ms direct,"
            f" {1000 * median(through):.2f} ms through)"
        )


async def _opened(
    session: aiohttp.ClientSession, url: str, token: str, said: str
) -> aiohttp.ClientResponse:
    """A stream of which the first piece has come."""
    answer = await session.post(
        f"{url}/v1/chat/completions",
        data=_body(said, streams=True),
        headers={"Authorization": f"Bearer {token}"},
    )
    if answer.status != 200:
        raise RuntimeError(f"status {answer.status}: {await answer.text()}")
    await answer.content.readany()
    return answer


async def _open_all(
    session: aiohttp.ClientSession, url: str, token: str, said: str
) -> list[aiohttp.ClientResponse]:
    answers: list[aiohttp.ClientResponse] = []
    for _ in range(_STREAMS // 50):
        some = (_opened(session, url, token, said) for _ in range(50))
        answers += await asyncio.gather(*some)
    return answers


def _small(address: AddrInfoType) -> socket.socket:
    made = socket.socket(*address[:3])
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
    return made


def _memory(home: Path) -> Iterator[str]:
    """Memory of one process with many streams: slow ones, and such as clients do not read."""
    for said, what in (
        ("wait", "slow streams"),
        ("huge", "streams of 25 MB in events of 64 KiB that their clients do not read"),
    ):
        with _served(home / said, 1) as (gateway, _, _, token):
            [pid] = gateway.pids()
            before = _memory_mib(pid)

            async def hold(url: str, token: str, said: str) -> None:
                connector = aiohttp.TCPConnector(limit=0, socket_factory=_small)
                async with aiohttp.ClientSession(
                    connector=connector,
                    read_bufsize=2**10,
                    timeout=aiohttp.ClientTimeout(total=None),
                ) as session:
                    answers = await _open_all(session, url, token, said)
                    await asyncio.sleep(10)
                    for one in answers:
                        one.close()

            asyncio.run(hold(gateway.url, token, said))
            yield (
                f"memory of one process with {_STREAMS:,} {what}"
                f" | {_memory_mib(pid):.0f} MiB at most ({before:.0f} MiB before)"
            )


def _cut(home: Path) -> Iterator[str]:
    """From the commit of a revocation to the end of each stream, on four processes."""
    with _served(home, 4) as (gateway, _, name, token):

        async def cut() -> tuple[list[float], int]:
            revoking = await asyncio.to_thread(gateway.revoking, name)
            assert revoking.stdin is not None
            assert revoking.stdout is not None
            connector = aiohttp.TCPConnector(limit=0)
            async with aiohttp.ClientSession(
                connector=connector, timeout=aiohttp.ClientTimeout(total=None)
            ) as session:
                answers = await _open_all(session, gateway.url, token, "wait")
                await asyncio.sleep(3)
                ends: list[float] = []

                async def read(answer: aiohttp.ClientResponse) -> None:
                    try:
                        while await answer.content.readany():
                            pass
                    except aiohttp.ClientError:
                        pass
                    ends.append(time.time())

                readers = [asyncio.create_task(read(one)) for one in answers]
                await asyncio.sleep(1)
                early = len(ends)
                revoking.stdin.write("now\n")
                revoking.stdin.flush()
                at = float((await asyncio.to_thread(revoking.stdout.readline)).split()[1])
                await asyncio.wait(readers, timeout=30)
                await asyncio.to_thread(revoking.communicate)
            return sorted(one - at for one in ends), early

        after, early = asyncio.run(cut())
        late = sum(one > 1 for one in after)
        yield (
            f"revocation to cut, {_STREAMS:,} streams on 4 processes"
            f" | {1000 * median(after):.0f} ms median, {1000 * after[-1]:.0f} ms the last;"
            f" {late} later than 1 s, {_STREAMS - len(after)} missed, {early} ended before"
        )


def _kills(home: Path) -> Iterator[str]:
    """Requests while processes are killed; the endpoint is in this process, to be counted."""
    allowed = _KILLED * 9 // 10
    model = Model()
    with (
        in_a_loop(lambda _: RunningModel(model)),
        real_gateway(home) as gateway,
    ):
        _, token = gateway.issue(model.address, (allowed, 10**12, 10**15))
        gateway.start(4)
        outcome = asyncio.run(run(gateway, model, token, _KILLED, (0.5, 2.0), random.Random(11)))  # noqa: S311 - a schedule
        state = settled_state(gateway)
        wrong = judge(outcome, state, model, allowed)
    yield (
        f"{_KILLED:,} requests, {allowed:,} allowed, {outcome.kills} processes killed"
        f" | {len(outcome.answered):,} answered, {outcome.refused:,} refused,"
        f" {outcome.unanswered:,} broken off; {len(model.seen):,} reached the model,"
        f" {len(state['uses']):,} recorded; wrong: {'; '.join(wrong) or 'nothing'}"
    )


async def _be_bare(upstream: str) -> None:
    """A proxy that checks one token and passes on: what aiohttp itself costs."""
    async with aiohttp.ClientSession() as session:

        async def handle(request: web.BaseRequest) -> web.Response:
            if request.headers.get("Authorization") != "Bearer token":
                return web.Response(status=401)
            body = await request.read()
            async with session.post(upstream + request.path, data=body) as answer:
                return web.Response(body=await answer.read(), content_type=answer.content_type)

        runner = web.ServerRunner(web.Server(handle, access_log=None))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        print(f"http://{host}:{port}", flush=True)
        await asyncio.Event().wait()


async def _be_endpoint() -> None:
    async with RunningModel() as model:
        print(model.address, flush=True)
        await asyncio.Event().wait()


_PARTS = {"cost": _cost, "chunk": _first_chunk, "memory": _memory, "cut": _cut, "kills": _kills}


def _main(arguments: list[str]) -> None:
    match arguments:
        case ["endpoint"]:
            asyncio.run(_be_endpoint())
        case ["bare", upstream]:
            asyncio.run(_be_bare(upstream))
        case _:
            for text in table(arguments or list(_PARTS)):
                print(text, flush=True)


if __name__ == "__main__":
    _main(sys.argv[1:])
