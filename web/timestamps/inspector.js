// The selected word in numbers, and what is done to many words at once.

import { el } from "./dom.js";
import { moveEdge, moveWords, stretch } from "./edits.js";
import { clock, isFound, seconds, sureness } from "./model.js";
import { setText } from "./rewrites.js";

const SAYS = {
    sure: "heard", unsure: "heard, unsure", guessed: "filled in between heard words", missing: "not found in the sound",
};

export class Inspector {
    constructor(editor) {
        this.editor = editor;
        this.text = field("Text", "text", (value) => this.change((doc, index) => setText(doc, index, value)));
        this.start = field("Start", "text", (value) => this.moveTo("start", value));
        this.end = field("End", "text", (value) => this.moveTo("end", value));
        this.about = el("div", { className: "ls-about" });
        this.offset = field("Move by (s)", "number", null, { value: "0.1", step: "0.01" });
        this.factor = field("Stretch to (%)", "number", null, { value: "100", step: "0.1", min: "1" });
        this.moves = action("Move", () => this.many((doc, indexes) => moveWords(doc, indexes, this.offset.number)));
        this.stretches = action("Stretch", () =>
            this.many((doc, indexes) => stretch(doc, indexes, this.factor.number / 100)));
        this.root = el("div", { className: "ls-inspector" },
            el("div", { className: "ls-fields" }, this.text.root, this.start.root, this.end.root),
            this.about,
            el("div", { className: "ls-fields" }, this.offset.root, this.moves, this.factor.root, this.stretches),
        );
        editor.listen(() => this.draw());
        this.draw();
    }

    draw() {
        const { word, selection, doc } = this.editor;
        for (const { input } of [this.text, this.start, this.end]) input.disabled = !word;
        this.text.input.value = word?.text ?? "";
        this.start.input.value = word && isFound(word) ? clock(word.start) : "";
        this.end.input.value = word && isFound(word) ? clock(word.end) : "";
        this.about.textContent = this.says();
        const many = selection.length > 1 ? `${selection.length} words` : `all ${doc.words.length} words`;
        this.moves.textContent = `Move ${many}`;
        this.stretches.textContent = `Stretch ${many}`;
    }

    says() {
        const { word, active, selection, doc } = this.editor;
        if (!word) return "No word is selected.";
        const length = isFound(word) ? `, ${(word.end - word.start).toFixed(3)} s` : "";
        const which = selection.length > 1 ? `, ${selection.length} selected` : "";
        return `Word ${active + 1} of ${doc.words.length}${length}, ${SAYS[sureness(word)]}`
            + `, confidence ${word.confidence.toFixed(2)}${which}`;
    }

    /** Let the user type another text for the word. */
    editText() {
        if (!this.editor.word) return;
        this.text.input.focus();
        this.text.input.select();
    }

    moveTo(edge, value) {
        const time = seconds(value);
        if (Number.isNaN(time)) this.draw();
        else this.change((doc, index) => moveEdge(doc, index, edge, time, false));
    }

    change(edit) {
        const { editor } = this;
        if (!editor.word) return;
        editor.apply(edit(editor.doc, editor.active), { select: [editor.active] });
        this.draw(); // what the neighbours allowed
    }

    many(edit) {
        this.editor.apply(edit(this.editor.doc, this.editor.targets));
    }
}

/** A labelled input. commit: called with the text when the user is done with it. */
function field(label, type, commit, properties = {}) {
    const input = el("input", { type, spellcheck: false, ...properties });
    if (commit) input.addEventListener("change", () => commit(input.value));
    const root = el("label", { className: `ls-field ls-${type}` }, el("span", { textContent: label }), input);
    return { root, input, get number() { return Number(input.value) || 0; } };
}

function action(label, run) {
    return el("button", { type: "button", textContent: label, onclick: run });
}
