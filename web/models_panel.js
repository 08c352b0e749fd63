// The sidebar's LipSync models: which weights are here, which the open workflow needs, and how to get them.
// Downloads live on the server: a page that is reloaded shows how far they are.

import { api } from "/scripts/api.js";
import { app } from "/scripts/app.js";
import { button, element, formatSize } from "./models/dom.js";
import { neededKeys } from "./models/needs.js";
import { FileRow } from "./models/row.js";

const ROUTE = "/lipsync_studio/models";
const NEWS = "lipsync_studio.models.job";
const EVERY = 1000; // ms between looks at the graph: nothing tells when another workflow is opened

class ModelsPanel {
    constructor(root) {
        this.jobs = new Map();
        this.rows = new Map();
        this.order = ""; // of the rows
        this.summary = element("div", { className: "lipsync-models-small" });
        this.engines = element("ul");
        this.busy = element("ul");
        this.needs = element("div", { className: "lipsync-models-needs" });
        this.others = element("ul");
        this.fold = element("details", {}, [element("summary", { textContent: "Other files" }), this.others]);
        this.report = element("pre", { hidden: true });
        root.replaceChildren(element("div", { className: "lipsync-models" }, [
            this.summary, this.busy,
            heading("This workflow"), this.needs,
            heading("Engines and parts"), this.engines,
            this.fold,
            heading("Doctor"), this.doctor(), this.report,
        ]));
        this.onNews = ({ detail }) => this.hear(detail);
        api.addEventListener(NEWS, this.onNews);
        this.onReturn = () => this.load(); // news were missed, or ComfyUI was started again
        api.addEventListener("reconnected", this.onReturn);
        this.timer = setInterval(() => this.sort(), EVERY);
        this.load();
    }

    destroy() {
        api.removeEventListener(NEWS, this.onNews);
        api.removeEventListener("reconnected", this.onReturn);
        clearInterval(this.timer);
    }

    async load() {
        const answer = await ask("GET", ROUTE);
        if (answer.error) {
            this.summary.textContent = answer.error;
            return;
        }
        this.files = answer.files;
        this.jobs = new Map(answer.jobs.map((job) => [job.key, job]));
        this.rows = new Map(answer.files.map((file) => [file.key, new FileRow(file, (...given) => this.act(...given))]));
        for (const [key, row] of this.rows) row.show(this.jobs.get(key));
        this.summary.textContent = summaryText(answer);
        this.engines.replaceChildren(...answer.engines.map((engine) => this.engineRow(engine)));
        this.order = null;
        this.sort();
    }

    /** A change of one job. When it ends, files may be where none were. */
    hear(job) {
        this.jobs.set(job.key, job);
        this.rows.get(job.key)?.show(job);
        this.sort();
        if (isBusy(job)) return;
        this.load();
        if (job.kind === "download" && job.phase === "done") app.refreshComboInNodes();
    }

    /** What the open workflow needs, what else is under way, and the others. */
    sort() {
        if (!this.files) return;
        const needed = neededKeys(app.rootGraph ?? app.graph, this.files);
        const groups = { needed: [], busy: [], other: [] };
        for (const { key } of this.files) {
            const group = needed.has(key) ? "needed" : isBusy(this.jobs.get(key)) ? "busy" : "other";
            groups[group].push(key);
        }
        const order = JSON.stringify(groups);
        if (order === this.order) return; // a button is not moved under the mouse
        this.order = order;
        const rowsOf = (keys) => keys.map((key) => this.rows.get(key).root);
        const missing = this.files.filter(({ key, state }) => needed.has(key) && state === "missing");
        this.needs.replaceChildren(needText(needed, missing), element("ul", {}, rowsOf(groups.needed)));
        if (missing.length) this.needs.firstChild.after(this.allButton("Download what is missing", missing));
        this.busy.replaceChildren(...rowsOf(groups.busy));
        this.others.replaceChildren(...rowsOf(groups.other));
    }

    allButton(text, missing, label = text) {
        const size = missing.reduce((sum, file) => sum + file.size - file.part, 0);
        return button(`${text} (${formatSize(size)})`, label, async () => {
            for (const { key } of missing) await this.act("download", key);
        });
    }

    engineRow(engine) {
        const files = engine.files.length;
        const here = files ? `${files - engine.missing.length} of ${files} files here` : "needs no files";
        const row = element("li", {}, [
            element("div", { className: "lipsync-models-what", textContent: engine.label }),
            element("div", { className: "lipsync-models-small", textContent: `${here}; ${engine.fit}` }),
        ]);
        const missing = this.files.filter(({ key, state }) => engine.missing.includes(key) && state === "missing");
        if (missing.length) {
            const all = this.allButton("Download", missing, `Download all of ${engine.label}`);
            row.append(element("div", { className: "lipsync-models-buttons" }, [all]));
        }
        return row;
    }

    async act(action, key) {
        const answer = await ask("POST", `${ROUTE}/${action}`, { file: key });
        if (answer.phase) this.hear(answer);
        if (answer.error) this.rows.get(key).complain(answer.error);
    }

    doctor() {
        const show = button("Examine this machine", "Examine this machine", async () => {
            const answer = await ask("GET", "/lipsync_studio/doctor");
            this.report.textContent = answer.report ?? answer.error;
            this.report.hidden = false;
        });
        const copy = button("Copy", "Copy the report", () => {
            getSelection().selectAllChildren(this.report); // what is left where a page may not copy: without HTTPS
            navigator.clipboard?.writeText(this.report.textContent);
        });
        return element("div", { className: "lipsync-models-buttons" }, [show, copy]);
    }
}

function heading(textContent) {
    return element("h3", { textContent });
}

function summaryText({ card, free }) {
    const memory = card.vram ? `, ${formatSize(card.vram)} of video memory` : ": no graphics card is used";
    return `${card.name}${memory}. ${formatSize(free)} free on the disk of the models folder.`;
}

function needText(keys, missing) {
    const text = !keys.size ? "needs no weights of this list." : missing.length ? "needs:" : "has all that it needs.";
    return element("div", { textContent: `It ${text}` });
}

function isBusy(job) {
    return job !== undefined && !["done", "failed", "cancelled"].includes(job.phase);
}

/** The server's JSON, or {error}. */
async function ask(method, path, body) {
    const json = body && { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
    try {
        return await (await api.fetchApi(path, { method, cache: "no-store", ...json })).json();
    } catch (error) {
        console.error("LipSync Studio:", error);
        return { error: "ComfyUI does not answer." };
    }
}

function addStyle() {
    const href = new URL("./models/panel.css", import.meta.url).href;
    document.head.append(element("link", { rel: "stylesheet", href }));
}

let panel = null;

app.registerExtension({
    name: "LipSyncStudio.Models",
    setup() {
        addStyle();
        app.extensionManager.registerSidebarTab({
            id: "lipsync-models",
            icon: "pi pi-microphone",
            title: "LipSync models",
            tooltip: "LipSync Studio: weights and doctor",
            type: "custom",
            render: (root) => {
                panel?.destroy();
                panel = new ModelsPanel(root);
            },
            destroy: () => {
                panel?.destroy();
                panel = null;
            },
        });
    },
});
