// Import and export: the server reads and writes every format.

import { el } from "./dom.js";
import { fromTimings, toTimings } from "./model.js";
import { fetchFormats, readFile, writeText } from "./server.js";

export class Files {
    /** say: shows a message. */
    constructor(editor, say) {
        this.editor = editor;
        this.say = say;
        this.chooser = el("input", { type: "file", hidden: true, "aria-label": "File with timings" });
        this.chooser.accept = ".lrc,.srt,.vtt,.ass,.ssa,.json,.txt";
        this.chooser.addEventListener("change", () => this.read());
        this.format = el("select", { title: "Format of the file to export", "aria-label": "Format" });
        this.root = el("span", { className: "ls-group" },
            this.chooser,
            el("button", { type: "button", textContent: "Import…", onclick: () => this.chooser.click() }),
            this.format,
            el("button", { type: "button", textContent: "Export", onclick: () => this.write() }),
        );
        this.list();
    }

    async list() {
        this.formats = await this.tried(fetchFormats);
        const options = (this.formats ?? []).map(({ id, label }) => el("option", { value: id, textContent: label }));
        this.format.append(...options);
    }

    async read() {
        const [file] = this.chooser.files;
        this.chooser.value = ""; // so that the same file can be chosen again
        const timings = file && (await this.tried(() => readFile(file)));
        if (!timings || !this.root.isConnected) return; // closed meanwhile
        this.editor.apply(fromTimings(timings, this.editor.doc.seconds), { select: [] });
        this.say([`Imported ${file.name}.`, ...timings.notes].join(" "));
    }

    async write() {
        const { id, extension } = this.formats.find((format) => format.id === this.format.value);
        const text = await this.tried(() => writeText(toTimings(this.editor.doc), id));
        if (text === undefined) return;
        const link = el("a", { href: URL.createObjectURL(new Blob([text], { type: "text/plain" })) });
        link.download = `${this.editor.doc.head.tags.ti || "lyrics"}.${extension}`;
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
        this.say(`Exported ${link.download}.`);
    }

    async tried(ask) {
        try {
            return await ask();
        } catch (error) {
            this.say(error.message);
        }
    }
}
