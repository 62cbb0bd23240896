"""The command line ``syncd``: puts the families of commands together, and turns errors into one line and an exit code.

Commands import what they need when they run, so that ``--help`` answers at once.
"""

import errno
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import typer

from syncd.cli import (
    adapter,
    adapter_figures,
    adapter_tap,
    agreement,
    alarms,
    demo,
    desk,
    erase,
    evidence,
    fsck,
    honour,
    inquiry,
    jobs,
    keys,
    ledger,
    ledger_audit,
    member,
    node,
    recover,
    resync,
    review,
    who,
)  # fmt: skip
from syncd.cli.options import with_example
from syncd.errors import NeedsPerson, SyncdError

USAGE, FAULT, INTERRUPTED = 2, 70, 130

app = typer.Typer(
    name="syncd",
    help=with_example(
        "Cross-region sharing and mutual recognition 互认 of dishonesty findings 失信认定: one bureau's node.",
        "demo --dir .demo",
    ),
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
FAMILIES = (
    node,
    alarms,
    member,
    keys,
    agreement,
    inquiry,
    who,
    review,
    honour,
    resync,
    desk,
    jobs,
    erase,
    adapter,
    adapter_figures,
    adapter_tap,
    ledger,
    ledger_audit,
    evidence,
    recover,
    fsck,
    demo,
)
for family in FAMILIES:
    family.add_to(app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and leave with its exit code (``docs/commands.md``)."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit code. Nothing but ``SystemExit`` of a signal gets past this."""
    _open_closed()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without Chinese shows a mark, not a traceback
    try:
        if (blank := _blank(arguments)) is not None:
            return _complain(blank, USAGE)
        command = typer.main.get_command(app)
        if (text := _help(typer.Context(command, info_name="syncd"), arguments)) is not None:
            print(text, flush=True)
            return 0
        code = command.main(args=list(arguments), prog_name="syncd", standalone_mode=False)
        sys.stdout.flush()
    except SyncdError as error:
        return _complain(str(error), error.exit_code)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return _unread()
    except SystemExit as left:  # the parser leaves by itself where a pipe was closed
        if isinstance(left.__context__, OSError) and left.__context__.errno == errno.EPIPE:
            return _unread()
        raise
    except Exception as error:
        return _other(error, arguments)
    return code if isinstance(code, int) else 0


def _open_closed() -> None:
    """A stream that the caller has closed swallows what is said, before a file of ours takes its number."""
    while (handle := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(handle)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - stays open to the end


def _unread() -> int:
    """Whoever read has seen enough, as `… | head` does: that is no fault."""
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - or Python complains at its exit
    return 0


def _help(context: typer.Context, arguments: Sequence[str]) -> str | None:
    """The help that is asked for, without parsing: typer takes pydantic to read even ``--help``, which is slow."""
    if not {"-h", "--help"}.intersection(arguments):
        return None
    for argument in arguments:
        commands = getattr(context.command, "commands", None)
        if argument.startswith("-") or commands is None:
            break
        if argument not in commands:
            return None  # the parser says what is near it
        context = typer.Context(commands[argument], info_name=argument, parent=context)
    return context.get_help()


def _blank(arguments: Sequence[str]) -> str | None:
    """The sentence about a value that is blank: an unset variable of the shell never stands for a default."""
    for before, argument in zip(("", *arguments), arguments, strict=False):
        option, is_set, value = argument.partition("=") if argument.startswith("--") else (before, "=", argument)
        if is_set and not value.strip():
            what = f"The value of {option}" if option.startswith("-") else "An argument"
            return f"{what} is blank, as of a variable that is not set. Nothing was done; give or leave it out."
    return None


def _given(file: object, arguments: Sequence[str]) -> str | None:
    """The argument that names this file, or beside which it would be made; None where no argument does."""
    if not isinstance(file, (str, Path)):
        return None
    for argument in arguments:
        given = argument.partition("=")[2] if argument.startswith("--") else argument
        if given and Path(file) in (Path(given), Path(given + ".new")):
            return given
    return None


def _complain(sentence: str, code: int) -> int:
    print("syncd: " + " ".join(sentence.split()), file=sys.stderr)
    return code


def _other(error: Exception, arguments: Sequence[str]) -> int:
    """What the parser refuses, what a source says, and faults of ours: named by place, never by a value."""
    from adapters.base import SourceError

    if isinstance(error, SourceError):
        return _complain(error.sentence, 75 if error.transient else 3)
    told = getattr(error, "format_message", None)  # the parser's errors; where their class stands changes with typer
    if told is not None:
        if type(error).__name__ == "NoArgsIsHelpError":
            print(told())
            return USAGE
        sentence = str(told()).replace("Value error, ", "")
        stop = "" if sentence.endswith((".", "?")) else "."
        return _complain(f"{sentence}{stop} `syncd --help` shows the commands.", USAGE)
    if isinstance(error, OSError):
        why = error.strerror or type(error).__name__
        if (given := _given(error.filename, arguments)) is not None:
            return _complain(f"The file {given} cannot be used ({why}). Nothing more was done.", NeedsPerson.exit_code)
        where = f" ({error.filename})" if error.filename else ""
        if isinstance(error, PermissionError):
            also = "act as the node's own account, or give this one the right"
            return _complain(f"{why}{where}. Nothing more was done; {also}.", NeedsPerson.exit_code)
        return _complain(f"{why}{where}. Nothing more was done.", FAULT)
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "site-packages" not in frame.filename]
    place = f"{os.path.basename(ours[-1].filename)}:{ours[-1].lineno}"
    return _complain(f"A fault of this program ({type(error).__name__} at {place}); please report this line.", FAULT)
