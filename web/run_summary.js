// LipSync Video and MuseTalk Sample: what went in, what came out, and the audio's waveform, in the node after a run.
// The clip and the result themselves are shown by ComfyUI's Load Video and Save Video.

import { app } from "/scripts/app.js";

const NODES = ["LipSyncVideo", "LipSyncSample"];
// A run that finds the result of the last one in ComfyUI's cache tells nothing of it.
const EMPTY = "Lengths, rates and the waveform are shown here when this node has run.";
const BEFORE = 52, AFTER = 144; // px, a run
const SVG = "http://www.w3.org/2000/svg";

function line(text) {
    return Object.assign(document.createElement("div"), { textContent: text });
}

/** peaks: 0 to 100. */
function waveform(peaks) {
    const upper = peaks.map((peak, index) => `${index},${50 - peak / 2}`);
    const lower = peaks.map((peak, index) => `${index},${50 + peak / 2}`).reverse();
    const shape = svg("polygon", {
        points: [...upper, ...lower].join(" "), fill: "currentColor", stroke: "currentColor",
        "vector-effect": "non-scaling-stroke",
    });
    const picture = svg("svg", {
        viewBox: `0 0 ${Math.max(peaks.length - 1, 1)} 100`, preserveAspectRatio: "none", width: "100%", height: 32,
        role: "img", "aria-label": "Waveform of the audio",
    });
    picture.style.flex = "none";
    picture.append(shape);
    return picture;
}

function svg(tag, attributes) {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
}

app.registerExtension({
    name: "LipSyncStudio.RunSummary",
    nodeCreated(node) {
        if (!NODES.includes(node.comfyClass)) return;
        const root = document.createElement("div");
        Object.assign(root.style, {
            display: "flex", flexDirection: "column", gap: "2px", boxSizing: "border-box", overflow: "auto",
            fontSize: "12px", color: "var(--input-text)",
        });
        root.append(line(EMPTY));
        let height = BEFORE;
        const widget = node.addDOMWidget("lipsync_run", "lipsync_run", root, {
            serialize: false, // not in the prompt
            getMinHeight: () => height,
            getMaxHeight: () => height,
        });
        widget.serialize = false; // nor in the workflow
        const executed = node.onExecuted;
        node.onExecuted = function (output, ...others) {
            executed?.call(this, output, ...others);
            const run = output?.lipsync_run?.[0]; // {lines, peaks} of nodes/run_summary.py
            if (!run) return;
            root.replaceChildren(waveform(run.peaks), ...run.lines.map(line));
            height = AFTER;
            node.setSize(node.computeSize().map((least, axis) => Math.max(least, node.size[axis])));
        };
    },
});
