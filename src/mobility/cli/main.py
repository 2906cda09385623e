"""Entry point: runs a command and turns every failure into one line and one exit status."""

from __future__ import annotations

import sys
import traceback
import uuid
from collections.abc import Sequence
from pathlib import Path

from typer.exceptions import Abort, TyperException

from mobility.cli.app import make_app
from mobility.core.collector import collect_rarely
from mobility.core.errors import EnvironmentFault, MobilityError, UsageError
from mobility.core.settings import Settings

INTERRUPTED = 130
OUR_FAULT = MobilityError.exit_status


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status (the table of docs/interfaces.md)."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    collect_rarely()
    try:
        result = make_app(words)(args=words, prog_name="mobility", standalone_mode=False)
        if result == INTERRUPTED:  # which is what typer makes of an interrupt
            return _fail("interrupted", INTERRUPTED)
        return result if isinstance(result, int) else 0
    except MobilityError as error:
        return _fail(str(error), error.exit_status)
    except TyperException as error:
        context = getattr(error, "ctx", None)
        hint = f" (see '{context.command_path} --help')" if context else ""
        return _fail(f"{error.format_message()}{hint}", UsageError.exit_status)
    except (KeyboardInterrupt, Abort):
        return _fail("interrupted", INTERRUPTED)
    except BrokenPipeError:  # the reader of a pipe has gone: nothing is left to say
        sys.stderr.close()
        return 0
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return _fail(f"{place}{error.strerror or error}", EnvironmentFault.exit_status)
    except Exception:
        return _fail(_keep_traceback(), OUR_FAULT)


def _fail(message: str, status: int) -> int:
    sys.stderr.write(f"error: {' '.join(message.split())}\n")
    return status


def _keep_traceback() -> str:
    """Write the traceback to the home's log and return what to tell the user."""
    name = f"error-{uuid.uuid4().hex[:12]}.txt"
    folder = Settings().home / "log"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(traceback.format_exc(), encoding="utf-8")
    except OSError:
        return f"this is our own fault, and {folder} cannot be written to keep the details"
    return f"this is our own fault; the details are in {Path(folder) / name}: please send it to us"
