// Edit Timestamps: what the node shows, and where its edits are kept: in its widget `edits`, which is saved with the
// workflow and sent with each run. What the node knows of the sound and of the incoming timings comes with each run.

import { api } from "/scripts/api.js";
import { app } from "/scripts/app.js";
import { Dialog } from "./dialog.js";
import { el } from "./dom.js";
import { Editor } from "./editor.js";
import { History } from "./history.js";
import { fromTimings, toTimings } from "./model.js";

const NODE = "LipSyncEditTimestamps";
const ASKS = "lipsync_studio.timestamps"; // a run has stopped to ask
const FIRST_WIDTH = 320; // px, of a new node
const HEIGHT = 84; // px, of what the node shows
const ASKING_HEIGHT = 134; // with a question and its answers
const REMEMBERED_AFTER = 1000; // ms without another edit
const RUN_FIRST = "Run the graph once to open the editor.";

class Panel {
    constructor(node) {
        this.node = node;
        this.run = null; // what the node told: {token, seconds, fps, audio, base, timings, edited, state}
        this.parsed = null; // {value, edits}: of the widget
        this.session = null; // {editor, text}: the history of an earlier opening, for as long as the edits are the same
        this.opener = el("button", { type: "button", textContent: "Open editor", disabled: true });
        this.opener.addEventListener("click", () => this.open());
        this.text = el("div", { className: "ls-panel-text", textContent: RUN_FIRST });
        this.answers = el("div", { className: "ls-panel-answers", hidden: true },
            ...this.choices.map(([label, choose]) => el("button", {
                type: "button", textContent: label,
                onclick: () => {
                    this.dialog?.close(); // where the same is asked
                    choose();
                },
            })));
        this.root = el("div", { className: "ls-panel" }, this.opener, this.text, this.answers);
        // A workflow tab that is opened again has its results back only after its nodes were made.
        this.root.addEventListener("pointerenter", () => this.run ?? this.show(earlierRun(node)));
    }

    get choices() {
        return [["Keep my edits", () => this.keep()], ["Use the new timings", () => this.discard()]];
    }

    get widget() {
        return this.node.widgets.find(({ name }) => name === "edits");
    }

    /** The saved edits as {lines, edited: {audio, base}, ...}; null when there are none. */
    get edits() {
        const { value } = this.widget;
        if (value !== this.parsed?.value) this.parsed = { value, edits: parsed(value) };
        return this.parsed.edits;
    }

    get fits() {
        return isOfSame(this.edits.edited, this.run);
    }

    /** Take over what a run told, if anything. */
    show(run) {
        if (!run || !this.concerns(run)) return;
        if (this.run && isOfSame(this.run, run)) this.dialog?.rename(run.token);
        else {
            this.dialog?.close();
            this.session = null;
        }
        this.run = run;
        if (this.session) this.session.editor.fps = run.fps;
        this.draw();
    }

    /** Whether a run used the edits that are here, or fits them. ComfyUI tells results to the workflow tab that is
     *  shown, where another node may have the same number. */
    concerns(run) {
        return !this.edits || isOfSame(this.edits.edited, run.edited) || isOfSame(this.edits.edited, run);
    }

    draw() {
        const asks = this.run !== null && this.edits !== null && !this.fits;
        this.opener.disabled = !this.run;
        this.answers.hidden = !asks;
        this.text.textContent = this.says(asks);
        const [width, height] = this.node.size;
        const [, least] = this.node.computeSize();
        if (height < least) this.node.setSize([width, least]);
    }

    get height() {
        return this.answers.hidden ? HEIGHT : ASKING_HEIGHT;
    }

    says(asks) {
        if (!this.run) return this.edits ? `Edited. ${RUN_FIRST}` : RUN_FIRST;
        if (asks) return this.question;
        return this.edits ? "Edited." : "Not edited.";
    }

    get question() {
        const what = this.edits.edited?.audio === this.run.audio ? "timings have" : "audio has";
        return `The ${what} changed since these edits were made.`;
    }

    /** Of this opening, or of an earlier one with its history. */
    get editor() {
        if (this.session?.text !== this.widget.value) {
            const { run, edits } = this;
            const incoming = fromTimings(JSON.parse(run.timings), run.seconds);
            const history = new History(edits ? fromTimings(edits, run.seconds) : incoming);
            this.session = { editor: new Editor({ incoming, history, fps: run.fps }), text: this.widget.value };
        }
        return this.session.editor;
    }

    open() {
        if (this.dialog || !this.run) return this.dialog?.root.focus();
        const { run, edits, editor } = this;
        editor.listen((what) => what === "doc" && this.save(editor));
        this.dialog = new Dialog(editor, run.token, () => this.closed());
        if (edits && !this.fits) {
            this.dialog.ask(this.question, this.choices);
        }
    }

    /** The edits belong to the sound and the timings of the last run from now on. */
    keep() {
        this.write({ ...this.edits, edited: this.origin });
    }

    /** Undo in the editor brings the edits back. */
    discard() {
        this.editor.revert();
        this.write(null);
    }

    save(editor) {
        this.write(editor.isEdited ? { ...toTimings(editor.doc), edited: this.origin } : null);
    }

    get origin() {
        return { audio: this.run.audio, base: this.run.base };
    }

    write(edits) {
        this.widget.value = edits ? JSON.stringify(edits) : "";
        this.parsed = { value: this.widget.value, edits };
        if (this.session) this.session.text = this.widget.value;
        this.draw();
        clearTimeout(this.timer);
        this.timer = setTimeout(rememberWorkflow, REMEMBERED_AFTER);
    }

    closed() {
        this.dialog = null;
        this.session.editor = new Editor(this.session.editor); // without the views that were open
    }

    close() {
        this.dialog?.close();
    }
}

/** Let ComfyUI see that the workflow has changed: it watches its own keys, and those of the editor it does not hear. */
function rememberWorkflow() {
    app.extensionManager?.workflow?.activeWorkflow?.changeTracker?.captureCanvasState?.();
}

/** null for no text, and for one that somebody has typed: the node refuses it when it runs. */
function parsed(text) {
    try {
        const edits = text ? JSON.parse(text) : null;
        return Array.isArray(edits?.lines) ? edits : null;
    } catch {
        return null;
    }
}

/** Whether two are of the same sound and the same incoming timings. Edits that a person wrote may be of none. */
function isOfSame(one, other) {
    return ["audio", "base"].every((name) => (one?.[name] ?? "") === (other?.[name] ?? ""));
}

/** What the node told when it last ran in this workflow tab. */
function earlierRun(node) {
    const key = node.graph?.isRootGraph === false ? `${node.graph.id}:${node.id}` : node.id;
    return app.nodeOutputs?.[key]?.lipsync_timestamps?.[0];
}

/** The node of an id as runs have them: "5", or "3:5" inside subgraph node 3. */
function nodeOf(id) {
    const path = String(id).split(":");
    const root = app.rootGraph ?? app.graph;
    const graph = path.slice(0, -1).reduce((inner, step) => inner?.getNodeById(step)?.subgraph, root);
    return graph?.getNodeById(path.at(-1));
}

/** Call `then` after what is already called there, with the same arguments. */
function after(owner, name, then) {
    const before = owner[name];
    owner[name] = function (...args) {
        const result = before?.apply(this, args);
        then(...args);
        return result;
    };
}

const panels = new WeakMap();

app.registerExtension({
    name: "LipSyncStudio.EditTimestamps",
    setup() {
        api.addEventListener(ASKS, ({ detail }) => panels.get(nodeOf(detail.node))?.show(detail.shown));
    },
    nodeCreated(node) {
        if (node.comfyClass !== NODE) return;
        const panel = new Panel(node);
        panels.set(node, panel);
        const { widget } = panel;
        widget.hidden = true; // on the canvas
        widget.options.hidden = true; // in Nodes 2.0
        const shown = node.addDOMWidget("timestamps_panel", "timestamps_panel", panel.root, {
            serialize: false, // not in the prompt
            getMinHeight: () => panel.height,
        });
        shown.serialize = false; // nor in the workflow
        after(widget, "callback", () => panel.draw()); // a graph in API format sets it so
        after(node, "onConfigure", () => panel.draw());
        after(node, "onExecuted", (output) => panel.show(output?.lipsync_timestamps?.[0]));
        after(node, "onRemoved", () => panel.close());
        const [width, height] = node.computeSize();
        node.setSize([Math.max(width, FIRST_WIDTH), height]);
    },
});
