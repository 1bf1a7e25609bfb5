"""The command line: `python -m skmm_core`.

Exit codes: 0 done, 2 bad input (one `error:` line on stderr), 3 cancelled, 1 anything else.
torch is loaded by the commands that compute, not before: `--help` and `runs list` answer at once.
"""

import contextlib
import os
import sys
import traceback
from collections.abc import Sequence

import typer

from skmm_core import __version__
from skmm_core.cli import bench, compute, embed, history, labels, listing, paper, predict
from skmm_core.errors import Cancelled, InputError
from skmm_core.jobs import let_threads_sleep

DONE, FAILED, BAD_INPUT, CANCELLED = 0, 1, 2, 3
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]  # typer brings its own click, or uses the installed one

app = typer.Typer(
    name="python -m skmm_core",
    help="Pick the few points worth labelling or training on.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
listing.register(app)
compute.register(app)
embed.register(app)
predict.register(app)
paper.register(app)
bench.register(app)
app.add_typer(history.app, name="runs")
app.add_typer(labels.app, name="labels")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: words after the program's name; default those of this process.

    Returns:
        The exit code.
    """
    let_threads_sleep()
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        outcome = app(words or ["--help"], standalone_mode=False)
    except (Cancelled, KeyboardInterrupt, typer.Abort) as stopped:
        _say(f"{' '.join(str(stopped).split()) or 'cancelled'}; what was finished is kept")
        return CANCELLED
    except InputError as error:
        _say(f"error: {' '.join(str(error).split())}")
        return BAD_INPUT
    except _UsageError as error:
        message = error.format_message() if hasattr(error, "format_message") else str(error)
        _say(f"error: {' '.join(str(message).split()).rstrip('.')}. See --help.")
        return BAD_INPUT
    except BrokenPipeError:
        # The reader of our output left (`| head`); nothing is left to say, also not when Python flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        from skmm_core.jobs import error_line

        if os.environ.get("SKMM_DEBUG"):
            traceback.print_exc()
        _say(f"error: {error_line(error)} (SKMM_DEBUG=1 shows where)")
        return FAILED
    return outcome if isinstance(outcome, int) else DONE


@app.callback(invoke_without_command=True)
def _program(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Show the version."),
) -> None:
    if version:
        typer.echo(__version__)
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


def _say(line: str) -> None:
    shown = "".join(sign if sign.isprintable() else "\ufffd" for sign in line)  # names may hold what steers a terminal
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{shown}\n")
        sys.stderr.flush()
