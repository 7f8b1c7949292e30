"""A page that uses every behaviour of the bundle, and its addresses: the tests' own, no part of the product."""

from __future__ import annotations

from pathlib import Path

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template import engines
from django.urls import include, path

HERE = Path(__file__).parent
PAGE = (HERE / "workbench.html").read_text()
STEP = (HERE / "workbench_step.html").read_text()
CHART = {"type": "line", "labels": ["1", "2"], "series": [{"label": "Sent", "values": [3, 5], "color": "teal"}]}
PEOPLE = [("1", "Ada", ""), ("2", "Bob <script>", "bob@example.org"), ("3", "Chloé", "chloe@example.org")]


def draw(request: HttpRequest, source: str, status: int = 200, **context: object) -> HttpResponse:
    return HttpResponse(engines["django"].from_string(source).render(context, request), status=status)


def bench(request: HttpRequest) -> HttpResponse:
    posted = "|".join([request.POST.get("body", ""), request.POST.get("code", ""), *request.POST.getlist("who")])
    return draw(request, PAGE, chart=CHART, posted=posted if request.method == "POST" else "")


def people(request: HttpRequest) -> HttpResponse:
    q = request.GET["q"].lower()
    found = [{"id": pk, "text": text, "detail": detail} for pk, text, detail in PEOPLE if q in text.lower()]
    return JsonResponse({"results": found})


def step(request: HttpRequest, number: int) -> HttpResponse:
    if request.method == "POST" and not request.POST["subject"]:
        return draw(request, STEP, 422, step=number, wrong="Write a subject.")
    if request.method == "POST":
        return redirect("/bench/step/2/" if number == 1 else "/bench/")
    return draw(request, STEP, step=number)


def fragment(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<p>Arrived by htmx</p><script>document.body.dataset.broken = 'yes'</script>")


def failure(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("as the test wants it")


handler500 = "envoi.console.errors.server_error"
urlpatterns = [
    path("bench/failure/", failure),
    path("bench/", bench),
    path("bench/people/", people),
    path("bench/step/<int:number>/", step),
    path("bench/fragment/", fragment),
    path("", include("envoi.config.urls")),
]
