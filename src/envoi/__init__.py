"""Envoi: self-hosted software with which an organisation talks to its people."""

__version__ = "0.1.0"
