// LipSync Video and MuseTalk Sample: what goes in and the audio's waveform, and after a run what came out, in the node.
// The clip and the result themselves are shown by ComfyUI's Load Video and Save Video.

import { api } from "/scripts/api.js";
import { app } from "/scripts/app.js";
import { loadedFile, whileItLives } from "./lib/wired.js";

const NODES = ["LipSyncVideo", "LipSyncSample"];
// A run that finds the result of the last one in ComfyUI's cache tells nothing of it.
const EMPTY = "Lengths, rates and the waveform are shown here when they are known, at the latest after a run.";
const BEFORE = 52, AFTER = 144; // px, something is known
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

/** What the server knows of a file of Load Video ("clip") or Load Audio ("audio"): {line, peaks?}. */
async function overview(kind, name) {
    if (!name) return undefined;
    const answer = await api.fetchApi(`/lipsync_studio/input/${kind}?${new URLSearchParams({ name })}`);
    const told = await answer.json();
    return answer.ok ? told : { line: told.error };
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

        function show(lines, peaks) {
            root.replaceChildren(...(peaks ? [waveform(peaks)] : []), ...(lines.length ? lines : [EMPTY]).map(line));
            height = lines.length ? AFTER : BEFORE;
            node.setSize(node.computeSize().map((least, axis) => Math.max(least, node.size[axis])));
        }

        let looked = "[\"\",\"\"]";
        whileItLives(node, async () => {
            if (!node.graph) return;
            const clip = loadedFile(node, "source", "LoadVideo", "file");
            const audio = loadedFile(node, "audio", "LoadAudio", "audio");
            const files = JSON.stringify([clip, audio]);
            if (files === looked) return; // so the lines of a run stay until something else is wired in
            looked = files;
            const told = await Promise.all([overview("clip", clip), overview("audio", audio)]);
            if (files !== looked) return; // changed while it was asked for
            show(told.filter(Boolean).map((each) => each.line), told[1]?.peaks);
        });
        const executed = node.onExecuted;
        node.onExecuted = function (output, ...others) {
            executed?.call(this, output, ...others);
            const run = output?.lipsync_run?.[0]; // {lines, peaks} of nodes/run_summary.py
            if (run) show(run.lines, run.peaks);
        };
    },
});
