"""What is wrong with a graph in API format, by what a server says of its nodes (/object_info)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from client import Graph

DYNAMIC_COMBO, MATCH_TYPE, ANY = "COMFY_DYNAMICCOMBO_V3", "COMFY_MATCHTYPE_V3", "*"
LITERALS = {"INT": int, "FLOAT": (int, float), "BOOLEAN": bool, "STRING": str, "COLOR": str}


@dataclass(frozen=True)
class Slot:
    """One input of a node. kind: its types, with commas. options: of a combo, else None."""

    kind: str
    required: bool
    options: tuple[object, ...] | None
    least: float
    most: float


def faults(graph: Graph, nodes: Mapping[str, Any], elsewhere: Collection[str] = ()) -> list[str]:
    """One sentence for each fault. elsewhere: choices that are right although this server does not have them."""
    return [
        f"{number} ({node['class_type']}): {fault}"
        for number, node in graph.items()
        for fault in _faults_of_node(node, graph, nodes, elsewhere)
    ]


def _faults_of_node(
    node: Mapping[str, Any], graph: Graph, nodes: Mapping[str, Any], elsewhere: Collection[str]
) -> Iterator[str]:
    if node["class_type"] not in nodes:
        yield "there is no such node"
        return
    slots = dict(_slots(nodes[node["class_type"]]["input"], node["inputs"]))
    yield from (f"{name} is missing" for name, slot in slots.items() if slot.required and name not in node["inputs"])
    for name, value in node["inputs"].items():
        if name not in slots:
            yield f"there is no input {name}"
        elif isinstance(value, list):
            yield from _faults_of_link(name, value, slots[name], graph, nodes)
        else:
            yield from _faults_of_literal(name, value, slots[name], elsewhere)


def _slots(groups: Mapping[str, Any], inputs: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Slot]]:
    """Every input; those that a choice of a dynamic combo brings are called COMBO.INPUT."""
    for group in ("required", "optional"):
        for name, (kind, *more) in groups.get(group, {}).items():
            settings = more[0] if more else {}
            options = kind if isinstance(kind, list) else settings.get("options")
            if kind == DYNAMIC_COMBO:
                brought = {option["key"]: option["inputs"] for option in options}
                yield from _slots(brought.get(inputs.get(prefix + name), {}), inputs, f"{prefix}{name}.")
                options = list(brought)
            yield (
                prefix + name,
                Slot(
                    kind="COMBO" if options is not None else kind,
                    required=group == "required",
                    options=None if options is None else tuple(options),
                    least=settings.get("min", float("-inf")),
                    most=settings.get("max", float("inf")),
                ),
            )


def _faults_of_link(name: str, link: list[Any], slot: Slot, graph: Graph, nodes: Mapping[str, Any]) -> Iterator[str]:
    origin, outlet = link
    outputs = nodes.get(graph.get(origin, {}).get("class_type", ""), {}).get("output", [])
    if outlet >= len(outputs):
        yield f"{name} comes from output {outlet} of {origin}, which is not there"
    elif not _fit(outputs[outlet], slot.kind):
        yield f"{name} takes {slot.kind}, not the {outputs[outlet]} of {origin}"


def _fit(given: str, taken: str) -> bool:
    some, others = set(given.split(",")), set(taken.split(","))
    return bool(some & others) or bool({ANY, MATCH_TYPE} & (some | others))


def _faults_of_literal(name: str, value: object, slot: Slot, elsewhere: Collection[str]) -> Iterator[str]:
    if slot.options is not None:
        if value not in slot.options and value not in elsewhere:
            yield f"{name} cannot be {value!r}"
    elif slot.kind not in LITERALS:
        yield f"{name} takes a link, not {value!r}"
    elif not isinstance(value, LITERALS[slot.kind]):
        yield f"{name} takes {slot.kind}, not {value!r}"
    elif isinstance(value, (int, float)) and not slot.least <= value <= slot.most:
        yield f"{name} must be from {slot.least} to {slot.most}, not {value}"
