// All words as text, line by line, in step with the waveform.

import { el } from "./dom.js";
import { clock, lastBegun, linesOf, sureness } from "./model.js";

export class WordList {
    constructor(editor, waveform) {
        this.editor = editor;
        this.waveform = waveform;
        this.root = el("div", { className: "ls-list" });
        this.rows = new Map(); // by the first word
        this.ofElement = new WeakMap(); // row by its element
        this.chips = [];
        this.marked = new Set();
        this.root.addEventListener("click", (event) => this.click(event));
        this.root.addEventListener("dblclick", () => this.onEditText?.());
        editor.listen((what) => (what === "doc" ? this.draw() : this.mark()));
        waveform.onTime(() => this.follow());
        this.draw();
    }

    /** Lines that have not changed keep their elements, because an hour of speech has thousands. */
    draw() {
        const before = this.rows;
        this.rows = new Map();
        this.chips = [];
        for (const line of linesOf(this.editor.doc)) {
            const known = before.get(line.words[0]);
            const isSame = known?.words.length === line.words.length
                && line.words.every((word, at) => word === known.words[at]);
            const row = isSame ? known : this.row(line);
            row.first = line.first;
            this.chips.push(...row.chips);
            this.rows.set(line.words[0], row);
        }
        for (const [word, row] of before) if (this.rows.get(word) !== row) row.root.remove();
        let next = this.root.firstChild;
        for (const { root } of this.rows.values()) {
            if (root === next) next = next.nextSibling;
            else this.root.insertBefore(root, next);
        }
        this.mark();
    }

    row({ words }) {
        const chips = words.map((word) => {
            const kind = sureness(word);
            const times = `${clock(word.start)} to ${clock(word.end)}`;
            return el("span", {
                className: `ls-chip ls-${kind}`, textContent: word.text, dir: "auto",
                title: kind === "missing" ? "Not found" : `${times}, confidence ${word.confidence.toFixed(2)}`,
            });
        });
        const spaced = chips.flatMap((chip, at) => [chip, words[at].after]);
        const text = el("div", { className: "ls-line", dir: "auto" }, ...spaced);
        const root = el("div", { className: "ls-row" }, el("time", { textContent: clock(words[0].start) }), text);
        const row = { root, chips, words, first: 0 };
        this.ofElement.set(root, row);
        return row;
    }

    mark() {
        const { selection, active } = this.editor;
        const marked = new Set(selection.map((index) => this.chips[index]));
        for (const chip of this.marked) if (!marked.has(chip)) chip.classList.remove("ls-selected", "ls-active");
        for (const chip of marked) {
            chip.classList.add("ls-selected");
            chip.classList.toggle("ls-active", chip === this.chips[active]);
        }
        this.marked = marked;
        if (active >= 0 && active !== this.shown) this.chips[active].scrollIntoView({ block: "nearest" });
        this.shown = active;
        this.follow();
    }

    /** Mark the word that is said, and bring it into view while the sound plays. */
    follow() {
        const now = this.chips[lastBegun(this.editor.doc, this.waveform.time)];
        if (now === this.now) return;
        this.now?.classList.remove("ls-now");
        now?.classList.add("ls-now");
        this.now = now;
        if (this.waveform.isPlaying && this.waveform.isFollowing) now?.scrollIntoView({ block: "nearest" });
    }

    /** Seek and select; with Shift up to here, with Ctrl this one too. */
    click(event) {
        const chip = event.target.closest(".ls-chip");
        if (!chip) return;
        const row = this.ofElement.get(chip.closest(".ls-row"));
        const index = row.first + row.chips.indexOf(chip);
        if (event.shiftKey) this.editor.extend(index);
        else if (event.ctrlKey || event.metaKey) this.editor.toggle(index);
        else {
            this.editor.select([index]);
            this.waveform.seek(this.editor.doc.words[index].start);
        }
        const [start, end] = this.editor.part() ?? [0, 0];
        this.waveform.reveal(start, end);
    }
}
