// Every command with its keys: the one table behind the keyboard, the toolbar's hints and the help.

import { moveEdge, moveWords } from "./edits.js";
import { lineAround, nextUnsure } from "./model.js";
import { divide, insert, merge, remove, split, toggleBreak } from "./rewrites.js";

export const SPEEDS = [0.5, 0.6, 0.75, 0.9, 1];
const STEP = 0.01; // seconds
const NEW_TEXT = "new";

// {id, keys, does, run(desk)}. desk: what dialog.js puts together. A key is written with its modifiers in the order
// Ctrl, Alt, Shift; Ctrl is Command on a Mac.
export const COMMANDS = [
    { id: "play", keys: ["Space"], does: "Play or pause. While tapping: the next word begins", run: play },
    { id: "playWord", keys: ["Enter"], does: "Play the word", run: (desk) => playPart(desk, false) },
    { id: "playLine", keys: ["Shift+Enter"], does: "Play the line", run: (desk) => playPart(desk, true) },
    { id: "loopWord", keys: ["L"], does: "Loop the word, or stop looping", run: (desk) => loop(desk, false) },
    { id: "loopLine", keys: ["Shift+L"], does: "Loop the line, or stop looping", run: (desk) => loop(desk, true) },
    ...SPEEDS.map((speed, at) => ({
        id: `speed${speed}`, keys: [`${at + 1}`], does: `Play at ${speed}x`,
        run: ({ editor, waveform }) => { waveform.rate = speed; editor.tell("settings"); },
    })),
    { id: "previous", keys: ["ArrowLeft"], does: "Previous word", run: (desk) => go(desk, step(desk, -1)) },
    { id: "next", keys: ["ArrowRight"], does: "Next word", run: (desk) => go(desk, step(desk, 1)) },
    { id: "lineUp", keys: ["ArrowUp"], does: "Previous line", run: (desk) => go(desk, lineStep(desk, -1)) },
    { id: "lineDown", keys: ["ArrowDown"], does: "Next line", run: (desk) => go(desk, lineStep(desk, 1)) },
    { id: "first", keys: ["Home"], does: "First word", run: (desk) => go(desk, 0) },
    { id: "last", keys: ["End"], does: "Last word", run: (desk) => go(desk, desk.editor.doc.words.length - 1) },
    { id: "extendLeft", keys: ["Shift+ArrowLeft"], does: "Select one word more to the left",
        run: ({ editor }) => editor.extend(Math.max(editor.active - 1, 0)) },
    { id: "extendRight", keys: ["Shift+ArrowRight"], does: "Select one word more to the right",
        run: ({ editor }) => editor.extend(Math.min(editor.active + 1, editor.doc.words.length - 1)) },
    { id: "all", keys: ["Ctrl+A"], does: "Select all words",
        run: ({ editor }) => editor.select(editor.doc.words.map((_, index) => index)) },
    { id: "unsure", keys: ["U"], does: "Next unsure word", run: (desk) => unsure(desk, 1) },
    { id: "unsureBack", keys: ["Shift+U"], does: "Previous unsure word", run: (desk) => unsure(desk, -1) },
    { id: "startHere", keys: ["Q"], does: "The word starts at the playhead", run: (desk) => setEdge(desk, "start") },
    { id: "endHere", keys: ["W"], does: "The word ends at the playhead", run: (desk) => setEdge(desk, "end") },
    ...nudges("A", "start", -1, "Start 10 ms earlier"),
    ...nudges("S", "start", 1, "Start 10 ms later"),
    ...nudges("D", "end", -1, "End 10 ms earlier"),
    ...nudges("F", "end", 1, "End 10 ms later"),
    { id: "moveLeft", keys: ["Ctrl+ArrowLeft"], does: "Selected words 10 ms earlier",
        run: (desk) => move(desk, -STEP) },
    { id: "moveRight", keys: ["Ctrl+ArrowRight"], does: "Selected words 10 ms later",
        run: (desk) => move(desk, STEP) },
    { id: "frameLeft", keys: ["Ctrl+Shift+ArrowLeft"], does: "Selected words one frame earlier",
        run: (desk) => move(desk, -1 / desk.editor.fps) },
    { id: "frameRight", keys: ["Ctrl+Shift+ArrowRight"], does: "Selected words one frame later",
        run: (desk) => move(desk, 1 / desk.editor.fps) },
    { id: "text", keys: ["E", "F2"], does: "Edit the text; a space makes two words",
        run: ({ inspector }) => inspector.editText() },
    { id: "split", keys: ["C"], does: "Cut the word in two at the playhead, or in the middle", run: cut },
    { id: "divide", keys: ["V"], does: "Divide a line that came without words", run: divideLine },
    { id: "merge", keys: ["M"], does: "Merge the selected words, or the word with the next", run: mergeWords },
    { id: "insert", keys: ["I"], does: "New word at the playhead", run: insertWord },
    { id: "delete", keys: ["Delete", "Backspace"], does: "Delete the selected words. While tapping: undo the last tap",
        run: deleteWords },
    { id: "break", keys: ["B"], does: "New line before the word, or join it to the line before",
        run: ({ editor }) => editor.word && editor.apply(toggleBreak(editor.doc, editor.active)) },
    { id: "tap", keys: ["T"], does: "Tap along: Space begins each word, hold it for its length",
        run: ({ tap }) => tap.toggle() },
    { id: "undo", keys: ["Ctrl+Z"], does: "Undo",
        run: ({ editor, tap }) => (tap.stamped.length ? tap.back() : editor.undo()) },
    { id: "redo", keys: ["Ctrl+Shift+Z", "Ctrl+Y"], does: "Redo", run: ({ editor }) => editor.redo() },
    { id: "zoomIn", keys: ["+", "="], does: "Zoom in (or Alt and wheel)", run: ({ waveform }) => waveform.zoomStep(1) },
    { id: "zoomOut", keys: ["-"], does: "Zoom out", run: ({ waveform }) => waveform.zoomStep(-1) },
    { id: "whole", keys: ["0"], does: "Show the whole sound", run: ({ waveform }) => waveform.zoomOut() },
    { id: "follow", keys: ["G"], does: "The view follows the playhead, or stays", run: follow },
    { id: "snap", keys: ["N"], does: "Snap to neighbours and onsets, or not",
        run: ({ editor }) => editor.set("isSnapping", !editor.isSnapping) },
    { id: "frames", keys: ["K"], does: "Snap to frames, or not",
        run: ({ editor }) => editor.set("isOnFrames", !editor.isOnFrames) },
    { id: "spectrogram", keys: ["P"], does: "Show or hide the spectrogram",
        run: ({ showSpectrogram }) => showSpectrogram() },
    { id: "help", keys: ["H", "?"], does: "Show or hide these keys", run: ({ help }) => help() },
    { id: "escape", keys: ["Escape"], does: "Stop tapping or looping, select nothing, close", run: leave },
];

export const command = (id) => COMMANDS.find((candidate) => candidate.id === id);

const BY_KEY = new Map(COMMANDS.flatMap((entry) => entry.keys.map((key) => [key, entry])));
BY_KEY.set("Shift++", command("zoomIn"));
BY_KEY.set("Shift+?", command("help"));

/** Run the command of a key event, if it has one. Says whether it had. */
export function runKey(event, desk) {
    const entry = BY_KEY.get(keyOf(event));
    if (!entry) return false;
    if (!(event.repeat && ["play", "tap", "help"].includes(entry.id))) entry.run(desk);
    return true;
}

/** "Ctrl+Shift+Z". Letters are those printed on the keys; with Alt, which makes others of them, go by their place. */
function keyOf({ key, code, ctrlKey, metaKey, altKey, shiftKey }) {
    const isLetter = /^Key[A-Z]$/.test(code) && (altKey || key.length !== 1);
    const name = key === " " ? "Space" : isLetter ? code[3] : key.length === 1 ? key.toUpperCase() : key;
    return [(ctrlKey || metaKey) && "Ctrl", altKey && "Alt", shiftKey && "Shift", name].filter(Boolean).join("+");
}

/** A key that moves an edge by 10 ms; with Shift by a frame, with Alt without the neighbour that shares the edge. */
function nudges(key, edge, direction, does) {
    const variants = [["", false, true], ["Shift+", true, true], ["Alt+", false, false], ["Alt+Shift+", true, false]];
    return variants.map(([modifier, isFrame, isLinked]) => ({
        id: `nudge${modifier}${key}`, keys: [modifier + key],
        does: (isFrame ? does.replace("10 ms", "one frame") : does) + (isLinked ? "" : ", the neighbour stays"),
        run: ({ editor }) => {
            if (!editor.word) return;
            const amount = direction * (isFrame ? 1 / editor.fps : STEP);
            const doc = moveEdge(editor.doc, editor.active, edge, editor.word[edge] + amount, isLinked);
            editor.apply(doc, { gesture: `nudge ${edge} ${editor.active} ${isLinked}` });
        },
    }));
}

function play({ tap, waveform }) {
    if (tap.isOn) tap.press();
    else waveform.toggle();
}

function playPart({ editor, waveform }, isLine) {
    const part = editor.part(isLine);
    if (part) waveform.play(...part);
}

function loop({ editor, waveform }, isLine) {
    const part = editor.part(isLine);
    const isSame = waveform.loop && part && waveform.loop.every((time, at) => time === part[at]);
    waveform.repeatPart(isSame ? null : part);
    if (isSame) waveform.pause();
    editor.tell("settings");
}

function step({ editor }, direction) {
    return editor.active < 0 ? 0 : editor.active + direction;
}

function lineStep({ editor }, direction) {
    if (!editor.word) return 0;
    const [first, last] = lineAround(editor.doc, editor.active);
    if (direction > 0) return last + 1;
    return first > 0 ? lineAround(editor.doc, first - 1)[0] : 0;
}

/** Select a word, and go there unless the sound plays. */
function go({ editor, waveform }, index) {
    if (!editor.doc.words[index]) return;
    editor.select([index]);
    const [start, end] = editor.part();
    waveform.reveal(start, end);
    if (!waveform.isPlaying) waveform.seek(start);
}

function unsure(desk, direction) {
    const index = nextUnsure(desk.editor.doc, desk.editor.active, direction);
    if (index >= 0) go(desk, index);
}

function setEdge({ editor, waveform }, edge) {
    if (editor.word) editor.apply(moveEdge(editor.doc, editor.active, edge, waveform.time));
}

function move({ editor }, seconds) {
    const gesture = `move ${editor.selection}`;
    editor.apply(moveWords(editor.doc, editor.selection, seconds), { gesture });
}

function cut({ editor, waveform }) {
    const { word, active, doc } = editor;
    if (!word) return;
    const { time } = waveform;
    const isInside = time > word.start && time < word.end;
    const result = split(doc, active, isInside ? time : (word.start + word.end) / 2);
    if (result !== doc) editor.apply(result, { select: [active, active + 1] });
}

function divideLine({ editor }) {
    if (editor.word) editor.apply(divide(editor.doc, editor.active), { select: [editor.active] });
}

function mergeWords({ editor }) {
    const { selection, active, doc } = editor;
    const [first, last] = selection.length > 1 ? [selection[0], selection.at(-1)] : [active, active + 1];
    if (first >= 0 && doc.words[last]) editor.apply(merge(doc, first, last), { select: [first] });
}

function insertWord({ editor, waveform, inspector }) {
    const { doc, index } = insert(editor.doc, waveform.time, NEW_TEXT);
    if (index < 0) return;
    editor.apply(doc, { select: [index] });
    inspector.editText();
}

function deleteWords({ editor, tap }) {
    if (tap.isOn) return tap.back();
    const { selection } = editor;
    const next = Math.min(selection[0] ?? 0, editor.doc.words.length - selection.length - 1);
    editor.apply(remove(editor.doc, selection), { select: next >= 0 && selection.length ? [next] : [] });
}

function follow({ editor, waveform }) {
    waveform.isFollowing = !waveform.isFollowing;
    editor.tell("settings");
}

function leave({ editor, waveform, tap, close }) {
    if (tap.isOn) return tap.toggle();
    if (waveform.loop) {
        waveform.repeatPart(null);
        return editor.tell("settings");
    }
    if (editor.selection.length) return editor.select([]);
    close();
}
