// BBox Shift: any frame of the clip with its faces and its crop, in the node, live, without running the graph.
// The pictures come from nodes/routes.py; the name ("token") of what they are drawn from comes with each run.

import { api } from "/scripts/api.js";
import { app } from "/scripts/app.js";

const NODE = "LipSyncBBoxShift";
const SETTINGS = ["bbox_shift", "extra_margin", "upper_bound", "convention", "smoothing"];
const FIRST_WIDTH = 380; // px, of a new node
const TALLEST_PICTURE = 420; // px
const ROWS = 64; // px, what is below the picture
const RUN_FIRST = "Run the graph once to see the preview.";

class Preview {
    constructor(node) {
        this.node = node;
        this.run = null; // what the node told when it ran: {token, frame, frames, range, settings}
        this.busy = false;
        this.isOutdated = false;
        this.aspect = 9 / 16; // height / width of the picture
        this.build();
    }

    build() {
        this.picture = element("img", {
            flex: "1", minHeight: "0", width: "100%", objectFit: "contain", visibility: "hidden",
        });
        this.picture.alt = "Preview of the crop";
        this.slider = element("input", { flex: "1", minWidth: "0" });
        Object.assign(this.slider, { type: "range", min: 0, max: 0, value: 0, disabled: true, title: "Frame" });
        this.slider.setAttribute("aria-label", "Frame of the preview");
        this.number = element("span", { minWidth: "7em", textAlign: "right", fontVariantNumeric: "tabular-nums" });
        this.text = element("div", { minHeight: "1.2em" });
        const row = element("div", { display: "flex", gap: "8px", alignItems: "center" });
        row.append(this.slider, this.number);
        this.root = element("div", {
            display: "flex", flexDirection: "column", gap: "4px", boxSizing: "border-box", overflow: "hidden",
            fontSize: "12px", color: "var(--input-text)",
        });
        this.root.append(this.picture, row, this.text);
        this.slider.addEventListener("input", () => this.refresh());
        // A workflow tab that is opened again has its results back only after its nodes were made.
        this.root.addEventListener("pointerenter", () => this.run ?? this.show(earlierRun(this.node)));
        this.say(RUN_FIRST);
    }

    /** Take over what a run told, if anything, and draw. */
    show(run) {
        if (!run) return;
        const isElsewhere = this.run?.frames !== run.frames || this.run.frame !== run.frame;
        this.run = run;
        Object.assign(this.slider, { max: run.frames - 1, disabled: false });
        if (isElsewhere) this.slider.value = run.frame;
        return this.refresh();
    }

    /** Draw the frame of the slider with the settings of the widgets; while one picture is drawn, only the latest wish
     *  is remembered, so that scrubbing never queues up. */
    async refresh() {
        if (!this.run) return;
        this.number.textContent = `${this.slider.value} / ${this.run.frames - 1}`;
        this.isOutdated = true;
        if (this.busy) return;
        this.busy = true;
        while (this.isOutdated) {
            this.isOutdated = false;
            await this.draw(this.run).catch((error) => {
                console.error("BBox Shift:", error);
                this.say("The preview did not arrive.");
            });
        }
        this.busy = false;
    }

    async draw(run) {
        const query = new URLSearchParams(SETTINGS.map((name) => [name, this.setting(name)]));
        const response = await api.fetchApi(`/lipsync_studio/preview/${run.token}/${this.slider.value}?${query}`);
        if (!response.ok) {
            const { error } = await response.json();
            this.say(error);
            return;
        }
        const before = this.picture.src;
        this.picture.src = URL.createObjectURL(await response.blob());
        URL.revokeObjectURL(before);
        await this.picture.decode();
        this.picture.style.visibility = "visible"; // without a picture, browsers show a broken one
        this.fit(this.picture.naturalHeight / this.picture.naturalWidth);
        this.say(`suggested: ${run.range[0]} to ${run.range[1]}`);
    }

    /** Make room for a picture of another shape, as wide as the node. */
    fit(aspect) {
        if (aspect === this.aspect) return;
        this.aspect = aspect;
        const [, least] = this.node.computeSize();
        if (this.node.size[1] < least) this.node.setSize([this.node.size[0], least]);
    }

    height() {
        return Math.min(this.node.size[0] * this.aspect, TALLEST_PICTURE) + ROWS;
    }

    /** The value in the widget; for one that another node feeds, the value of the last run. */
    setting(name) {
        const isFed = this.node.inputs?.some((input) => input.widget?.name === name && input.link != null);
        const widget = this.node.widgets.find((candidate) => candidate.name === name);
        return isFed || !widget ? this.run.settings[name] : widget.value;
    }

    say(text) {
        this.text.textContent = text;
    }

    close() {
        this.run = null;
        URL.revokeObjectURL(this.picture.src);
    }
}

function element(tag, style) {
    const made = document.createElement(tag);
    Object.assign(made.style, style);
    return made;
}

/** What the node told when it last ran in this workflow tab. */
function earlierRun(node) {
    const key = node.graph?.isRootGraph === false ? `${node.graph.id}:${node.id}` : node.id;
    return app.nodeOutputs?.[key]?.lipsync_preview?.[0];
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

app.registerExtension({
    name: "LipSyncStudio.BBoxShift",
    nodeCreated(node) {
        if (node.comfyClass !== NODE) return;
        const preview = new Preview(node);
        const widget = node.addDOMWidget("lipsync_preview", "lipsync_preview", preview.root, {
            serialize: false, // not in the prompt
            getMinHeight: () => preview.height(),
        });
        widget.serialize = false; // nor in the workflow
        for (const setting of node.widgets.filter(({ name }) => SETTINGS.includes(name))) {
            after(setting, "callback", () => preview.refresh());
        }
        after(node, "onExecuted", (output) => preview.show(output?.lipsync_preview?.[0]));
        after(node, "onRemoved", () => preview.close());
        const [width] = node.computeSize();
        node.setSize([Math.max(width, FIRST_WIDTH), node.size[1]]);
        node.setSize([node.size[0], node.computeSize()[1]]); // the height follows from the width
    },
});
