"""The help page of every node says what the node has, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from importable import PACK
from node_schemas import all_inputs, all_schemas, output_names, shown_name, slots_unknown

DOCS = PACK / "web" / "docs"
SCHEMAS = all_schemas()
LARGEST_PICTURE = 60_000  # bytes


def page(node: str) -> str:
    return (DOCS / f"{node}.md").read_text(encoding="utf-8")


def named(text: str, kind: str) -> list[str]:
    """What the tables headed `kind` name in their first column, several to a cell."""
    return [name.strip(" `") for cell in first_cells(text, kind) for name in cell.split(",")]


def first_cells(text: str, kind: str) -> Iterator[str]:
    """The first column of every Markdown table whose first column is headed `kind`."""
    for table in re.findall(rf"^\| {kind} \|.*\n\|[-|]+\n((?:\|.*\n?)*)", text, re.MULTILINE):
        for row in table.splitlines():
            yield row.split("|")[1]


def test_every_page_is_of_a_node() -> None:
    assert {path.stem for path in DOCS.glob("*.md")} == set(SCHEMAS)


@pytest.mark.parametrize("node", SCHEMAS)
def test_a_page_is_headed_by_the_name_of_its_node(node: str) -> None:
    heading = page(node).splitlines()[0].removeprefix("# ")
    assert SCHEMAS[node].display_name.startswith(heading)


@pytest.mark.parametrize("node", SCHEMAS)
def test_a_page_names_every_input_and_no_other(node: str) -> None:
    inputs = {shown_name(widget) for widget in all_inputs(SCHEMAS[node]).values()}
    assert sorted(named(page(node), "input")) == sorted(inputs)


@pytest.mark.parametrize("node", SCHEMAS)
def test_a_page_names_every_output_and_no_other(node: str) -> None:
    assert sorted(named(page(node), "output")) == sorted(output_names(SCHEMAS[node]))


@pytest.mark.parametrize("node", SCHEMAS)
def test_a_page_says_when_warns_of_mistakes_and_shows_its_node(node: str) -> None:
    """The editor looks for pictures beside the page."""
    assert page(node).count("**When.** ") == page(node).count("**Mistakes people make.**") == 1
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", page(node))
    assert f"{node}.png" in pictures
    assert all((DOCS / name).stat().st_size < LARGEST_PICTURE for name in pictures)


def test_every_picture_is_shown() -> None:
    text = "".join(page(node) for node in SCHEMAS)
    assert [path.name for path in DOCS.iterdir() if path.suffix != ".md" and f"({path.name})" not in text] == []


@pytest.mark.parametrize("node", SCHEMAS)
def test_what_a_page_says_of_other_nodes_is_there(node: str) -> None:
    assert slots_unknown(page(node)) == []
