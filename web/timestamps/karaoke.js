// The line that is sung and the one after it, filled word by word as the sound plays.

import { el } from "./dom.js";
import { isFound, lastBegun, linesOf } from "./model.js";

export class Karaoke {
    constructor(editor, waveform) {
        this.editor = editor;
        this.waveform = waveform;
        this.now = el("div", { className: "ls-sung", dir: "auto" });
        this.next = el("div", { className: "ls-coming", dir: "auto" });
        this.root = el("div", { className: "ls-karaoke", "aria-label": "Karaoke preview" }, this.now, this.next);
        editor.listen((what) => what === "doc" && this.begin());
        waveform.onTime(() => this.draw());
        this.begin();
    }

    begin() {
        this.lines = linesOf(this.editor.doc);
        this.shown = null;
        this.draw();
    }

    draw() {
        const { time } = this.waveform;
        const index = lastBegun(this.editor.doc, time);
        const at = Math.max(0, this.lines.findLastIndex(({ first }) => first <= Math.max(index, 0)));
        const line = this.lines[at];
        if (line !== this.shown) this.show(line, this.lines[at + 1]);
        line?.words.forEach((word, number) => {
            const length = Math.max(word.end - word.start, 0.001);
            const part = isFound(word) ? (time - word.start) / length : Number(word.start <= time);
            const done = Math.min(Math.max(part, 0), 1);
            this.now.children[number].style.setProperty("--done", `${done * 100}%`);
        });
    }

    show(line, following) {
        this.shown = line;
        const words = (line?.words ?? []).map(({ text, after }) => el("span", { textContent: text + after }));
        this.now.replaceChildren(...words);
        this.next.textContent = (following?.words ?? []).map(({ text, after }) => text + after).join("");
    }
}
