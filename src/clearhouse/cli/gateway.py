"""``clearhouse gateway``: the proxy in front of models under review."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from clearhouse.cli.django_setup import migrate, set_up
from clearhouse.errors import Invalid

_LAST_PORT = 65_535


@click.group("gateway")
def gateway() -> None:
    """Let the holders of grants use models under review, and nobody else."""


@gateway.command("serve")
@click.option(
    "--address",
    default="127.0.0.1:8700",
    show_default=True,
    metavar="HOST:PORT",
    help="Where to listen; a proxy that does TLS stands before anything but this machine.",
)
@click.option(
    "--processes",
    type=click.IntRange(1, 64),
    default=2,
    show_default=True,
    help="Processes that share the port; one that dies is started again.",
)
@click.option(
    "--journals",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the journals, on a disk that outlives the machine's restart.  [default: the"
    " office's home]",
)
def serve(*, address: str, processes: int, journals: Path | None) -> None:
    """Serve OpenAI's and Anthropic's APIs to the holders of grants.

    Clients take http://HOST:PORT/v1 (OpenAI) or http://HOST:PORT (Anthropic) as their base
    address, and their grant's token as the key. Any number of machines may serve one office, on
    one PostgreSQL database; each needs its own folder of journals.
    """
    host, port = parsed_address(address)
    set_up()
    migrate()
    from django.db import connections

    from clearhouse.gateway.server import Settings, listening
    from clearhouse.gateway.server import serve as be_gateway
    from clearhouse.office.access.book import OfficeBook
    from clearhouse.office.config import current
    from clearhouse.office.queue.supervisor import Supervisor
    from clearhouse.protocol.access import Reach

    config = current()
    folder = journals or config.home / "gateway"
    settings = Settings(
        host,
        port,
        folder,
        Reach.ANYWHERE if config.is_local else Reach.PUBLIC,
        trusts_proxy=config.is_behind_proxy,
    )
    listening(host, port).close()  # a port that cannot be had is said once, and here
    connections.close_all()  # what is forked takes no connection along
    click.echo(
        f"clearhouse: the gateway is at http://{address} in {processes} process(es),"
        f" journals in {folder}",
        err=True,
    )
    works = {
        f"gateway {number}": partial(be_gateway, OfficeBook(), settings)
        for number in range(1, processes + 1)
    }
    Supervisor(works, say=lambda line: click.echo(f"clearhouse: {line}", err=True)).run()


def parsed_address(address: str) -> tuple[str, int]:
    """Host and port.  Raises :class:`Invalid`."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) <= _LAST_PORT:
        raise Invalid("expected a host and a port, such as 127.0.0.1:8700", key="--address")
    return host, int(port)
