"""``clearhouse office`` and ``demo-data``: looking after the office from the command line."""

from __future__ import annotations

from pathlib import Path

import click

from clearhouse.cli.django_setup import migrate, set_up, set_up_as_it_is
from clearhouse.cli.exits import ExitCode


@click.group("office")
def office() -> None:
    """Look after the office: keys and tables, backups, known advisories, figures."""


@office.command("prepare")
def prepare() -> None:
    """Make the office's keys, tables and files of pages, or bring them up to date."""
    set_up()
    migrate()
    from clearhouse.office.assets import collect
    from clearhouse.office.config import current

    if not collect(current().static):
        click.echo("clearhouse: pages have no style sheet; 'make assets' gets it", err=True)
    click.echo(f"ready: keys in {current().home}")


@office.command("manage", context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def manage(arguments: tuple[str, ...]) -> None:
    """Run a command of Django's, such as 'check --deploy'."""
    set_up()
    from django.core.management import execute_from_command_line

    execute_from_command_line(["clearhouse office manage", *arguments])


@office.command("figures")
def figures() -> ExitCode:
    """Make the published figures again from the ledger, and compare.

    Exit code 1 where one differs.
    """
    set_up()
    from clearhouse.office.oversight.queries import recompute
    from clearhouse.office.viewer import SYSTEM

    code = ExitCode.HOLDS
    for one in recompute(SYSTEM):
        click.echo(f"{one.until}  {'same' if one.agrees else 'DIFFERS'}  {one.published}")
        code = code if one.agrees else ExitCode.DOES_NOT_HOLD
    return code


@office.command("reset-sign-in")
@click.argument("email")
def reset_sign_in(email: str) -> None:
    """Give whoever has lost a second factor a new password, shown once; factors are removed."""
    set_up()
    from django.utils import timezone

    from clearhouse.office.orgs import actions
    from clearhouse.office.viewer import SYSTEM

    click.echo(actions.reset_sign_in(SYSTEM, email=email, now=timezone.now()))
    click.echo("Hand it over where you know who takes it. Sessions have ended.", err=True)


@office.command("retry-jobs")
@click.option("--kind", help="Jobs of one kind, such as findings.prove.")
@click.option("--key", help="One job.")
@click.option("--lane", help="Jobs of one lane, such as finder:3.")
def retry_jobs(*, kind: str | None, key: str | None, lane: str | None) -> None:
    """Let jobs that failed for good wait again, as a repaired machine may do them."""
    set_up()
    from clearhouse.office.queue.actions import retry_failed

    click.echo(f"{retry_failed(key=key, kind=kind, lane=lane)} job(s) wait again")


@office.command("backup")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def backup(folder: Path) -> None:
    """Copy the database and the keys into FOLDER, while the office runs."""
    set_up_as_it_is()
    from clearhouse.office.keeping import back_up

    for line in back_up(folder):
        click.echo(line)


@office.command("restore")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
def restore(folder: Path) -> None:
    """Bring back what 'backup' put into FOLDER, into a home and a database that are empty."""
    set_up_as_it_is()
    from clearhouse.office.keeping import restore as bring_back

    for line in bring_back(folder):
        click.echo(line)


@click.command("demo-data")
@click.option(
    "--samples", type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=Path("samples"), show_default=True, help="Folder of the sample bundles.",
)  # fmt: skip
@click.option("--endpoint", metavar="URL", help="Address of a model to be measured in a review.")
@click.option(
    "--credential", envvar="CLEARHOUSE_STAND_IN_CREDENTIAL",
    help="The endpoint's credential; better in the variable CLEARHOUSE_STAND_IN_CREDENTIAL.",
)  # fmt: skip
@click.option(
    "--keys", type=click.Path(path_type=Path, file_okay=False),
    help="Folder for what it takes to measure: the review's name, keys, the grant's token.",
)  # fmt: skip
def demo_data(
    *, samples: Path, endpoint: str | None, credential: str | None, keys: Path | None
) -> None:
    """Fill an empty office with a realistic half year: findings, cases in every state, advisories.

    Proofs and patches are really run; histories are left to the workers.
    """
    if (endpoint is None) != (keys is None) or (endpoint is not None and not credential):
        raise click.UsageError("--endpoint, --credential and --keys go together")
    set_up()
    migrate()
    from clearhouse.cli.private_file import write_private
    from clearhouse.cli.progress import Working
    from clearhouse.office.demo import Endpoint, fill

    asked = Endpoint(endpoint, credential) if endpoint and credential else None
    with Working() as progress:
        made = fill(samples, say=lambda step: progress.say("demo-data", step), endpoint=asked)
    if made.to_measure is not None and keys is not None:
        one = made.to_measure
        for name, text in (
            ("review", one.review), ("grant.token", one.token), ("office.key", one.office_key),
            ("developer.key", one.developer_key),
        ):  # fmt: skip
            write_private(keys / name, f"{text}\n".encode())
    for line in made.logins:
        click.echo(line)
