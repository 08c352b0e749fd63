// ComfyUI's settings, LipSync Studio: the D-ID key. It goes to our route once and never comes back; ComfyUI's own
// settings, which anyone can read over HTTP, hold nothing of it.

import { api } from "/scripts/api.js";
import { app } from "/scripts/app.js";

const ROUTE = "/lipsync_studio/did/key";
const STATES = {
    environment: "Set by the environment variable DID_API_KEY, which goes before a key that is saved here.",
    file: "Set.",
    nowhere: "Not set.",
};

const LOOK = {
    padding: "4px 10px", borderRadius: "6px", border: "1px solid var(--border-color)",
    background: "var(--comfy-input-bg)", color: "var(--input-text)",
};

class KeyPanel {
    constructor() {
        this.state = Object.assign(document.createElement("div"), { ariaLive: "polite" });
        this.message = Object.assign(document.createElement("div"), { ariaLive: "polite" });
        this.field = Object.assign(document.createElement("input"), {
            type: "password", autocomplete: "new-password", placeholder: "API_USER:API_PASSWORD", ariaLabel: "D-ID API key",
        });
        Object.assign(this.field.style, LOOK, { flex: "1", minWidth: "12em" });
        const row = document.createElement("div");
        row.append(
            this.field,
            this.button("Save", () => this.save()),
            this.button("Test connection", () => this.test()),
            this.button("Forget", () => this.forget()),
        );
        this.root = document.createElement("div");
        this.root.append(this.state, row, this.message);
        Object.assign(row.style, { display: "flex", flexWrap: "wrap", gap: "6px" });
        Object.assign(this.root.style, { display: "flex", flexDirection: "column", gap: "6px", maxWidth: "36em", fontSize: "14px" });
        this.ask("GET", ROUTE);
    }

    button(text, act) {
        const made = Object.assign(document.createElement("button"), { type: "button", textContent: text });
        Object.assign(made.style, LOOK);
        made.addEventListener("click", act);
        return made;
    }

    async save() {
        const key = this.field.value;
        this.field.value = "";
        if (await this.ask("POST", ROUTE, { key })) this.say("Saved. Test connection tells whether D-ID knows it.");
    }

    async test() {
        this.say("Asking D-ID ...");
        const left = await this.ask("POST", `${ROUTE}/test`);
        if (left) this.say(`D-ID knows this key. Credits left: ${left.remaining} of ${left.total}.`);
    }

    async forget() {
        if (await this.ask("DELETE", ROUTE)) this.say("Forgotten.");
    }

    /** The answer, or nothing after saying what went wrong. */
    async ask(method, path, body) {
        const json = body && { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
        let answer = { error: "ComfyUI does not answer." };
        try {
            answer = await (await api.fetchApi(path, { method, cache: "no-store", ...json })).json();
        } catch (error) {
            console.error("LipSync Studio:", error);
        }
        if (answer.whence) this.state.textContent = STATES[answer.whence];
        if (answer.error) return this.say(answer.error);
        return answer;
    }

    say(text) {
        this.message.textContent = text;
    }
}

app.registerExtension({
    name: "LipSyncStudio.DIDKey",
    settings: [
        {
            id: "LipSyncStudio.DID.Key", // holds nothing: the panel keeps its value out of the settings
            category: ["LipSync Studio", "D-ID", "Key"],
            name: "D-ID API key",
            tooltip: "For the node D-ID Talk. Kept on the server in a file that only its owner can read.",
            type: () => new KeyPanel().root,
            defaultValue: null,
        },
    ],
});
