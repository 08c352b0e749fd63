"""The Chinese and Japanese texts of the nodes: all of them, nothing left over, nothing that the editor trips over."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from importable import PACK
from node_schemas import all_inputs, all_schemas

LANGUAGES = ("zh", "ja")
SCHEMAS = all_schemas()
CASES = [(language, node) for language in LANGUAGES for node in SCHEMAS]


def texts(language: str, name: str) -> dict[str, Any]:
    return json.loads((PACK / "locales" / language / f"{name}.json").read_text(encoding="utf-8"))


NODES = {language: texts(language, "nodeDefs") for language in LANGUAGES}


def key(name: str) -> str:
    """As the editor looks an input up: a dot would lead to another level."""
    return name.replace(".", "_")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_node_is_there(language: str) -> None:
    assert set(NODES[language]) == set(SCHEMAS)


@pytest.mark.parametrize(("language", "node"), CASES)
def test_a_node_has_its_texts_and_no_other(language: str, node: str) -> None:
    entry, schema = NODES[language][node], SCHEMAS[node]
    inputs = {key(name): widget for name, widget in all_inputs(schema).items()}
    assert set(entry) == {"display_name", "description", "outputs"} | ({"inputs"} if inputs else set())
    assert set(entry.get("inputs", {})) == set(inputs)
    assert set(entry["outputs"]) == {str(index) for index in range(len(schema.outputs))}
    for name, widget in inputs.items():
        assert set(entry["inputs"][name]) == {"name"} | ({"tooltip"} if widget.tooltip else set()), name
    for index, output in enumerate(schema.outputs):
        assert set(entry["outputs"][str(index)]) == {"name"} | ({"tooltip"} if output.tooltip else set()), index


@pytest.mark.parametrize(("language", "node"), CASES)
def test_a_translation_has_the_numbers_of_the_original(language: str, node: str) -> None:
    """So that one which was forgotten when the original changed is found, if a number changed."""
    entry, schema = NODES[language][node], SCHEMAS[node]
    pairs = [(schema.description, entry["description"])]
    for name, widget in all_inputs(schema).items():
        pairs.append((widget.tooltip or "", entry["inputs"][key(name)].get("tooltip", "")))
    for english, translated in pairs:
        assert numbers(english) <= numbers(translated), translated


def numbers(text: str) -> set[str]:
    return set(re.findall(r"\d+(?:[.,]\d+)*", text))


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty_or_read_as_code(language: str) -> None:
    """The editor's vue-i18n takes {x}, @:x and a|b in a text for its own."""
    files = (PACK / "locales" / language).glob("*.json")
    for file in files:
        for text in strings(json.loads(file.read_text(encoding="utf-8"))):
            assert text.strip() == text != ""
            assert not re.search(r"[{}@|]", text), text


def strings(value: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    if isinstance(value, str):
        yield value
    else:
        for inner in value.values():
            yield from strings(inner)


def test_all_languages_have_the_same_texts_beside_the_nodes() -> None:
    for name in ("main", "settings", "commands"):
        assert keys(texts("zh", name)) == keys(texts("ja", name))


def keys(value: Any) -> Any:  # noqa: ANN401 - JSON
    return {name: keys(inner) for name, inner in value.items()} if isinstance(value, dict) else None
