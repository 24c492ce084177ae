"""The ``clearhouse`` command: its groups, and the edge where errors become exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Final

import click
from click.shell_completion import shell_complete

from clearhouse import __version__
from clearhouse.cli.exits import ExitCode, exit_code_of
from clearhouse.cli.lazy import Lazy, LazyGroup
from clearhouse.errors import ClearhouseError

#: Every command, in the order in which ``--help`` lists them. Modules are imported when called.
COMMANDS: Final = {
    "prove": Lazy("clearhouse.cli.prove:prove", "Run bundles and say what they show."),
    "history": Lazy(
        "clearhouse.cli.history:history", "Run a bundle over the releases of its package."
    ),
    "check-patch": Lazy(
        "clearhouse.cli.check_patch:check", "Say whether a patch mends what a bundle proves."
    ),
    "hunt": Lazy("clearhouse.cli.hunt:hunt", "Have a model search a package for flaws."),
    "patch": Lazy("clearhouse.cli.patch:patch", "Have a model mend what a bundle proves."),
    "match": Lazy("clearhouse.cli.match:match", "Say which advisories touch an inventory."),
    "dedupe": Lazy("clearhouse.cli.dedupe:dedupe", "Group bundles that show the same flaw."),
    "proof": Lazy("clearhouse.cli.proof:proof", "Write, look at and pack a proof bundle."),
    "commit": Lazy(
        "clearhouse.cli.commit:commit", "Commit to a finding without showing it; works offline."
    ),
    "bench": Lazy("clearhouse.cli.bench:bench", "Build, check and seal items of the benchmark."),
    "assessment": Lazy(
        "clearhouse.cli.assessment:assessment", "Measure a review's model by a committed plan."
    ),
    "serve": Lazy("clearhouse.cli.serve:serve", "Start the office, with its workers."),
    "office": Lazy("clearhouse.cli.office:office", "Look after the office: keys, backups, data."),
    "gateway": Lazy(
        "clearhouse.cli.gateway:gateway", "Let the holders of grants use models under review."
    ),
    "demo-data": Lazy("clearhouse.cli.office:demo_data", "Fill an empty office with half a year."),
    "ledger": Lazy(
        "clearhouse.cli.ledger:ledger", "Verify a stored ledger; check a receipt offline."
    ),
    "directive": Lazy(
        "clearhouse.cli.directive:directive", "Read directives, and what they ask of you."
    ),
    "notices": Lazy("clearhouse.cli.notices:notices", "Verify a bundle of notices offline."),
    "determination": Lazy(
        "clearhouse.cli.determination:determination",
        "Compute a determination again from its evidence.",
    ),
    "submit": Lazy("clearhouse.cli.submit:submit", "Hand findings in to an office."),
    "known": Lazy("clearhouse.cli.submit:known", "Ask an office blind whether a flaw is known."),
    "feeds": Lazy("clearhouse.cli.feeds:feeds", "Load what is publicly known into the office."),
    "inventory": Lazy(
        "clearhouse.cli.inventory:inventory", "Tell an office what is installed, and what to do."
    ),
    "sandbox": Lazy("clearhouse.cli.sandbox:sandbox", "Try to break out of the sandbox."),
    "worker": Lazy("clearhouse.cli.worker:worker", "Do the jobs of the office's queue."),
}


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="clearhouse", message="%(prog)s %(version)s")
def cli() -> None:
    """Run reported vulnerabilities and say, with evidence, what they show.

    Exit codes: 0 holds, 1 does not hold, 2 bad input, 3 could not be run here.
    """


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``argv`` (default: the process's own) and return its exit code.

    A command returns an :class:`ExitCode`, or None for "holds"; it raises the error family for
    the rest.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # The interpreter would flush once more at its end and complain: give it a sink.
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, sys.stdout.fileno())
        os.close(sink)
        return ExitCode.PIPE_CLOSED
    return code


def _run(arguments: list[str]) -> int:
    # Not cli.main(): click ends a closed pipe with exit code 1, which means "does not hold" here.
    try:
        completion = os.environ.get("_CLEARHOUSE_COMPLETE")
        if completion:
            return shell_complete(cli, {}, "clearhouse", "_CLEARHOUSE_COMPLETE", completion)
        with cli.make_context("clearhouse", arguments) as context:
            result = cli.invoke(context)
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except ClearhouseError as error:
        _say(str(error))
        return exit_code_of(error)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return ExitCode.BAD_INPUT
    except click.UsageError as error:
        hint = f" ('{error.ctx.command_path} --help' shows how)" if error.ctx else ""
        _say(error.format_message() + hint)
        return ExitCode.BAD_INPUT
    except click.ClickException as error:
        _say(error.format_message())
        return ExitCode.BAD_INPUT
    except (KeyboardInterrupt, click.Abort):
        _say("interrupted")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:
        # The command edge: a bug must not end in exit code 1, which reads as a verdict.
        if os.environ.get("CLEARHOUSE_DEBUG"):
            raise
        _say(
            f"internal error ({type(error).__name__}); this is a bug of clearhouse, please report"
            " it. CLEARHOUSE_DEBUG=1 shows where."
        )
        return ExitCode.INTERNAL
    return int(result) if isinstance(result, int) else ExitCode.HOLDS


def _say(message: str) -> None:
    # Imported here: only the way out of an error needs it.
    from clearhouse.proof.text import printable

    click.echo(f"clearhouse: {printable(message)}", err=True)
