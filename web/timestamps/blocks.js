// The words over the waveform, and what the pointer does to them.
//
// What is under the pointer follows from the time under it, never from an element, so drawing anew during a drag harms
// nothing. Only words in view have elements.

import { el, styleSheet } from "./dom.js";
import { moveEdge, moveWords } from "./edits.js";
import { edgeNear, linesOf, sureness, wordAt, wordsBetween } from "./model.js";
import { restingPlaces, snap } from "./snap.js";

const GRIP = 6; // px on either side of an edge
const SNAP = 7; // px
const CLICK = 3; // px that a click may move
const MOST = 1000; // words that are drawn one by one

export class Blocks {
    constructor(editor, waveform) {
        this.editor = editor;
        this.waveform = waveform;
        this.drag = null;
        this.layer = el("div", { className: "ls-blocks" });
        this.band = el("div", { className: "ls-band" });
        waveform.wrapper.getRootNode().append(styleSheet("blocks.css"));
        waveform.wrapper.append(this.layer);
        this.layer.addEventListener("pointerdown", (event) => this.press(event));
        this.layer.addEventListener("pointermove", (event) => (this.drag ? this.pull(event) : this.hover(event)));
        this.layer.addEventListener("pointerup", (event) => this.release(event));
        this.layer.addEventListener("pointercancel", () => (this.drag = null));
        this.layer.addEventListener("dblclick", () => this.onEditText?.());
        editor.listen(() => this.draw());
        waveform.onView(() => this.draw());
        this.draw();
    }

    draw() {
        const { doc, selection } = this.editor;
        const [from, to] = this.waveform.view;
        const selected = new Set(selection);
        const seen = linesOf(doc).map((line, at) => ({ ...line, at })).filter(({ words }) =>
            words[0].start < to + 1 && words.some(({ end }) => end > from - 1));
        const count = seen.reduce((sum, { words }) => sum + words.length, 0);
        const blocks = (line) => (count > MOST ? [this.lineBlock(line)] : this.wordBlocks(line, selected));
        this.layer.replaceChildren(...seen.flatMap(blocks), this.band);
    }

    wordBlocks({ words, first, at }, selected) {
        const { active } = this.editor;
        return words.map((word, number) => {
            const index = first + number;
            const block = this.block(word.start, word.end, `ls-${sureness(word)} ls-line${at % 2}`);
            block.classList.toggle("ls-selected", selected.has(index));
            block.classList.toggle("ls-active", index === active);
            block.classList.toggle("ls-first", number === 0);
            block.dataset.index = index;
            block.append(el("span", { textContent: word.text, dir: "auto" }));
            return block;
        });
    }

    /** A line as one block, where there are too many words to tell apart. */
    lineBlock({ words, at }) {
        return this.block(words[0].start, words.at(-1).end, `ls-sure ls-line${at % 2}`);
    }

    block(start, end, kinds) {
        const { seconds } = this.editor.doc;
        const block = el("div", { className: `ls-block ${kinds}` });
        block.style.left = `${(start / seconds) * 100}%`;
        block.style.width = `${((end - start) / seconds) * 100}%`;
        return block;
    }

    hover(event) {
        const target = this.under(event);
        this.layer.style.cursor = { edge: "ew-resize", word: "grab", pause: "text" }[target.kind];
    }

    /** {kind: "edge" | "word" | "pause", time, index, edge} */
    under({ clientX }) {
        const { doc } = this.editor;
        const time = this.waveform.timeAt(clientX);
        const edge = edgeNear(doc, time, GRIP / this.waveform.pixelsPerSecond);
        if (edge) return { kind: "edge", time, ...edge };
        const index = wordAt(doc, time);
        return { kind: index < 0 ? "pause" : "word", time, index };
    }

    press(event) {
        if (event.button !== 0) return;
        this.layer.setPointerCapture(event.pointerId);
        const { doc, selection } = this.editor;
        const target = this.under(event);
        const indexes = target.kind === "word" && selection.includes(target.index) ? selection : [target.index];
        this.drag = { ...target, doc, indexes, x: event.clientX, isMoved: false, gesture: Symbol("drag") };
    }

    pull(event) {
        const { drag } = this;
        if (!drag.isMoved && Math.abs(event.clientX - drag.x) < CLICK) return;
        drag.isMoved = true;
        const time = this.waveform.timeAt(event.clientX);
        if (drag.kind === "edge") this.pullEdge(drag, time, event);
        else if (drag.kind === "word" && !event.shiftKey) this.pullWords(drag, time, event);
        else this.pullBand(drag, time);
    }

    /** The edge goes where it was taken plus how far the pointer went, so it does not jump when it is taken. */
    pullEdge({ doc, index, edge, time: taken, gesture }, time, event) {
        const wanted = this.rest(doc, [index], doc.words[index][edge] + time - taken, event);
        this.editor.apply(moveEdge(doc, index, edge, wanted, !event.altKey), { select: [index], gesture });
    }

    pullWords({ doc, indexes, index, time: taken, gesture }, time, event) {
        const { start } = doc.words[index];
        const wanted = this.rest(doc, indexes, start + time - taken, event);
        this.editor.apply(moveWords(doc, indexes, wanted - start, !event.altKey), { select: indexes, gesture });
    }

    pullBand({ time: taken }, time) {
        const [start, end] = [Math.min(taken, time), Math.max(taken, time)];
        const { seconds } = this.waveform;
        this.band.style.left = `${(start / seconds) * 100}%`;
        this.band.style.width = `${((end - start) / seconds) * 100}%`;
        this.editor.select(wordsBetween(this.editor.doc, start, end));
    }

    /** Where `wanted` comes to rest: with Ctrl (Command), and with snapping off, where it is. */
    rest(doc, moving, wanted, event) {
        const { isSnapping, isOnFrames, fps, onsets } = this.editor;
        if (!isSnapping || event.ctrlKey || event.metaKey) return wanted;
        const places = restingPlaces(doc, new Set(moving), onsets);
        return snap(wanted, places, SNAP / this.waveform.pixelsPerSecond, isOnFrames ? fps : 0);
    }

    release(event) {
        const { drag } = this;
        this.drag = null;
        this.band.style.width = "0";
        if (drag && !drag.isMoved) this.click(drag, event);
    }

    /** Seek and select; with Shift or Ctrl the selected word starts or ends here. */
    click({ time }, event) {
        const { editor } = this;
        if ((event.shiftKey || event.ctrlKey || event.metaKey) && editor.word) {
            const edge = event.shiftKey ? "start" : "end";
            editor.apply(moveEdge(editor.doc, editor.active, edge, this.rest(editor.doc, [editor.active], time, {})));
            return;
        }
        this.waveform.seek(time);
        const index = wordAt(editor.doc, time);
        if (index >= 0) editor.select([index]);
    }
}
