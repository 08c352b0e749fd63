// The editor's window over the graph: puts the parts together and keeps the keys to itself while it has the focus.

import { app } from "/scripts/app.js";
import { Blocks } from "./blocks.js";
import { el, styleSheet } from "./dom.js";
import { Files } from "./files.js";
import { helpOfKeys } from "./help.js";
import { Inspector } from "./inspector.js";
import { Karaoke } from "./karaoke.js";
import { runKey } from "./keys.js";
import { clock, sureness } from "./model.js";
import { fetchOnsets, fetchPeaks } from "./server.js";
import { Spectrogram } from "./spectrogram.js";
import { Tap } from "./tap.js";
import { Timeline } from "./timeline.js";
import { Toolbar } from "./toolbar.js";
import { Waveform } from "./waveform.js";
import { WordList } from "./word_list.js";

const OWN_EVENTS = ["keydown", "keyup", "keypress", "copy", "cut", "paste", "wheel", "contextmenu"];

document.head.append(styleSheet("editor.css"));

let opened = null; // one at a time

export class Dialog {
    /** Open it over the page. name: of the sound. onClose: called when it is gone. */
    constructor(editor, name, onClose) {
        this.editor = editor;
        this.name = name;
        this.onClose = onClose;
        this.root = el("section", { className: "ls-editor", tabIndex: 0, role: "dialog" });
        this.root.setAttribute("aria-label", "Edit Timestamps");
        this.status = el("div", { className: "ls-status", role: "status" });
        this.bar = el("div", { className: "ls-question", hidden: true, role: "alert" });
        this.body = el("div", { className: "ls-body" });
        this.body.append(note("Opening…"));
        this.files = new Files(editor, (text) => this.say(text));
        this.startOver = el("button", { type: "button", textContent: "Start over", onclick: () => editor.revert() });
        this.startOver.title = "Back to the timings that the graph gives; undo brings the edits back";
        this.actions = el("span", { className: "ls-group" }, this.files.root, this.startOver);
        this.root.append(
            el("header", {}, el("h2", { textContent: "Edit Timestamps" }), this.actions,
                el("button", { type: "button", textContent: "Keys", title: "All keys (H)",
                    onclick: () => this.help() }),
                el("button", { type: "button", className: "ls-close", textContent: "✕", title: "Close (Esc)",
                    "aria-label": "Close", onclick: () => this.close() })),
            this.bar, this.body, this.status,
        );
        opened?.close();
        opened = this;
        this.keepKeys();
        document.body.append(this.root);
        this.root.focus();
        this.open().catch((error) => this.body.replaceChildren(note(error.message)));
    }

    async open() {
        const { editor, name } = this;
        const container = el("div", { className: "ls-wave" });
        const peaks = await fetchPeaks(name);
        if (this.isClosed) return;
        this.body.replaceChildren(container);
        const waveform = await Waveform.open(container, name, peaks, editor.doc.seconds, this.colours());
        if (this.isClosed) return waveform.close();
        this.waveform = waveform;
        const tap = new Tap(editor, waveform);
        const inspector = new Inspector(editor);
        const spectrogram = new Spectrogram(waveform);
        this.desk = {
            editor, waveform, tap, inspector, spectrogram,
            help: () => this.help(), close: () => this.close(), showSpectrogram: () => this.showSpectrogram(),
        };
        this.toolbar = new Toolbar(this.desk);
        const list = new WordList(editor, waveform);
        const blocks = new Blocks(editor, waveform);
        list.onEditText = blocks.onEditText = () => inspector.editText();
        this.body.replaceChildren(
            container, new Timeline(waveform).root, spectrogram.root, this.toolbar.root,
            el("div", { className: "ls-columns" }, list.root,
                el("div", { className: "ls-side" }, new Karaoke(editor, waveform).root, inspector.root)),
        );
        waveform.onTime(() => (this.toolbar.clock.textContent = clock(waveform.time)));
        this.toolbar.clock.textContent = clock(0);
        editor.listen(() => this.sum());
        this.sum();
        editor.onsets = await fetchOnsets(name);
    }

    /** ComfyUI's keys, its clipboard and its undo are not for what happens in here. */
    keepKeys() {
        for (const kind of OWN_EVENTS) {
            this.root.addEventListener(kind, (event) => isSave(event) || event.stopPropagation());
        }
        this.root.addEventListener("keydown", (event) => this.press(event));
        // A button that had the focus would keep it from the keys, and lose it to the page when it is disabled.
        this.root.addEventListener("mousedown", (event) => {
            if (!event.target.closest("button")) return;
            event.preventDefault();
            this.root.focus(); // a field that is being typed in takes its text over
        });
        this.root.addEventListener("keyup", ({ key }) => key === " " && this.desk?.tap.lift());
        // ComfyUI's undo hears keys before anybody can stop them; it asks this first.
        const host = app.constructor;
        const before = host.maskeditor_is_opended;
        host.maskeditor_is_opended = () => this.hasFocus || before?.();
        this.giveKeysBack = () => (host.maskeditor_is_opended = before);
    }

    get hasFocus() {
        return this.root.contains(document.activeElement);
    }

    press(event) {
        const isTyping = event.target.matches("input, select, textarea");
        if (event.target.matches("button") && [" ", "Enter"].includes(event.key)) return; // Tab led here: it is pressed
        if (isTyping && (event.key === "Escape" || event.key === "Enter")) {
            event.target.blur(); // which takes the text over
            this.root.focus();
            event.preventDefault();
        } else if (event.key === "Escape" && this.keys) {
            this.help();
        } else if (!isTyping && this.desk && !this.body.inert && runKey(event, this.desk)) {
            event.preventDefault();
        } else if (!isTyping && (!this.desk || this.body.inert) && event.key === "Escape") {
            this.close();
        }
    }

    /** Ask which timings to go on with; nothing can be edited until then. answers: [[label, then]]. */
    ask(question, answers) {
        this.body.inert = this.actions.inert = true;
        const buttons = answers.map(([label, then]) => el("button", {
            type: "button", textContent: label,
            onclick: () => {
                this.body.inert = this.actions.inert = false;
                this.bar.hidden = true;
                then();
                this.root.focus();
            },
        }));
        this.bar.replaceChildren(el("span", { textContent: question }), ...buttons);
        this.bar.hidden = false;
    }

    async showSpectrogram() {
        const { editor, spectrogram } = this.desk;
        await spectrogram.toggle(this.name).catch((error) => this.say(error.message));
        editor.tell("settings");
    }

    help() {
        if (this.keys) {
            this.keys.remove();
            this.keys = null;
            return;
        }
        this.keys = helpOfKeys();
        this.root.append(this.keys);
    }

    say(text) {
        this.status.textContent = text;
    }

    /** How it stands, in a sentence. */
    sum() {
        const { editor } = this;
        const unsure = editor.doc.words.filter((word) => sureness(word) !== "sure").length;
        this.startOver.disabled = !editor.isEdited;
        this.say(`${editor.doc.words.length} words, ${unsure} unsure. `
            + (editor.isEdited ? "Edited; saved in the workflow." : "Not edited."));
    }

    colours() {
        const style = getComputedStyle(this.root);
        const of = (name) => style.getPropertyValue(`--ls-${name}`).trim();
        return { wave: of("wave"), played: of("played"), cursor: of("cursor"), view: of("view") };
    }

    /** The same sound under another name, as it has after another run. */
    rename(name) {
        if (name === this.name) return;
        this.name = name;
        this.waveform?.rename(name);
    }

    close() {
        if (this.isClosed) return;
        this.isClosed = true;
        if (this.hasFocus) document.activeElement.blur(); // a field that is being typed in gives its text
        opened = null;
        this.giveKeysBack();
        this.waveform?.close();
        this.root.remove();
        this.onClose();
    }
}

const note = (text) => el("div", { className: "ls-note", textContent: text });

/** Ctrl S saves the workflow, and the edits with it. */
const isSave = ({ key, ctrlKey, metaKey }) => (ctrlKey || metaKey) && key?.toLowerCase() === "s";
