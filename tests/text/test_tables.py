# SPDX-License-Identifier: Apache-2.0
"""The two text tables say the same things, and exactly what the code needs said."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

import lvbo
from lvbo import errors
from lvbo.text import Language, say, table

SOURCE = Path(str(lvbo.__file__)).parent
CODE = re.compile(r"LV\d{3}")
ALWAYS_GIVEN = frozenset({"place"})
ERRORS = frozenset(
    each for each, kind in vars(errors).items() if isinstance(kind, type) and "Error" in each
)


def fields(sentence: str) -> frozenset[str]:
    return frozenset(field for _, field, _, _ in Formatter().parse(sentence) if field is not None)


def codes(language: Language) -> set[str]:
    return {key for key in table(language) if CODE.fullmatch(key)}


def strings() -> Iterator[str]:
    """Return every string of the source that is a code."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield from CODE.findall(node.value) if CODE.fullmatch(node.value) else ()


def raised() -> Iterator[tuple[str, str, frozenset[str]]]:
    """Return place, code and fields of each error, finding and reason that writes them out."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and (found := _call(node)):
                yield f"{path.name}:{node.lineno}", *found


def _call(node: ast.Call) -> tuple[str, frozenset[str]] | None:
    """Return code and fields of one call, or None where it is no such call or computes them."""
    called = node.func.id if isinstance(node.func, ast.Name) else ""
    given = {keyword.arg: keyword.value for keyword in node.keywords}
    if called in ERRORS and node.args and None not in given:
        names = frozenset(key for key in given if key is not None)
        return _constant(node.args[0], names)
    inner = given.get("fields", ast.Dict(keys=[], values=[]))
    if called in {"Finding", "Reason"} and "code" in given and isinstance(inner, ast.Dict):
        keys = [key.value for key in inner.keys if isinstance(key, ast.Constant)]
        if len(keys) == len(inner.keys):
            return _constant(given["code"], frozenset(str(key) for key in keys))
    return None


def _constant(code: ast.expr, names: frozenset[str]) -> tuple[str, frozenset[str]] | None:
    if isinstance(code, ast.Constant) and CODE.fullmatch(str(code.value)):
        return str(code.value), names
    return None


def test_both_languages_have_the_same_keys() -> None:
    assert set(table(Language.ZH)) ^ set(table(Language.EN)) == set()


def test_both_languages_name_the_same_fields() -> None:
    zh, en = table(Language.ZH), table(Language.EN)
    unequal = [key for key in zh if key in en and fields(zh[key]) != fields(en[key])]

    assert unequal == []


def test_every_code_in_the_source_has_a_sentence() -> None:
    assert set(strings()) - codes(Language.EN) == set()


def test_every_sentence_is_said_somewhere() -> None:
    assert codes(Language.EN) - set(strings()) == set()


@pytest.mark.parametrize("language", list(Language))
def test_every_code_says_what_to_do(language: Language) -> None:
    without = [code for code in codes(language) if not table(language).get(f"{code}_fix")]

    assert without == []


def test_an_advice_needs_no_fields() -> None:
    asking = [key for key, said in table(Language.EN).items() if "_fix" in key and fields(said)]

    assert asking == []


def test_every_error_finding_and_reason_brings_the_fields_its_sentence_names() -> None:
    sentences = table(Language.EN)
    short = [
        (place, code, sorted(missing))
        for place, code, given in raised()
        if (missing := fields(sentences.get(code, "")) - given - ALWAYS_GIVEN - {"conflict"})
    ]

    assert short == []


def test_chinese_sentences_are_chinese() -> None:
    foreign = [
        key
        for key, said in table(Language.ZH).items()
        if CODE.match(key) and not re.search(r"[\u4e00-\u9fff]", said)
    ]

    assert foreign == []


def test_a_sentence_is_filled_with_its_fields() -> None:
    said = say("LV402", Language.EN, link=3, distance_m=0.0)

    assert said == "Link 3: the distance 0.0 m is not above zero."


def test_an_unknown_code_is_an_error() -> None:
    with pytest.raises(KeyError, match="LV999"):
        say("LV999", Language.EN)
