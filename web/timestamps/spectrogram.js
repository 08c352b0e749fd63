// The strength of each frequency under the waveform, for the part that is seen.

import { el } from "./dom.js";
import { fetchSpectrogram } from "./server.js";

const BANDS = 64;
const PER_SECOND = 100;

// Black, violet, orange, yellow: [at, red, green, blue].
const COLOURS = [[0, 8, 6, 20], [80, 70, 20, 100], [150, 190, 60, 70], [215, 250, 160, 40], [255, 252, 250, 190]];

export class Spectrogram {
    constructor(waveform) {
        this.waveform = waveform;
        this.root = el("canvas", { className: "ls-spectrogram", hidden: true });
        this.root.setAttribute("aria-label", "Spectrogram, 80 Hz to 8 kHz");
        this.palette = Array.from({ length: 256 }, (_, value) => colour(value));
        waveform.onView(() => this.draw());
    }

    async toggle(token) {
        this.root.hidden = !this.root.hidden;
        if (!this.root.hidden) this.bytes ??= await fetchSpectrogram(token);
        this.draw();
    }

    /** One column for each hundredth of a second in view; the browser stretches them. */
    draw() {
        if (this.root.hidden || !this.bytes) return;
        const [start, end] = this.waveform.view;
        const first = Math.floor(start * PER_SECOND);
        const count = Math.max(1, Math.ceil(end * PER_SECOND) - first);
        const columns = Math.min(count, this.waveform.width | 0);
        const picture = new ImageData(columns, BANDS);
        for (let x = 0; x < columns; x++) {
            const row = (first + Math.floor((x * count) / columns)) * BANDS;
            for (let band = 0; band < BANDS; band++) {
                const [red, green, blue] = this.palette[this.bytes[row + band] ?? 0];
                picture.data.set([red, green, blue, 255], ((BANDS - 1 - band) * columns + x) * 4);
            }
        }
        Object.assign(this.root, { width: columns, height: BANDS });
        this.root.getContext("2d").putImageData(picture, 0, 0);
    }
}

function colour(value) {
    const at = Math.max(1, COLOURS.findIndex(([limit]) => limit >= value));
    const [low, high] = [COLOURS[at - 1], COLOURS[at]];
    const part = (value - low[0]) / (high[0] - low[0]);
    return [1, 2, 3].map((channel) => Math.round(low[channel] + part * (high[channel] - low[channel])));
}
