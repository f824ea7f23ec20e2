"""The table in the package is Unicode's, whatever Python runs it."""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boilerplate.characters import (
    BREAKS,
    CODE_POINTS,
    FOLDED,
    SPACELESS,
    TABLE,
    CharacterClass,
    classes,
    classify,
    code_points,
    folds,
    write_table,
)

OLD = [chr(i) for i in range(CODE_POINTS) if unicodedata.ucd_3_2_0.category(chr(i)) != "Cn"]
"""What was assigned in Unicode 3.2: no later Python sees these otherwise."""


def test_every_code_point_has_a_class() -> None:
    assert len(classes()) == CODE_POINTS == sys.maxunicode + 1
    assert classes().dtype == np.uint8
    assert set(np.unique(classes())) == set(map(int, CharacterClass))


def test_the_table_agrees_with_unicodedata_on_old_characters() -> None:
    found = classes()[[ord(c) for c in OLD]]
    assert [c for c, kind in zip(OLD, found.tolist(), strict=True) if kind != classify(c)] == []


def test_the_table_written_anew_is_the_table_of_the_package(tmp_path: Path) -> None:
    write_table(tmp_path / "new.npz")
    with np.load(tmp_path / "new.npz") as new, np.load(TABLE) as ours:
        kinds = [np.repeat(t["kinds"], np.diff(t["starts"], append=CODE_POINTS)) for t in (new, ours)]
    changed = np.flatnonzero(kinds[0] != kinds[1])
    assert [i for i in changed.tolist() if chr(i) in set(OLD)] == []


def test_white_space_is_what_python_strips() -> None:
    white = np.isin(classes(), [CharacterClass.SPACE, CharacterClass.BREAK])
    assert [chr(i) for i in np.flatnonzero(white)] == [chr(i) for i in range(CODE_POINTS) if chr(i).isspace()]


def test_breaks_are_the_line_breaks_of_text_and_no_others() -> None:
    assert {chr(i) for i in np.flatnonzero(classes() == CharacterClass.BREAK)} == set(BREAKS)


@pytest.mark.parametrize(
    ("characters", "kind"),
    [
        ("azéяα", CharacterClass.LOWER),
        ("AZÉЯΑ", CharacterClass.UPPER),
        ("عا한א", CharacterClass.LETTER),
        ("中かカกກကក々", CharacterClass.SOLID),
        ("09٣३", CharacterClass.DIGIT),
        ("\u0301\u093f\u0e31", CharacterClass.MARK),
        (".!?…。।؟", CharacterClass.STOP),
        (",:、،؛", CharacterClass.COMMA),
        ("\"'“”„「」", CharacterClass.QUOTE),
        ("()[]{}（）", CharacterClass.BRACKET),
        ("-–—", CharacterClass.DASH),
        ("|•→/★*", CharacterClass.POINTER),
        ("$€©😀=", CharacterClass.SYMBOL),
        (" \t\u00a0\u3000\x85", CharacterClass.SPACE),
        ("\n\r\u2028\u2029", CharacterClass.BREAK),
        ("\u200b\ufeff\0\ud800", CharacterClass.OTHER),
    ],
)
def test_characters_are_what_a_reader_takes_them_for(characters: str, kind: CharacterClass) -> None:
    assert {c: CharacterClass(classes()[ord(c)]) for c in characters} == dict.fromkeys(characters, kind)


def test_letters_of_scripts_without_spaces_are_solid_and_no_others_are() -> None:
    solid = np.flatnonzero(classes() == CharacterClass.SOLID)
    assert all(any(low <= i <= high for low, high in SPACELESS) for i in solid.tolist())


def test_a_semicolon_is_a_comma() -> None:
    assert classes()[ord(";")] == CharacterClass.COMMA


@given(st.text(alphabet=st.characters(exclude_categories=[])))
def test_code_points_are_those_of_ord(text: str) -> None:
    assert code_points(text).tolist() == [ord(c) for c in text]


def test_folding_lowers_letters_and_makes_digits_one() -> None:
    for c in OLD:
        if ord(c) < FOLDED:
            lower = c.lower() if len(c.lower()) == 1 else c
            expected = "0" if classes()[ord(c)] == CharacterClass.DIGIT else lower
            assert chr(folds()[ord(c)]) == expected, c


def test_folding_reaches_every_letter_with_case() -> None:
    assert [i for i in range(FOLDED, CODE_POINTS) if chr(i).lower() != chr(i)] == []
