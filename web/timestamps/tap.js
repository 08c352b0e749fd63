// Tapping along: while the sound plays, each tap gives the next word its start. A key that is held gives its end too.

import { moveEdge, stamp } from "./edits.js";

const HELD = 0.25; // seconds of sound; a shorter tap lasts until the next one of its line

export class Tap {
    constructor(editor, waveform) {
        this.editor = editor;
        this.waveform = waveform;
        this.isOn = false;
        this.stop();
    }

    toggle() {
        if (this.isOn) this.stop();
        else this.start();
        this.editor.tell("settings");
    }

    /** From the selected word on, or from the first; the sound plays from a little before the playhead. */
    start() {
        this.isOn = true;
        this.next = Math.max(this.editor.active, 0);
        this.stamped = []; // {index, isHeld}
        if (this.next < this.editor.doc.words.length) this.editor.select([this.next]);
        this.waveform.repeatPart(null);
        this.waveform.play();
    }

    stop() {
        this.isOn = false;
        this.stamped = [];
        this.pressed = null;
    }

    /** The next word begins now. */
    press() {
        const { editor } = this;
        const { words } = editor.doc;
        if (this.pressed || this.next >= words.length) return;
        const time = this.waveform.time;
        const last = this.stamped.at(-1);
        const isOpen = last && !last.isHeld && words[last.index].line === words[this.next].line;
        const before = isOpen ? moveEdge(editor.doc, last.index, "end", time, false) : editor.doc;
        this.gesture = Symbol("tap");
        const isStamped = editor.apply(stamp(before, this.next, time), { select: [this.next], gesture: this.gesture });
        if (!isStamped) return; // no room before the end of the sound
        this.pressed = { index: this.next, time };
        this.stamped.push({ index: this.next, isHeld: false });
        this.next++;
    }

    /** The key is up again: a word that was held ends now. */
    lift() {
        const { editor, pressed } = this;
        this.pressed = null;
        const { time } = this.waveform;
        if (!pressed || time - pressed.time < HELD) return;
        this.stamped.at(-1).isHeld = true;
        editor.apply(moveEdge(editor.doc, pressed.index, "end", time, false), { gesture: this.gesture });
    }

    /** Take the last tap back. */
    back() {
        const last = this.stamped.pop();
        if (!last) return;
        this.pressed = null;
        this.editor.undo();
        this.next = last.index;
        this.editor.select([last.index]);
    }
}
