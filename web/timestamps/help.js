// All keys, and what the pointer does on the waveform, as a table.

import { el } from "./dom.js";
import { COMMANDS } from "./keys.js";

const POINTER = [
    ["Click", "Seek, and select the word"],
    ["Shift and click", "The selected word starts here"],
    ["Ctrl and click", "The selected word ends here"],
    ["Drag an edge", "Move it, with the neighbour that shares it"],
    ["Drag a word", "Move the selected words"],
    ["Drag over a pause", "Select words"],
    ["Alt and drag", "The neighbours stay"],
    ["Ctrl and drag", "Without snapping"],
    ["Alt and wheel", "Zoom"],
];

const ARROWS = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓" };

export function helpOfKeys() {
    const keys = COMMANDS.map(({ keys, does }) => [keys.map((key) => el("kbd", { textContent: printed(key) })), does]);
    const pointer = POINTER.map(([what, does]) => [[what], does]);
    const rows = [...keys, ...pointer].map(([what, does]) =>
        el("tr", {}, el("td", {}, ...what), el("td", { textContent: does })));
    return el("div", { className: "ls-keys" }, el("table", {}, ...rows));
}

/** "Ctrl+ArrowLeft" -> "Ctrl ←". */
function printed(key) {
    return key.replace(/Arrow\w+/, (name) => ARROWS[name]).replace(/(?<=.)\+(?=.)/g, " ");
}
