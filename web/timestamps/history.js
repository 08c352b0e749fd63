// Undo and redo. Documents are never changed, so remembering them is remembering references.

const LONGEST = 1000;

export class History {
    constructor(doc) {
        this.done = [{ doc }];
        this.undone = [];
    }

    get doc() {
        return this.done.at(-1).doc;
    }

    /** gesture: what belongs to the same one (a drag, a row of nudges) is undone at once. */
    push(doc, gesture) {
        if (doc === this.doc) return;
        this.undone = [];
        if (gesture !== undefined && this.done.at(-1).gesture === gesture) this.done.pop();
        this.done.push({ doc, gesture });
        if (this.done.length > LONGEST) this.done.shift();
    }

    undo() {
        if (this.done.length > 1) this.undone.push(this.done.pop());
    }

    redo() {
        if (this.undone.length) this.done.push(this.undone.pop());
    }
}
