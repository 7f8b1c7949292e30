"""An e-mail is compiled once and joined many times: `compile_email(source) → Skeleton`, then a message per person.

Guarantees: what a person's data holds is data at every place; preview, web view and sending come from the same
functions; every fault of the template is found here, with its field and line, before anything is sent.
"""

from envoi.content.compile.compiler import compile_email
from envoi.content.compile.routes import MISSING, Route
from envoi.content.compile.skeleton import Link, Rendered, Skeleton
from envoi.content.compile.source import Address, LinkFor, Source
from envoi.content.compile.trial import problems_for_everybody
from envoi.content.problems import ContentError, Problem

__all__ = [
    "MISSING",
    "Address",
    "ContentError",
    "Link",
    "LinkFor",
    "Problem",
    "Rendered",
    "Route",
    "Skeleton",
    "Source",
    "compile_email",
    "problems_for_everybody",
]
