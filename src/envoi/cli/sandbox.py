"""`envoi sandbox`: the sandbox mailbox alone."""

from __future__ import annotations

import argparse

from envoi.cli import serving


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "Receive mail on loopback and keep it; ENVOI_SANDBOX_PORT chooses the port."


def run(args: argparse.Namespace) -> int:
    serving.quiet_logs()
    return serving.sandbox()
