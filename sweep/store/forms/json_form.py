"""JSON values of a declared form: types of numbers and texts, and the parser that refuses anything else."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

OPEN = ConfigDict(extra="allow")  # of an object: keys that nobody reads are kept
LARGEST_COUNT = 2**53  # float64 holds every integer up to here, and so do the tables of pandas

Count = Annotated[int, Field(ge=0, le=LARGEST_COUNT)]
Number = Annotated[float, Field(allow_inf_nan=False)]
OrNull = Number | None  # null stands for a number that is not finite
Share = Annotated[float, Field(ge=0, le=1)]  # a rollout error, among others
Text = Annotated[str, Field(max_length=100_000)]  # a page of text, our choice
Settings = dict[str, Any]


class Misfit(ValueError):
    """A stored content does not have its form; the text says where and how."""


def parsed(form: TypeAdapter[Any], content: bytes) -> dict[str, Any]:
    """Return the JSON object of a content.

    Args:
        form: that they must have.
        content: JSON in UTF-8.

    Raises:
        Misfit: the content is not JSON, or has another form.
    """
    try:
        values: dict[str, Any] = form.validate_json(content, strict=True)
    except ValidationError as error:
        raise misfit_of(error) from None
    return values


def misfit_of(error: ValidationError) -> Misfit:
    """Return the first mistake of a validation as one line."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return Misfit(f"{place}: {first['msg']}" if place else first["msg"])
