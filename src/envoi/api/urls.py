"""Addresses of the API; what is none of them is answered as a problem by the middleware."""

from __future__ import annotations

from django.urls import path
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.openapi.docs import Swagger

from envoi.api import notices, problems
from envoi.api.reading import StrictParser

DESCRIPTION = """Programs send an API key that an owner made under Settings, API keys: `Authorization: Bearer envoi_…`.
Everything that is no success is answered as problem details (RFC 9457). A POST with an `Idempotency-Key` can be
repeated for a day and has its effect once."""


class Reference(Swagger):
    """The description as a page to try things on: from files of this server, under its content security policy."""

    template = "api/reference.html"


api = NinjaAPI(
    title="Envoi",
    version="1",
    description=DESCRIPTION,
    urls_namespace="api",
    parser=StrictParser(),
    docs=Reference({"validatorUrl": None}),
)
api.add_exception_handler(problems.Problem, problems.on_problem)
api.add_exception_handler(HttpError, problems.on_http_error)
api.add_exception_handler(ValidationError, problems.on_invalid)
api.add_router("", notices.router)

urlpatterns = [path("v1/", api.urls)]
