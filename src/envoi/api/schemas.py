"""What every resource shares: fields that refuse what they do not know, texts and times that a database can hold."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Schema
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from envoi.api.problems import invalid


class Wanted(Schema):
    """What a program sends; a field that nobody knows is a mistake, not a wish to be passed over."""

    model_config = ConfigDict(extra="forbid")


def _without_nul(value: str) -> str:
    if "\x00" in value:
        raise PydanticCustomError("nul", "U+0000 is not taken")
    return value


def _in_reach(value: datetime) -> datetime:
    if not 2000 <= value.year <= 2200:
        raise PydanticCustomError("out_of_reach", "the year is out of reach")
    return value.astimezone(UTC)


def _written(value: Any) -> Any:
    if not isinstance(value, str | datetime):
        raise PydanticCustomError("not_written", "not a written time")
    return value


def _name(value: Any) -> Any:
    is_number = isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63
    if not is_number and not (isinstance(value, str) and 0 < len(value) <= 300 and "\x00" not in value):
        raise PydanticCustomError("not_a_name", "neither a name nor a number")
    return value


# After a length, which then stands in the description too.
WITHOUT_NUL = AfterValidator(_without_nul)
Moment = Annotated[AwareDatetime, BeforeValidator(_written), AfterValidator(_in_reach)]
# As every moment is told: in UTC, to the second.
Told = Annotated[
    datetime,
    PlainSerializer(lambda at: at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), str),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]
NameOrNumber = Annotated[str | int, BeforeValidator(_name)]
Cursor = Annotated[str, Field(max_length=500, description="`next` of the page before.")]


def only_known(request: HttpRequest, which: type[Schema]) -> None:
    """A word in the address that nobody knows is a mistake too.

    Raises:
        Problem: there is one.
    """
    unknown = [name for name in request.GET if name not in which.model_fields]
    if unknown:
        raise invalid([(name[:100], _("There is no such field.")) for name in unknown])
