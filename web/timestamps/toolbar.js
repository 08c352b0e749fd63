// Buttons for the commands of keys.js that people look for. A hint names the key.

import { el } from "./dom.js";
import { command, SPEEDS } from "./keys.js";

// [command, icon of PrimeIcons or "", label or "", whether it is on]
const GROUPS = [
    [
        ["play", "pi-play", "", ({ waveform }) => waveform.isPlaying],
        ["loopWord", "pi-sync", "Loop", ({ waveform }) => Boolean(waveform.loop)],
        ["tap", "pi-bolt", "Tap along", ({ tap }) => tap.isOn],
    ],
    [["undo", "pi-undo", ""], ["redo", "pi-refresh", ""]],
    [
        ["split", "", "Cut"], ["merge", "", "Merge"], ["insert", "", "New"], ["delete", "", "Delete"],
        ["break", "", "Line break"],
    ],
    [["unsureBack", "pi-chevron-left", ""], ["unsure", "pi-chevron-right", "Unsure"]],
    [
        ["zoomOut", "pi-search-minus", ""], ["zoomIn", "pi-search-plus", ""], ["whole", "", "Whole"],
        ["follow", "", "Follow", ({ waveform }) => waveform.isFollowing],
        ["snap", "", "Snap", ({ editor }) => editor.isSnapping],
        ["frames", "", "Frames", ({ editor }) => editor.isOnFrames],
        ["spectrogram", "", "Spectrogram", ({ spectrogram }) => !spectrogram.root.hidden],
    ],
];

export class Toolbar {
    constructor(desk) {
        this.desk = desk;
        this.buttons = [];
        this.speed = el("select", { title: "Speed (1 to 5)", "aria-label": "Speed" });
        this.speed.append(...SPEEDS.map((speed) => el("option", { value: speed, textContent: `${speed}x` })));
        this.speed.addEventListener("change", () => command(`speed${this.speed.value}`).run(desk));
        const groups = GROUPS.map((rows) =>
            el("span", { className: "ls-group" }, ...rows.map((row) => this.button(row))));
        groups[0].append(this.speed);
        this.clock = el("output", { className: "ls-clock", "aria-label": "Playhead" });
        this.root = el("div", { className: "ls-toolbar", role: "toolbar" }, this.clock, ...groups);
        desk.editor.listen(() => this.draw());
        desk.waveform.onPlaying(() => this.draw());
        this.draw();
    }

    button([id, icon, label, isOn]) {
        const { does, keys } = command(id);
        const button = el("button", { type: "button", title: `${does} (${keys.join(", ")})`, "aria-label": does });
        if (icon) button.append(el("i", { className: `pi ${icon}` }));
        button.append(label);
        button.addEventListener("click", () => command(id).run(this.desk));
        this.buttons.push({ button, isOn, id });
        return button;
    }

    draw() {
        const { editor, waveform } = this.desk;
        for (const { button, isOn, id } of this.buttons) {
            if (isOn) button.setAttribute("aria-pressed", isOn(this.desk));
            if (id === "undo") button.disabled = editor.history.done.length < 2;
            if (id === "redo") button.disabled = !editor.history.undone.length;
            if (id === "play") button.firstChild.className = `pi ${waveform.isPlaying ? "pi-pause" : "pi-play"}`;
        }
        this.speed.value = waveform.rate;
    }
}
