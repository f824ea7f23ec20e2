"""Thirteen labels, four policies, and errors that name what was wrong."""

from __future__ import annotations

import json
import pickle

import pytest

from boilerplate.labels import (
    BOILERPLATE,
    CONTENT,
    LABELS,
    POLICIES,
    Label,
    Policy,
    labels_named,
    policy_named,
)

THIRTEEN = [
    "body",
    "heading",
    "caption",
    "byline",
    "author_bio",
    "newsletter",
    "story_link",
    "navigation",
    "social",
    "comments",
    "promotion",
    "legal",
    "other",
]


def test_the_labels_are_the_thirteen_of_the_guide_in_its_order() -> None:
    assert list(LABELS) == THIRTEEN


def test_content_is_body_heading_and_caption_and_the_rest_is_boilerplate() -> None:
    assert {"body", "heading", "caption"} == CONTENT
    assert CONTENT | BOILERPLATE == set(LABELS)
    assert not CONTENT & BOILERPLATE


@pytest.mark.parametrize("label", LABELS)
def test_a_label_is_its_own_name_wherever_a_string_is_wanted(label: Label) -> None:
    assert Label(label.value) is label
    assert (str(label), f"{label}", f"{label:>12}".strip()) == (label.value,) * 3
    assert json.loads(json.dumps({label: label})) == {label.value: label.value}
    assert pickle.loads(pickle.dumps(label)) is label


@pytest.mark.parametrize("label", LABELS)
def test_a_label_says_in_one_line_what_it_means_and_to_which_group_it_belongs(label: Label) -> None:
    assert label.meaning
    assert "\n" not in label.meaning
    assert label.group == ("content" if label in CONTENT else "boilerplate")


def test_no_two_labels_mean_the_same() -> None:
    assert len({label.meaning for label in LABELS}) == len(LABELS)


def test_the_four_policies_are_those_documented() -> None:
    assert list(POLICIES) == ["balanced", "careful", "strict", "metadata"]
    assert Policy() == POLICIES["balanced"]
    assert POLICIES["careful"].max_content_loss == 0.005
    assert POLICIES["careful"].when_doubtful == "keep"
    assert POLICIES["strict"].when_doubtful == "clean"
    assert POLICIES["metadata"].keep == CONTENT | {"byline", "author_bio"}


def test_a_policy_changes_by_labels_kept_and_dropped_and_by_its_loss() -> None:
    changed = POLICIES["careful"].changed(keep=["byline"], drop=["caption", "heading"], max_content_loss=0.01)
    assert changed == Policy(keep=["body", "byline"], max_content_loss=0.01)
    assert POLICIES["careful"].changed() == POLICIES["careful"]
    assert POLICIES["careful"].keep == CONTENT


def test_a_label_both_kept_and_dropped_goes() -> None:
    assert "byline" not in Policy().changed(keep=["byline"], drop=["byline"]).keep


def test_policies_are_values_that_hash_and_travel() -> None:
    one, same = Policy(keep={"body", "legal"}), Policy(keep=["legal", "body", "body"])
    assert {one: 1}[same] == 1
    assert pickle.loads(pickle.dumps(one)) == one
    with pytest.raises(AttributeError):
        one.keep = frozenset()  # type: ignore[misc]  # that it is refused is the point


def test_one_label_may_stand_alone() -> None:
    assert Policy(keep="body").keep == {"body"}
    assert labels_named("body") == {"body"}


def test_a_policy_may_keep_nothing() -> None:
    assert Policy(keep=[]).keep == frozenset()


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"keep": {"sidebar"}}, "unknown label 'sidebar'; labels are body, heading,"),
        ({"keep": ["body", "Body"]}, "unknown label 'Body'"),
        ({"max_content_loss": 1.0}, "max_content_loss is a share from 0 to below 1, not 1.0"),
        ({"max_content_loss": -0.1}, "max_content_loss"),
        ({"max_content_loss": float("nan")}, "max_content_loss"),
        ({"when_doubtful": "ask"}, "when_doubtful is 'keep' or 'clean', not 'ask'"),
        ({"doubtful_share": 1.5}, "doubtful_share is a share from 0 to 1, not 1.5"),
    ],
)
def test_a_wrong_value_is_refused_by_name(values: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match="^" + says.replace("'", "['\"]")):
        Policy(**values)  # type: ignore[arg-type]  # wrong values are the point


def test_a_policy_is_found_by_name_or_given_as_it_is() -> None:
    assert policy_named("strict") is POLICIES["strict"]
    mine = Policy(keep=["legal"])
    assert policy_named(mine) is mine
    with pytest.raises(ValueError, match="unknown policy 'gentle'; policies are balanced, careful, strict"):
        policy_named("gentle")
