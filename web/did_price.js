// D-ID Talk: what a run will be billed as, in the node, before it runs; as far as the editor can know.

import { api } from "/scripts/api.js";
import { app } from "/scripts/app.js";
import { inputLink, loadedFile, whileItLives, widgetValue } from "./lib/wired.js";

const NODE = "LipSyncDIDTalk";
const STEP = 15; // s; D-ID bills in steps of so many
const LONGEST = 600; // s
const ROWS = 44; // px

const durations = new Map(); // URL of a sound -> seconds, NaN when the browser cannot tell, null while it loads

function priceLine(node) {
    const pad = widgetValue(node, "pad_audio");
    const lines = [soundLine(node, pad)];
    if (inputLink(node, "image")?.type === "VIDEO") lines.push("Only the first frame of the video is used.");
    return lines.join(" ");
}

function soundLine(node, pad) {
    if (!inputLink(node, "audio")) return `Price: how long the text takes to say, rounded up to ${STEP} s.`;
    const seconds = soundSeconds(node) + pad;
    if (!Number.isFinite(seconds)) {
        return `Price: the length of the audio, rounded up to ${STEP} s. It is known when the graph runs.`;
    }
    if (seconds - pad > LONGEST) return `D-ID takes at most ${LONGEST / 60} minutes of audio.`;
    const billed = Math.max(Math.ceil(seconds / STEP), 1) * STEP;
    return `Price: ${billed} s of D-ID's time (${seconds.toFixed(1)} s, rounded up to ${STEP} s).`;
}

/** Seconds of the connected sound; NaN when it does not come straight from Load Audio. */
function soundSeconds(node) {
    const name = loadedFile(node, "audio", "LoadAudio", "audio");
    return name ? (durationOf(viewUrl(name)) ?? NaN) : NaN;
}

function durationOf(url) {
    if (!durations.has(url)) {
        durations.set(url, null);
        const sound = new Audio();
        sound.preload = "metadata";
        sound.addEventListener("loadedmetadata", () => durations.set(url, sound.duration));
        sound.addEventListener("error", () => durations.set(url, NaN));
        sound.src = url;
    }
    return durations.get(url);
}

/** Where the server shows a file that a loader names: "folder/name.wav" or "name.wav [output]". */
function viewUrl(value) {
    const [, path, type] = value.match(/^(.*?)(?: \[(input|output|temp)\])?$/s);
    const cut = path.lastIndexOf("/");
    const query = new URLSearchParams({
        filename: path.slice(cut + 1), subfolder: path.slice(0, Math.max(cut, 0)), type: type ?? "input",
    });
    return api.apiURL(`/view?${query}`);
}

app.registerExtension({
    name: "LipSyncStudio.DIDPrice",
    nodeCreated(node) {
        if (node.comfyClass !== NODE) return;
        const text = document.createElement("div");
        Object.assign(text.style, { fontSize: "12px", color: "var(--input-text)", overflow: "hidden" });
        const widget = node.addDOMWidget("lipsync_price", "lipsync_price", text, {
            serialize: false, // not in the prompt
            getMinHeight: () => ROWS,
            getMaxHeight: () => ROWS,
        });
        widget.serialize = false; // nor in the workflow
        whileItLives(node, () => {
            const line = node.graph ? priceLine(node) : "";
            if (text.textContent !== line) text.textContent = line;
        });
    },
});
