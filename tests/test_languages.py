"""The language of a page: of its prose, not of its menus, and unknown where that cannot be told."""

from __future__ import annotations

import sys

import pytest

from boilerplate import languages
from boilerplate.languages import UNKNOWN, language_of
from boilerplate.segment import segment_text


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Home\n\nDie Gemeinde hat gestern beschlossen, das Freibad im Sommer wieder zu öffnen.", "de"),
        ("The council decided on Tuesday to reopen the outdoor pool before the summer.", "en"),
        ("El ayuntamiento decidió el martes volver a abrir la piscina antes del verano.", "es"),
        ("市议会周二决定在夏天之前重新开放露天游泳池，居民们对此表示欢迎。", "zh"),
        ("", UNKNOWN),
        ("12:30 — 14:00", UNKNOWN),
    ],
)
def test_the_longest_paragraphs_tell_the_language(text: str, language: str) -> None:
    assert language_of(segment_text(text)) == language


def test_broken_text_has_some_language_and_no_error() -> None:
    assert isinstance(language_of(segment_text("Die Gemeinde \ud800 hat gestern beschlossen.")), str)


def test_without_the_detector_every_language_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "py3langid.langid", None)
    languages._identifier.cache_clear()
    assert language_of(segment_text("Die Gemeinde hat gestern beschlossen.")) == UNKNOWN
    languages._identifier.cache_clear()
