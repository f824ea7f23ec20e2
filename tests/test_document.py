"""An answer is made of slices of its document, and loses nothing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boilerplate.document import (
    BoilerplateError,
    Cleaned,
    DataError,
    Document,
    FormatError,
    ModelError,
    OutputError,
    Paragraph,
    Record,
)
from boilerplate.segment import segment_text


def answer(text: str, keep: list[bool]) -> Cleaned:
    """Keep some paragraphs of a text, with probabilities that follow."""
    document = segment_text(text)
    content = np.where(keep, 0.75, 0.25).astype(np.float32)
    probabilities = np.column_stack([content, 1 - content])
    return Cleaned(document, ("body", "social"), probabilities, content, np.array(keep, dtype=bool))


@pytest.mark.parametrize(
    ("text", "keep", "cleaned", "spans"),
    [
        ("", [], "", []),
        ("a", [True], "a", [(0, 1)]),
        ("a", [False], "", []),
        ("  a  ", [True], "a", [(2, 3)]),
        ("a\n\nb\nc", [True, True, True], "a\n\nb\nc", [(0, 6)]),
        ("a\n\nb\nc", [True, False, True], "a\nc", [(0, 1), (5, 6)]),
        ("a\nb\n\n\nc\n", [True, False, True], "a\n\n\nc", [(0, 1), (6, 7)]),
        ("a\nb\r\n\tc\n\nd", [False, True, False, True], "b\n\nd", [(2, 3), (9, 10)]),
        ("a\nb\nc\nd\ne", [True, True, False, True, True], "a\nb\nd\ne", [(0, 3), (6, 9)]),
        ("a\n\nb", [False, True], "b", [(3, 4)]),
        ("😀\n\n\ud800\nc", [True, True, False], "😀\n\n\ud800", [(0, 4)]),
    ],
)
def test_the_text_is_the_kept_spans_with_the_white_space_before_the_later_one(
    text: str, keep: list[bool], cleaned: str, spans: list[tuple[int, int]]
) -> None:
    found = answer(text, keep)
    assert found.text == cleaned
    assert found.spans == spans


@given(st.lists(st.tuples(st.text(alphabet="ab \n\t\u00a0é", max_size=8), st.booleans()), max_size=12))
def test_kept_and_removed_together_are_all_and_the_text_is_made_of_the_kept(
    parts: list[tuple[str, bool]],
) -> None:
    text = "\n".join(part for part, _ in parts)
    document = segment_text(text)
    keep = [parts[i % len(parts)][1] for i in range(len(document))]
    found = answer(text, keep)
    kept = [p for p in found.paragraphs if p.keep]
    assert sorted([*kept, *found.removed], key=lambda p: p.start) == found.paragraphs
    assert found.text.split() == " ".join(p.text for p in kept).split()
    assert found.text == found.text.strip()
    assert [p.text for p in kept] == [
        p.text for start, end in found.spans for p in found.paragraphs if start <= p.start and p.end <= end
    ]
    assert all(a[1] < b[0] for a, b in zip(found.spans, found.spans[1:], strict=False))


def test_offsets_are_code_points_into_the_very_input() -> None:
    text = "😀 one\r\n\r\n\u00a0two\u2028drei\ud800"
    found = answer(text, [True, False, True])
    assert found.document.text is text
    assert [text[p.start : p.end] for p in found.paragraphs] == ["😀 one", "two", "drei\ud800"]
    assert [p.text for p in found.paragraphs] == ["😀 one", "two", "drei\ud800"]


def test_the_label_is_the_most_probable_one_whether_or_not_the_paragraph_stays() -> None:
    document = segment_text("Title\nShare")
    rows = np.array([[0.4, 0.25, 0.35], [0.3, 0.6, 0.1]], dtype=np.float32)
    content = rows[:, 1] + rows[:, 2]
    found = Cleaned(document, ("social", "body", "heading"), rows, content, content >= 0.5)
    first, second = found.paragraphs
    assert (first.label, first.keep, second.label, second.keep) == ("social", True, "body", True)
    assert first.score == first.probabilities["social"] == pytest.approx(0.4)
    assert first.keep_probability == pytest.approx(0.6)
    assert list(first.probabilities) == ["social", "body", "heading"]
    assert found.removed == []


def test_an_answer_is_not_doubtful_unless_told() -> None:
    assert not answer("a", [False]).doubtful


@pytest.mark.parametrize(
    "value", [Record("a", "b"), Paragraph("a", 0, 1), segment_text("a"), answer("a", [True])]
)
def test_values_are_frozen(value: object) -> None:
    assert dataclasses.is_dataclass(value)
    name = dataclasses.fields(value)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, name, "changed")


def test_paragraphs_of_a_document_are_its_slices() -> None:
    document = Document("One.\n\nTwo.", np.array([0, 6]), np.array([4, 10]))
    assert document.paragraphs == [Paragraph("One.", 0, 4), Paragraph("Two.", 6, 10)]
    assert len(document) == 2


@pytest.mark.parametrize("error", [ModelError, FormatError, DataError, OutputError])
def test_every_error_is_a_boilerplate_error(error: type[Exception]) -> None:
    assert issubclass(error, BoilerplateError)
    assert error.__doc__
