"""The guide quotes messages as the code raises them, and names what there is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from importable import PACK
from node_schemas import slots_named, slots_unknown

GUIDE = (PACK / "docs" / "guide.md").read_text(encoding="utf-8")
QUOTED = re.findall(r"^\| `([^`]+)` \|", GUIDE.partition("## Troubleshooting")[2], re.MULTILINE)


def template(node: ast.expr) -> str:
    """A text as the guide quotes it: what differs each time is an ellipsis."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return re.sub("…+", "…", "".join(template(part) for part in node.values))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return re.sub(r"\{[^}]*\}", "…", template(node.func.value))
    return "…"


def templates(tree: ast.AST) -> Iterator[str]:
    """Every text in the code, and every message of a LipSyncError, which is put together of three."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant | ast.JoinedStr):
            yield template(node)
        elif isinstance(node, ast.Call):
            parts = {keyword.arg: template(keyword.value) for keyword in node.keywords}
            if {"expected", "got"} <= parts.keys():
                yield f"Expected {parts['expected']}; got {parts['got']}."


@pytest.fixture(scope="module")
def messages() -> frozenset[str]:
    files = [*(PACK / "pipelines").rglob("*.py"), *(PACK / "nodes").rglob("*.py")]
    return frozenset(text for path in files for text in templates(ast.parse(path.read_text(encoding="utf-8"))))


def test_messages_are_quoted() -> None:
    assert len(QUOTED) > 20


@pytest.mark.parametrize("quoted", QUOTED)
def test_a_quoted_message_is_one_of_the_code(quoted: str, messages: frozenset[str]) -> None:
    assert any(quoted in message for message in messages)


def test_what_is_said_of_a_node_is_there() -> None:
    assert slots_named(GUIDE)
    assert slots_unknown(GUIDE) == []


def test_links_lead_to_files() -> None:
    folder = PACK / "docs"
    targets = [target.partition("#")[0] for target in re.findall(r"\]\(([^)]+)\)", GUIDE) if "://" not in target]
    assert targets
    assert [target for target in targets if not Path(folder, target).exists()] == []


def test_the_readme_links_to_the_guide() -> None:
    assert "(docs/guide.md)" in (PACK / "README.md").read_text(encoding="utf-8")
