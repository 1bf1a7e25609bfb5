"""Forms made from models, and which methods are offered."""

from typing import Literal

import pytest
import torch
from pydantic import BaseModel, Field
from streamlit.testing.v1 import AppTest

from dashboard.components.data.form import builtin_source
from dashboard.components.shared.forms import changed, form_fields
from dashboard.components.workbench.pick_line import LABELLING, TRAINING, offered, recommended, split_by_need
from skmm_core.data import KnownTargets, Task
from skmm_core.methods.registry import Family, MethodParams, MethodSpec, Need, list_methods


class Knobs(BaseModel):
    share: float = Field(0.9, gt=0, le=1, description="A share.")
    steps: int = Field(10, ge=1, le=99)
    rank: int | None = Field(None, ge=1)
    mode: Literal["a", "b"] = "b"
    polish: bool = True
    note: str = "x"


def test_fields_carry_kind_limits_defaults_and_help() -> None:
    share, steps, rank, mode, polish, note = form_fields(Knobs)
    assert (share.kind, share.default, share.low, share.open_low, share.high, share.open_high) == (
        "number", 0.9, 0, True, 1, False,
    )  # fmt: skip
    assert share.help == "A share."
    assert (steps.kind, steps.low, steps.high) == ("integer", 1, 99)
    assert (rank.kind, rank.optional, rank.default) == ("integer", True, None)
    assert (mode.kind, mode.choices, mode.default) == ("choice", ("a", "b"), "b")
    assert (polish.kind, note.kind) == ("boolean", "text")


def test_every_registered_method_has_a_form_of_known_widgets() -> None:
    for spec in list_methods():
        fields = form_fields(spec.params)
        assert [field.name for field in fields] == list(spec.params.model_fields)
        for field in fields:
            assert field.help, f"{spec.key}.{field.name} has no description"
            assert field.kind != "text", f"{spec.key}.{field.name} would be a free text"
            assert field.optional or field.default is not None


def test_only_changes_are_kept() -> None:
    fields = form_fields(Knobs)
    values = {field.name: field.default for field in fields}
    assert changed(values, fields) == {}
    assert changed(values | {"rank": 3, "polish": False}, fields) == {"rank": 3, "polish": False}


def knobs_page() -> None:
    import streamlit as st
    from test_components_forms import Knobs

    from dashboard.components.shared.forms import model_form

    st.json(model_form(Knobs, key="k", given={"steps": 20}))


def test_widgets_start_at_given_values_and_return_what_differs_from_the_defaults() -> None:
    page = AppTest.from_function(knobs_page).run()
    assert not page.exception
    assert page.json[0].value == '{"steps": 20}'
    page.number_input(key="k:share").set_value(0.5)
    page.number_input(key="k:rank").set_value(4)
    page.toggle(key="k:polish").set_value(False)
    page.selectbox(key="k:mode").set_value("a")
    page.run()
    assert page.json[0].value == '{"share": 0.5, "steps": 20, "rank": 4, "mode": "a", "polish": false}'


def spec(
    key: str, *, uses_labels: bool = False, needs: frozenset[Need] = frozenset(), default: bool = False
) -> MethodSpec:
    return MethodSpec(
        key=key,
        title=key.title(),
        family=Family.SAMPLING,
        summary="Does it.",
        paper="A 2000",
        url="https://example.org",
        params=MethodParams,
        needs=needs,
        uses_labels=uses_labels,
        random=False,
        recommended=default,
        goes_on=False,
        beyond_memory=False,
        function=lambda pool, budget, params, *, seed, report: pytest.fail("never run"),
    )


def test_labelling_offers_only_methods_that_never_see_labels() -> None:
    free, aware = spec("free"), spec("aware", uses_labels=True)
    assert offered([free, aware], LABELLING) == [free]
    assert offered([free, aware], TRAINING) == [free, aware]


def test_each_question_starts_at_the_default_of_its_league() -> None:
    specs = [
        spec("plain"),
        spec("free", default=True),
        spec("aware", uses_labels=True, needs=frozenset({Need.TARGETS}), default=True),
    ]
    assert recommended(specs, LABELLING) == "free"
    assert recommended(specs, TRAINING) == "aware"
    assert recommended(split_by_need(specs, Task.UNLABELLED)[0], TRAINING) == "free"


def test_methods_that_miss_something_are_kept_apart_with_the_reason() -> None:
    free, needy = spec("free"), spec("needy", needs=frozenset({Need.TARGETS}))
    ready, blocked = split_by_need([free, needy], Task.UNLABELLED)
    assert ready == [free]
    assert blocked[0][0] is needy
    assert "needs targets" in blocked[0][1]
    assert split_by_need([free, needy], Task.REGRESSION) == ([free, needy], [])


def test_labels_so_far_let_methods_be_offered_that_read_these_alone() -> None:
    free = spec("free", default=True)
    some = spec("some", uses_labels=True, needs=frozenset({Need.SOME_CLASSES, Need.WARM_UP}), default=True)
    every = spec("every", uses_labels=True, needs=frozenset({Need.TARGETS}), default=True)
    specs, rows = [free, some, every], torch.arange(3)
    two = KnownTargets(Task.CLASSIFICATION, rows, torch.tensor([0, 1, 0]), ("ant", "bee"))
    assert offered(specs, LABELLING, two) == [free, some]
    assert recommended([free, some], LABELLING) == "free"
    ready, blocked = split_by_need(specs, Task.UNLABELLED, two)
    assert ready == [free, some]
    assert "needs a label in every row" in blocked[0][1]
    one = KnownTargets(Task.CLASSIFICATION, rows, torch.zeros(3, dtype=torch.int64), ("ant",))
    assert "all 3 so far are ant" in split_by_need([some], Task.UNLABELLED, one)[1][0][1]
    numbers = KnownTargets(Task.REGRESSION, rows, torch.rand(3))
    assert "needs class labels" in split_by_need([some], Task.CLASSIFICATION, numbers)[1][0][1]


def test_a_builtin_is_named_with_the_options_that_were_changed() -> None:
    defaults = {"N": 2000, "noise": 0.5, "seed": 0}
    assert builtin_source("gmm", defaults, defaults) == "gmm"
    assert builtin_source("gmm", {"N": 500, "noise": 0.25, "seed": 3}, defaults) == "gmm:N=500,noise=0.25,seed=3"
