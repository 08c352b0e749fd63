// Every way to move words in time: each takes a document and gives a new one, or the same when there is nothing to do.
//
// Words never come to overlap and never change their order. Words that overlapped when they came (two singers) may stay
// so, but no edit makes an overlap larger. Words that were not found have no time; they stand between their neighbours.

import { isFound, neighbour, tidy } from "./model.js";

export const SHORTEST = 0.02; // seconds, of a word that an edit makes
const TOUCH = 0.0005; // seconds between words that count as touching
export const NEW_WORD = 0.3; // seconds

const clamp = (value, least, most) => Math.min(Math.max(value, least), most);

/** Move an edge as near to `time` as the neighbours allow. linked: an edge that two words share moves for both. */
export function moveEdge(doc, index, edge, time, linked = true) {
    const { words } = doc;
    const word = words[index];
    if (!isFound(word)) return place(doc, index, time);
    const isStart = edge === "start";
    const other = linked && isLinked(words, index, edge) ? neighbour(words, index, isStart ? -1 : 1) : -1;
    const [lower, upper] = limits(doc, index, index);
    const least = isStart ? (other < 0 ? lower : words[other].start + SHORTEST) : word.start + SHORTEST;
    const most = isStart ? word.end - SHORTEST : other < 0 ? upper : words[other].end - SHORTEST;
    if (least > most) return doc;
    const moved = tidy(clamp(time, least, most));
    const changes = new Map([[index, heard(word, { [edge]: moved })]]);
    if (other >= 0) changes.set(other, { ...words[other], [isStart ? "end" : "start"]: moved });
    return changed(doc, changes);
}

/** Move words by `delta` seconds, as far as the others and the ends of the sound allow. linked: edges that they share
 *  with others move for those too. */
export function moveWords(doc, indexes, delta, linked = true) {
    const { words } = doc;
    const found = runs(doc, indexes).map(([first, last]) => ({
        first,
        last,
        before: linked && isLinked(words, first, "start") ? neighbour(words, first, -1) : -1,
        after: linked && isLinked(words, last, "end") ? neighbour(words, last, 1) : -1,
    }));
    let allowed = delta;
    for (const { first, last, before, after } of found) {
        const [lower, upper] = limits(doc, first, last);
        const least = (before < 0 ? lower : words[before].start + SHORTEST) - words[first].start;
        const most = (after < 0 ? upper : words[after].end - SHORTEST) - lastEnd(doc, first, last);
        allowed = clamp(allowed, Math.min(0, least), Math.max(0, most));
    }
    const changes = shifted(doc, indexes, (time) => time + allowed);
    for (const { first, last, before, after } of found) {
        const now = (index) => changes.get(index) ?? words[index];
        if (before >= 0) changes.set(before, { ...now(before), end: now(first).start });
        if (after >= 0) changes.set(after, { ...now(after), start: now(last).end });
    }
    return changed(doc, changes);
}

/** Stretch words and the pauses between them, from the first one's start, by `factor`; at most up to the next word. */
export function stretch(doc, indexes, factor) {
    const found = indexes.filter((index) => isFound(doc.words[index]));
    if (!found.length || !(factor > 0)) return doc;
    const [first, last] = [found[0], found.at(-1)];
    const all = Array.from({ length: last - first + 1 }, (_, at) => first + at);
    const start = doc.words[first].start;
    const length = lastEnd(doc, first, last) - start;
    if (length <= 0) return doc;
    const fitting = Math.min(factor, (limits(doc, first, last)[1] - start) / length);
    return changed(doc, shifted(doc, all, (time) => start + (time - start) * fitting));
}

/** A word begins at `time`, as somebody taps along. What came before ends by then; words after it that would have begun
 *  earlier are not found any more. */
export function stamp(doc, index, time) {
    const { words } = doc;
    const before = neighbour(words, index, -1);
    const [least, most] = [before < 0 ? 0 : words[before].start + SHORTEST, doc.seconds - SHORTEST];
    if (least > most) return doc;
    const start = tidy(clamp(time, least, most));
    const changes = new Map();
    if (before >= 0 && words[before].end > start) changes.set(before, { ...words[before], end: start });
    let upper = doc.seconds;
    for (let at = neighbour(words, index, 1); at >= 0; at = neighbour(words, at, 1)) {
        if (words[at].start >= start + SHORTEST) {
            upper = words[at].start;
            break;
        }
        changes.set(at, { ...words[at], start, end: start, source: "not found" });
    }
    changes.set(index, heard(words[index], { start, end: tidy(Math.min(start + NEW_WORD, upper)) }));
    return changed(doc, changes);
}

/** Whether an edge of the word is also its neighbour's. */
function isLinked(words, index, edge) {
    const other = neighbour(words, index, edge === "start" ? -1 : 1);
    if (other < 0) return false;
    return Math.abs(words[index][edge] - words[other][edge === "start" ? "end" : "start"]) < TOUCH;
}

/** A time for a word that was not found: from `time` on, where there is room. */
function place(doc, index, time) {
    const [lower, upper] = limits(doc, index, index);
    if (upper - lower < SHORTEST) return doc;
    const start = tidy(clamp(time, lower, upper - SHORTEST));
    const times = { start, end: tidy(Math.min(start + NEW_WORD, upper)) };
    return changed(doc, new Map([[index, heard(doc.words[index], times)]]));
}

/** Between which times words first..last may lie; never nearer than where they are. */
function limits({ words, seconds }, first, last) {
    const [before, after] = [neighbour(words, first, -1), neighbour(words, last, 1)];
    const found = words.slice(first, last + 1).filter(isFound);
    const lower = before < 0 ? 0 : words[before].end;
    const upper = after < 0 ? seconds : words[after].start;
    if (!found.length) return [lower, upper];
    return [Math.min(lower, found[0].start), Math.max(upper, ...found.map((word) => word.end))];
}

function lastEnd({ words }, first, last) {
    return Math.max(...words.slice(first, last + 1).filter(isFound).map((word) => word.end));
}

/** [[first, last]] of words with a time that follow one another. */
function runs({ words }, indexes) {
    const found = [];
    for (const index of [...indexes].sort((one, other) => one - other).filter((at) => isFound(words[at]))) {
        if (found.length && neighbour(words, index, -1) === found.at(-1)[1]) found.at(-1)[1] = index;
        else found.push([index, index]);
    }
    return found;
}

/** A map of these words with other times. */
function shifted(doc, indexes, move) {
    const found = indexes.filter((index) => isFound(doc.words[index]));
    return new Map(found.map((index) => {
        const word = doc.words[index];
        return [index, heard(word, { start: tidy(move(word.start)), end: tidy(move(word.end)) })];
    }));
}

/** The word with changes that a person made, who has heard it. */
export function heard(word, changes) {
    return { ...word, ...changes, source: "heard", confidence: 1 };
}

export function changed(doc, changes) {
    const isSame = ([index, word]) => ["start", "end", "source"].every((key) => doc.words[index][key] === word[key]);
    if ([...changes].every(isSame)) return doc;
    return settled({ ...doc, words: doc.words.map((word, index) => changes.get(index) ?? word) });
}

/** Words that were not found between their neighbours. */
export function settled(doc) {
    let least = 0;
    const words = doc.words.map((word, index) => {
        if (isFound(word)) {
            least = word.end;
            return word;
        }
        const after = neighbour(doc.words, index, 1);
        const most = after < 0 ? doc.seconds : doc.words[after].start;
        const time = Math.max(least, Math.min(word.start, most));
        return time === word.start && time === word.end ? word : { ...word, start: time, end: time };
    });
    return { ...doc, words };
}
