"""Forms made from pydantic models: one widget a field, its description as help, its bounds as limits."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st
from pydantic import BaseModel

from skmm_core.config import SketchParams

if TYPE_CHECKING:
    from skmm_core.methods import MethodSpec

Kind = Literal["boolean", "integer", "number", "choice", "text"]
_SYMBOLS = {"c_s": "c_S", "tol": "Tolerance", "dim": "Sketch size m", "kind": "Sketch"}


@dataclass(frozen=True)
class FormField:
    """One field of a model as a form sees it.

    Attributes:
        name: of the field.
        title: for people.
        help: what it does, in a line.
        kind: which widget it gets.
        default: value when left alone; None = empty.
        choices: allowed values of a choice.
        low: smallest value, or None; `open_low` when it is itself not allowed.
        high: largest value, or None; `open_high` when it is itself not allowed.
        optional: whether it may be empty.
    """

    name: str
    title: str
    help: str
    kind: Kind
    default: Any
    choices: tuple[Any, ...] = ()
    low: float | None = None
    high: float | None = None
    open_low: bool = False
    open_high: bool = False
    optional: bool = False


def form_fields(model: type[BaseModel]) -> tuple[FormField, ...]:
    """Read the fields of a model, in its order."""
    schema = model.model_json_schema()
    return tuple(
        _field(name, entry, schema.get("$defs", {}), required=name in schema.get("required", ()))
        for name, entry in schema.get("properties", {}).items()
    )


def _field(name: str, entry: Mapping[str, Any], definitions: Mapping[str, Any], *, required: bool) -> FormField:
    variants = [_resolved(part, definitions) for part in entry.get("anyOf", (entry,))]
    given = [part for part in variants if part.get("type") != "null"]
    core = given[0]
    choices = tuple(core.get("enum", (core["const"],) if "const" in core else ()))
    kind: Kind = "text"
    if choices:
        kind = "choice"
    elif core.get("type") in ("boolean", "integer", "number"):
        kind = core["type"]
    return FormField(
        name=name,
        title=_SYMBOLS.get(name, name.replace("_", " ").capitalize()),
        help=str(entry.get("description", "")),
        kind=kind,
        default=None if required else entry.get("default"),
        choices=choices,
        low=core.get("minimum", core.get("exclusiveMinimum")),
        high=core.get("maximum", core.get("exclusiveMaximum")),
        open_low="exclusiveMinimum" in core,
        open_high="exclusiveMaximum" in core,
        optional=len(given) < len(variants),
    )


def _resolved(entry: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = entry.get("$ref")
    if reference is None and len(entry.get("allOf", ())) == 1:
        reference = entry["allOf"][0].get("$ref")
    return definitions[reference.rsplit("/", 1)[-1]] if reference else entry


def changed(values: Mapping[str, Any], fields: tuple[FormField, ...]) -> dict[str, Any]:
    """Only what differs from the defaults, so that a run says no more than the person did."""
    defaults = {field.name: field.default for field in fields}
    return {name: value for name, value in values.items() if value != defaults[name]}


def model_form(
    model: type[BaseModel], *, key: str, given: Mapping[str, Any] | None = None, without: Collection[str] = ()
) -> dict[str, Any]:
    """Draw the form of a model.

    Args:
        model: pydantic model whose fields have descriptions.
        key: prefix of the widgets' keys, distinct on the page.
        given: values to start from; what is left out starts at its default.
        without: names of fields that are not offered here.

    Returns:
        The values that differ from the defaults, by name.
    """
    fields = tuple(field for field in form_fields(model) if field.name not in without)
    start = {field.name: field.default for field in fields} | dict(given or {})
    values = {field.name: _widget(field, start[field.name], f"{key}:{field.name}") for field in fields}
    return changed(values, fields)


def params_form(
    spec: "MethodSpec", *, key: str, given: Mapping[str, Any] | None = None, without: Collection[str] = ()
) -> dict[str, Any]:
    """Draw the options of a method; a quiet line when it has none. See :func:`model_form`."""
    if not set(spec.params.model_fields) - set(without):
        st.caption(f"{spec.title} has no options.")
        return {}
    return model_form(spec.params, key=f"{key}:{spec.key}", given=given, without=without)


def sketch_form(*, key: str, given: SketchParams | None = None) -> SketchParams:
    """Draw the options of the sketch."""
    start = given.model_dump() if given else None
    return SketchParams.model_validate(model_form(SketchParams, key=key, given=start))


def _widget(field: FormField, value: Any, key: str) -> Any:
    common: dict[str, Any] = {"key": key, "help": field.help or None, "persist_state": "session"}
    if field.kind == "boolean":
        return st.toggle(field.title, value=bool(value), **common)
    if field.kind == "choice":
        index = field.choices.index(value) if value in field.choices else None
        return st.selectbox(field.title, field.choices, index=index, **common)
    if field.kind == "text":
        return st.text_input(field.title, value=None if value is None else str(value), **common) or None
    return _number(field, value, common)


def _number(field: FormField, value: Any, common: Mapping[str, Any]) -> float | None:
    low, high = _limits(field)
    whole = field.kind == "integer"
    kind = int if whole else float
    options: dict[str, Any] = {
        "min_value": None if low is None else kind(low),
        "max_value": None if high is None else kind(high),
        "value": None if value is None else kind(value),
        "step": 1 if whole else None if value is None else _step(float(value)),
        "format": None if whole else "%g",
        "placeholder": "automatic" if field.optional else None,
    }
    entered: float | None = st.number_input(field.title, **options, **common)
    return entered


def _limits(field: FormField) -> tuple[float | None, float | None]:
    """Closed limits for a widget; an open limit moves inwards by one, or by a millionth for real numbers."""
    inch = 1 if field.kind == "integer" else 1e-6
    low = field.low + inch if field.low is not None and field.open_low else field.low
    high = field.high - inch if field.high is not None and field.open_high else field.high
    return low, high


def _step(value: float) -> float:
    """A tenth of the value's size: 0.9 → 0.01 would crawl, 0.1 moves."""
    size = abs(value)
    step = 1.0
    while size and step > size:
        step /= 10
    return step if size else 0.1
