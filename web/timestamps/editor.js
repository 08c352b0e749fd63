// What is being edited: the document with its history, and which words are selected. Views listen, commands change.

import { lineAround } from "./model.js";

export class Editor {
    /** incoming: the document as the graph gives it. history: its last document is what is edited; it does not begin
     *  with `incoming` where there are edits already, so that an undo too many cannot take those away. */
    constructor({ incoming, history, fps }) {
        this.incoming = incoming;
        this.history = history;
        this.fps = fps;
        this.selection = []; // indexes, ascending
        this.active = -1; // the one that keys work on, the last that was selected
        this.anchor = -1; // where a selection with Shift began
        this.onsets = [];
        this.isSnapping = true;
        this.isOnFrames = false;
        this.listeners = new Set();
    }

    get doc() {
        return this.history.doc;
    }

    get isEdited() {
        return this.doc !== this.incoming;
    }

    get word() {
        return this.doc.words[this.active];
    }

    /** Call `then("doc" | "selection" | "settings")` after each change. */
    listen(then) {
        this.listeners.add(then);
    }

    tell(what) {
        for (const then of this.listeners) then(what);
    }

    /** Take over a changed document. select: the words to select then. gesture: see History.push. */
    apply(doc, { select, gesture } = {}) {
        const isSame = doc === this.doc;
        this.history.push(doc, gesture);
        this.choose(select ?? this.selection, select ? select.at(-1) : this.active);
        if (!isSame) this.tell("doc");
        this.tell("selection");
        return !isSame;
    }

    undo() {
        this.history.undo();
        this.afterTimeTravel();
    }

    redo() {
        this.history.redo();
        this.afterTimeTravel();
    }

    afterTimeTravel() {
        this.choose(this.selection, this.active);
        this.tell("doc");
        this.tell("selection");
    }

    /** Back to what the graph gives; undo brings the edits back. */
    revert() {
        this.apply(this.incoming, { select: [] });
    }

    /** Select these words. active: the one that keys work on. */
    select(indexes, active = indexes.at(-1) ?? -1) {
        this.choose(indexes, active);
        this.anchor = this.active;
        this.tell("selection");
    }

    /** Select from where the selection began to `index`. */
    extend(index) {
        const from = this.anchor < 0 ? index : this.anchor;
        const [first, last] = [Math.min(from, index), Math.max(from, index)];
        this.choose(Array.from({ length: last - first + 1 }, (_, at) => first + at), index);
        this.tell("selection");
    }

    /** Add a word to the selection, or take it out. */
    toggle(index) {
        const isIn = this.selection.includes(index);
        const indexes = isIn ? this.selection.filter((other) => other !== index) : [...this.selection, index];
        this.select(indexes.sort((one, other) => one - other), isIn ? indexes.at(-1) ?? -1 : index);
    }

    choose(indexes, active) {
        const { length } = this.doc.words;
        this.selection = indexes.filter((index) => index < length);
        this.active = this.selection.includes(active) ? active : this.selection.at(-1) ?? -1;
    }

    /** What a command for many words works on: the selection, or without one all words. */
    get targets() {
        return this.selection.length > 1 ? this.selection : this.doc.words.map((_, index) => index);
    }

    /** [start, end] of the active word, or of its line. */
    part(isLine = false) {
        const { words } = this.doc;
        if (!this.word) return null;
        const [first, last] = isLine ? lineAround(this.doc, this.active) : [this.active, this.active];
        const part = words.slice(first, last + 1);
        return [Math.min(...part.map(({ start }) => start)), Math.max(...part.map(({ end }) => end))];
    }

    set(name, value) {
        this[name] = value;
        this.tell("settings");
    }
}
