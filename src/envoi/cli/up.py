"""`envoi up`: everything, in one group of processes. Sets up what is missing, says where to go, stops cleanly."""

from __future__ import annotations

import argparse
import fcntl
import gc
import http.client
import os
import shlex
import socket
import time
from functools import partial
from typing import TextIO

from django.conf import settings
from django.db import connections
from django.shortcuts import resolve_url

from envoi.cli import crew, first_run, serving
from envoi.cli.faults import Stop, data_folder_writable, explain
from envoi.cli.supervisor import Child, Supervisor

READY_WITHIN = 60.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "Set up what is missing and run web server, workers, scheduler and sandbox mailbox."
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--demo", action="store_true", help="fill a new installation with invented people, do not ask")
    chosen.add_argument("--empty", action="store_true", help="leave a new installation empty, do not ask")
    parser.add_argument(
        "--owner", default=first_run.OWNER, metavar="EMAIL", help="first account (default: %(default)s)"
    )
    parser.add_argument("--web-workers", type=int, default=2, help="web processes (default: 2)")
    parser.add_argument("--senders", type=crew.at_least_one, help="processes that send (default: one more than cores)")


def run(args: argparse.Namespace) -> int:
    begun = time.monotonic()
    data_folder_writable()
    lock = only_one()
    port_is_free(args.host, args.port)
    welcome = first_run.prepare(args.owner, True if args.demo else False if args.empty else None)
    waiting = "" if welcome else first_run.waiting_account()
    connections.close_all()
    (settings.ENVOI_DATA / "static").mkdir(exist_ok=True)
    # What is loaded stays in pages that the children share; the collector must not touch (copy) them.
    gc.freeze()
    supervisor = Supervisor(children(args), crew.say)
    supervisor.start()
    try:
        if wait_until_ready(supervisor, args.host, args.port):
            announce(args, welcome, waiting, time.monotonic() - begun)
        while not supervisor.stopping:
            supervisor.tick()
    finally:
        print("Stopping …", flush=True)
        supervisor.stop()
        lock.close()
    print("Envoi has stopped.")
    return 0


def children(args: argparse.Namespace) -> list[Child]:
    """The processes, in the order in which they are stopped: nobody is left waiting for somebody who is gone."""
    web = partial(serving.web, args.host, args.port, args.web_workers, serving.default_web_threads())
    return [
        Child("web", crew.logged(web)),
        crew.scheduler(),
        *crew.children(senders=args.senders),
        Child("sandbox", crew.logged(serving.sandbox)),
    ]


def only_one() -> TextIO:
    """Hold the data folder for this process; the kernel lets go of it however the process ends.

    Raises:
        Stop: another `envoi up` holds it.
    """
    path = settings.ENVOI_DATA / "up.lock"
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        holder = file.read().strip() or "?"
        raise Stop(
            f"Envoi is running already on the data folder {settings.ENVOI_DATA} (process {holder}). "
            "Stop it with Ctrl-C, or choose another folder with --data."
        ) from error
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


def port_is_free(host: str, port: int) -> None:
    """Bind the port once, alone: granian's workers share it with whoever else is willing to.

    Raises:
        Stop: it cannot be used.
    """
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, proto) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen()
    except socket.gaierror as error:
        raise Stop(f"--host {host}: unknown address. Choose 127.0.0.1 or another of this machine.") from error
    except PermissionError as error:
        raise Stop(f"port {port} needs more rights; choose one above 1023 with --port.") from error
    except OSError as error:
        raise Stop(
            f"port {port} on {host} cannot be used: {explain(error)} "
            f"Try “--port {port + 1}”, or end the program that uses it."
        ) from error


def wait_until_ready(supervisor: Supervisor, host: str, port: int) -> bool:
    """Watch the children until the sign-in page is answered; False when asked to stop before."""
    deadline = time.monotonic() + READY_WITHIN
    while not supervisor.stopping:
        supervisor.tick()
        if answers(host, port):
            return True
        if time.monotonic() > deadline:
            raise Stop(f"the web server did not answer within {READY_WITHIN:.0f} s; its words are above.")
    return False


def answers(host: str, port: int) -> bool:
    target = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    caller = http.client.HTTPConnection(target, port, timeout=10)
    try:
        caller.request("GET", resolve_url(settings.LOGIN_URL), headers={"Host": "localhost"})
        return caller.getresponse().status > 0
    except OSError:
        return False
    finally:
        caller.close()


def announce(args: argparse.Namespace, welcome: first_run.Welcome | None, waiting: str, seconds: float) -> None:
    lines = [f"Envoi is ready at {settings.ENVOI_BASE_URL} ({seconds:.1f} s)."]
    if welcome:
        lines += [
            "",
            f"  Sign in as         {welcome.email}",
            f"  One-time password  {welcome.password}",
            "",
            "The password is shown only now; you choose your own when you sign in.",
        ]
    elif waiting:
        where = f" --data {shlex.quote(args.data)}" if args.data else ""
        lines += [f"Nobody has signed in yet. A new one-time password: bin/envoi user reset {waiting}{where}"]
    if args.host not in {"127.0.0.1", "localhost", "::1"} and "localhost" in settings.ENVOI_BASE_URL:
        lines.append("Set ENVOI_BASE_URL to the address under which readers reach this machine; links need it.")
    lines.append("Ctrl-C stops it.")
    print("\n".join(["", *lines, ""]), flush=True)
