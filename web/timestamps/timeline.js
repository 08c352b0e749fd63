// Times above the waveform, for the part that is seen.

import { el } from "./dom.js";
import { clock } from "./model.js";

const APART = 80; // px, at least, between labels
const STEPS = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800]; // seconds

export class Timeline {
    constructor(waveform) {
        this.waveform = waveform;
        this.root = el("div", { className: "ls-timeline", "aria-hidden": "true" });
        waveform.onView(() => this.draw());
        this.draw();
    }

    draw() {
        const { pixelsPerSecond, view: [start, end] } = this.waveform;
        const step = STEPS.find((candidate) => candidate * pixelsPerSecond >= APART) ?? STEPS.at(-1);
        const marks = [];
        for (let number = Math.ceil(start / step); number * step <= end; number++) {
            const text = clock(number * step);
            const mark = el("span", { textContent: step < 1 ? text.slice(0, -1) : text.slice(0, -4) });
            mark.style.left = `${(number * step - start) * pixelsPerSecond}px`;
            marks.push(mark);
        }
        this.root.replaceChildren(...marks);
    }
}
