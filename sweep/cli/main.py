"""The command `sweep` and its subcommands. Heavy modules are imported inside commands: help is instant."""

import sys

import click

from sweep import __version__
from sweep.cli.compare import compare
from sweep.cli.doctor import doctor
from sweep.cli.export import export
from sweep.cli.fit import fit
from sweep.cli.followup import audit, confirm, reproduce, treat
from sweep.cli.forecast import forecast
from sweep.cli.options import (
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_USAGE,
    replace_unprintable,
)
from sweep.cli.read import diagnose, list_, report, show
from sweep.cli.run import init, run


class SweepGroup(click.Group):
    """Shows a SweepError as one message with its exit code; any other error is a bug and shows its traceback."""

    def invoke(self, ctx: click.Context) -> object:
        """Run a subcommand."""
        from sweep.config.errors import (
            StudyFileError,
            SweepError,
            UnknownName,
            UsageError,
            is_out_of_memory,
        )

        replace_unprintable()
        try:
            return super().invoke(ctx)
        except (StudyFileError, UnknownName, UsageError) as error:
            click.echo(f"error: {error}", err=True)
            sys.exit(EXIT_USAGE)
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            sys.exit(EXIT_INTERRUPTED)
        except SweepError as error:
            click.echo(f"error: {error}", err=True)
            sys.exit(EXIT_FAILED)
        except (MemoryError, ImportError, OSError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            reason = str(error).split("\n", 1)[0]
            click.echo(f"error: out of memory: {reason or 'use smaller data or fewer workers'}", err=True)
            sys.exit(EXIT_FAILED)


@click.group(
    cls=SweepGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="sweep")
def main() -> None:
    """Find out why a recurrent forecaster's rollout fails, and which training makes it hold.

    An option is taken from its flag, else from SWEEP_* in the environment, else from the study file.

    \b
    Exit codes:
      0: done
      1: failed
      2: invalid command or study file
      3: nothing to report (no trial completed, or nothing to confirm or audit)
      130: interrupted; rerun the command to resume
    """  # noqa: D301


for command in (
    init,
    run,
    report,
    show,
    diagnose,
    list_,
    confirm,
    treat,
    audit,
    compare,
    reproduce,
    fit,
    forecast,
    export,
    doctor,
):
    main.add_command(command)
