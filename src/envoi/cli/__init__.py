"""The command line: `envoi COMMAND …`.

Each command is a module with `add_arguments(parser)` and `run(args) -> exit code`, loaded only when it is chosen and
after Django is set up. Whatever goes wrong is said in one line that names the remedy; a traceback is a fault of ours.

Exit codes: 0 done, 1 could not be done, 2 wrong use, 3 partly done, 130 interrupted; of what mail servers call, their
own (sysexits.h).
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import django
from django.db import Error as DatabaseError

from envoi.cli import throw_away
from envoi.cli.faults import Stop, explain

PORT = 8025


@dataclass(frozen=True, slots=True)
class Command:
    """One line of the table.

    Attributes:
        serves: takes --host and --port, which decide the base URL.
        throw_away: works in an installation of its own that leaves no trace, unless --data names one.
        trouble: the exit code when it could not be done, for whatever reason.
    """

    module: str
    help: str
    serves: bool = False
    throw_away: bool = False
    trouble: int = 1


COMMANDS = {
    "up": Command("up", "set up what is missing and run everything: web, workers, scheduler, sandbox mailbox", True),
    "web": Command("web", "run the web server only", True),
    "worker": Command("worker", "run a worker for background tasks and recurring work"),
    "send-due": Command("send_due", "send the next portion of transports that send in portions"),
    "receive-report": Command("receive_report", "take in messages that came back to return paths", trouble=75),
    "sandbox": Command("sandbox", "run the sandbox mailbox only"),
    "check": Command("check", "look at configuration and health, with hints"),
    "migrate": Command("migrate", "bring the database up to date"),
    "user": Command("user", "add a user, or give one a new one-time password"),
    "import": Command("import_", "take contacts from a CSV file"),
    "notify": Command("notify", "show a message on customers' dashboards"),
    "demo": Command("demo", "play the whole main job without a browser and print the counts", throw_away=True),
    "bench": Command("bench", "measure this machine in a throw-away installation", throw_away=True),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in {"-h", "--help", "help"}:
        print(overview())
        return 0 if words else 2
    if words[0] in {"-V", "--version"}:
        print(f"envoi {installed_version()}")
        return 0
    name, rest = words[0], words[1:]
    if name not in COMMANDS:
        print(f"envoi: there is no command “{name}”. “envoi --help” lists them.", file=sys.stderr)
        return 2
    return guarded(name, rest)


def guarded(name: str, rest: list[str]) -> int:
    """Run a known command; failures become one line and an exit code."""
    try:
        return run(name, COMMANDS[name], rest)
    except Stop as stop:
        print(f"envoi {name}: {stop}", file=sys.stderr)
    except (DatabaseError, OSError) as error:
        if isinstance(error, BrokenPipeError):
            return COMMANDS[name].trouble
        print(f"envoi {name}: {explain(error)}", file=sys.stderr)
    except UnicodeEncodeError as error:
        given = error.object.encode(errors="replace").decode()
        print(f"envoi {name}: “{given}” is no text in UTF-8; write it anew.", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    except (Exception, SystemExit) as error:
        if COMMANDS[name].trouble == 1 or (isinstance(error, SystemExit) and not error.code):
            raise
        print(f"envoi {name}: {error or type(error).__name__}", file=sys.stderr)
    return COMMANDS[name].trouble


def run(name: str, command: Command, rest: list[str]) -> int:
    """Read what decides the settings, and run the command on the installation it is for."""
    early = common_arguments(name, command)
    known, remaining = early.parse_known_args(rest)
    if command.throw_away and known.database_url:
        os.environ["ENVOI_DATABASE_URL"] = known.database_url
    with throw_away.installation() if command.throw_away and not known.data else contextlib.nullcontext():
        return run_here(name, command, remaining, early, known)


def run_here(
    name: str, command: Command, rest: list[str], early: argparse.ArgumentParser, known: argparse.Namespace
) -> int:
    """Set Django up for the installation that the environment names, then load the command and run it."""
    apply(known, command)
    with contextlib.suppress(AttributeError):
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    django.setup()
    module = importlib.import_module(f"envoi.cli.{command.module}")
    parser = argparse.ArgumentParser(prog=f"envoi {name}", description=command.help, parents=[early])
    module.add_arguments(parser)
    return int(module.run(parser.parse_args(rest, known)))


def common_arguments(name: str, command: Command) -> argparse.ArgumentParser:
    """What every command understands, and what must be known before the settings are read."""
    parser = argparse.ArgumentParser(prog=f"envoi {name}", add_help=False, allow_abbrev=False)
    parser.add_argument("--data", metavar="FOLDER", help="the data folder (default: ENVOI_DATA, or data)")
    if command.throw_away:
        text = "where to work, in a schema of its own on PostgreSQL (default: ENVOI_DATABASE_URL, or SQLite)"
        parser.add_argument("--database-url", metavar="URL", help=text)
    if command.serves:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
        parser.add_argument("--port", type=port_number, default=PORT, help=f"port to listen on (default: {PORT})")
    return parser


def port_number(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"“{text}” is no port number from 1 to 65535")
    return int(text)


def apply(known: argparse.Namespace, command: Command) -> None:
    """Put what was given on the command line where the settings look: the environment."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "envoi.config.settings")
    if known.data:
        os.environ["ENVOI_DATA"] = known.data
    if command.serves:
        host = "localhost" if known.host in {"127.0.0.1", "0.0.0.0", "::", "::1"} else known.host  # noqa: S104
        host = f"[{host}]" if ":" in host else host
        os.environ.setdefault("ENVOI_BASE_URL", f"http://{host}:{known.port}")


def overview() -> str:
    """What `envoi --help` prints."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {command.help}" for name, command in COMMANDS.items()]
    return "\n".join(
        [
            "Usage: envoi COMMAND [options]",
            "",
            "Self-hosted e-mail broadcasts.",
            "",
            "Commands:",
            *lines,
            "",
            "“envoi COMMAND --help” says more. “envoi --version” prints the version.",
            "Environment: ENVOI_DATA, ENVOI_DATABASE_URL, ENVOI_BASE_URL, ENVOI_SECRET_KEY, ENVOI_SANDBOX_PORT.",
        ]
    )


def installed_version() -> str:
    try:
        return version("envoi")
    except PackageNotFoundError:
        return "(not installed)"
