// One weight file in the panel: what it is, its state, and what can be done about it.

import { button, element, formatSize } from "./dom.js";

const STATES = {
    installed: "Installed",
    alternative: "Another file that does is installed",
    other: "A file of another size is in its place",
    missing: "Missing",
};
const PHASES = { waiting: "Waits for its turn", downloading: "Downloading", checking: "Checking the hash" };
const COMMERCIAL = { yes: "commercial use: yes", no: "commercial use: no", unclear: "commercial use: unclear" };

export class FileRow {
    /** ask(action, key): sends "download", "cancel" or "verify" to the server. */
    constructor(file, ask) {
        this.file = file;
        this.ask = ask;
        this.state = element("span", { className: "lipsync-models-state" });
        this.bar = element("progress", { max: 1, hidden: true });
        this.message = element("div", { className: "lipsync-models-message", role: "status" });
        this.buttons = element("div", { className: "lipsync-models-buttons" });
        const page = element("a", { href: file.page, target: "_blank", rel: "noopener", textContent: file.repo });
        const terms = element("div", { className: "lipsync-models-small" });
        terms.append(`${file.name}, ${formatSize(file.size)}, `, page);
        this.root = element("li", {}, [
            element("div", { className: "lipsync-models-what", textContent: capital(file.what) }),
            terms,
            element("div", {
                className: "lipsync-models-small",
                textContent: `${file.licence}; ${COMMERCIAL[file.commercial]}`,
            }),
            this.state, this.bar, this.buttons, this.message,
        ]);
        this.root.dataset.file = file.key;
    }

    /** job: the latest of this file, or undefined. */
    show(job) {
        const busy = job && job.phase in PHASES;
        this.state.textContent = busy ? progressText(job) : stateText(this.file);
        this.state.dataset.state = busy ? "busy" : this.file.state;
        this.bar.hidden = !busy;
        if (busy) this.bar.value = job.total ? job.done / job.total : 0;
        this.message.textContent = endText(job);
        const actions = busy ? ["Cancel"] : this.actions();
        if (this.buttons.dataset.actions === actions.join()) return; // a button is not replaced under the mouse
        this.buttons.dataset.actions = actions.join();
        this.buttons.replaceChildren(...actions.map((name) => this.button(name)));
    }

    complain(text) {
        this.message.textContent = text;
    }

    actions() {
        if (this.file.state === "installed" || this.file.state === "other") return ["Verify"];
        return [this.file.part ? "Resume" : "Download"];
    }

    button(name) {
        const action = { Cancel: "cancel", Verify: "verify" }[name] ?? "download";
        return button(name, `${name}: ${this.file.name}`, () => this.ask(action, this.file.key));
    }
}

function stateText(file) {
    const found = file.found ? `: models/${file.found}` : ` in models/${file.folder}`;
    const part = file.part ? ` (${formatSize(file.part)} of it came)` : "";
    return `${STATES[file.state]}${file.state === "missing" ? part : found}`;
}

function progressText(job) {
    if (job.phase === "waiting") return PHASES.waiting;
    const left = job.speed > 0 ? `, ${Math.ceil((job.total - job.done) / job.speed)} s left` : "";
    return `${PHASES[job.phase]}: ${formatSize(job.done)} of ${formatSize(job.total)}${left}`;
}

function endText(job) {
    if (job?.phase === "failed") return job.message;
    if (job?.phase === "cancelled") return "Cancelled. What came is kept.";
    if (job?.phase === "done") return "Whole, with the right hash.";
    return "";
}

function capital(text) {
    return text[0].toUpperCase() + text.slice(1);
}
