"""The schema of every node of the pack, for tests of what is written about them elsewhere."""

from __future__ import annotations

import asyncio
import re

from comfy_api.latest import io
from lipsync_studio.nodes import LipSyncStudio


def all_schemas() -> dict[str, io.Schema]:
    """By node id."""
    schemas = (node.define_schema() for node in asyncio.run(LipSyncStudio().get_node_list()))
    return {schema.node_id: schema for schema in schemas}


def all_inputs(schema: io.Schema) -> dict[str, io.Input]:
    """By name; those that come and go with the choice of another input by `choice.name`."""
    found: dict[str, io.Input] = {}
    for widget in schema.inputs:
        found[widget.id] = widget
        if isinstance(widget, io.DynamicCombo.Input):
            found |= {f"{widget.id}.{inner.id}": inner for option in widget.options for inner in option.inputs}
    return found


def shown_name(widget: io.Input) -> str:
    """What the editor writes beside it."""
    return widget.display_name or widget.id


def output_names(schema: io.Schema) -> list[str]:
    return [output.display_name or output.id for output in schema.outputs]


def slots_named(text: str) -> list[tuple[str, str]]:
    """Every "`x` of Y" in a text, where Y is the name of one of our nodes: (x, Y)."""
    owners = "|".join(re.escape(schema.display_name or "") for schema in all_schemas().values())
    return re.findall(rf"`(\w+)` of ({owners})", text)


def slots_unknown(text: str) -> list[tuple[str, str]]:
    """Those of `slots_named` that are no input and no output of their node."""
    known = {
        (name, schema.display_name)
        for schema in all_schemas().values()
        for name in (*map(shown_name, all_inputs(schema).values()), *output_names(schema))
    }
    return [slot for slot in slots_named(text) if slot not in known]
