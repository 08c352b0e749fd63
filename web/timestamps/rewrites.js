// Every way to change which words and lines there are, and what they say. As in edits.js.

import { changed, heard, NEW_WORD, settled, SHORTEST } from "./edits.js";
import { isFound, lineAround, neighbour, textOf, tidy } from "./model.js";

/** Cut a word in two at `time`: its text in proportion, at a space if it has one. */
export function split(doc, index, time) {
    const word = doc.words[index];
    const cut = tidy(time);
    if (!isFound(word) || cut - word.start < SHORTEST || word.end - cut < SHORTEST) return doc;
    const [left, after, right] = cutText(word.text, (cut - word.start) / (word.end - word.start));
    if (!right) return doc;
    const halves = [heard(word, { text: left, after, end: cut }), heard(word, { text: right, start: cut })];
    return rewritten(doc, index, index, halves, { plain: false });
}

/** A word of several words, as a line that came without words is, into them; the time in proportion to their length. */
export function divide(doc, index) {
    const word = doc.words[index];
    const parts = word.text.split(/(\s+)/).filter(Boolean);
    return parts.length < 3 ? doc : rewritten(doc, index, index, shared(word, parts), { plain: false });
}

/** Words `first` to `last` as one. */
export function merge(doc, first, last) {
    if (first >= last) return doc;
    const words = doc.words.slice(first, last + 1);
    const found = words.filter(isFound);
    const one = { ...words[0], text: textOf(words), after: words.at(-1).after };
    const times = found.length && { start: found[0].start, end: Math.max(...found.map(({ end }) => end)) };
    const joined = joinLines(doc, first, last);
    const { line } = joined.words[first];
    return rewritten(joined, first, last, [{ ...(times ? heard(one, times) : one), line }]);
}

/** A new word at `time`, in the pause there or in the second half of the word there. {doc, index}; index: -1 without
 *  room. */
export function insert(doc, time, text) {
    const { words } = doc;
    const start = tidy(time);
    const before = words.findLastIndex((word) => isFound(word) && word.start <= start);
    const after = neighbour(words, before, 1);
    const upper = after < 0 ? doc.seconds : words[after].start;
    const isInside = before >= 0 && words[before].end > start;
    const end = tidy(isInside ? words[before].end : Math.min(start + NEW_WORD, upper));
    if (end - start < SHORTEST || (isInside && start - words[before].start < SHORTEST)) return { doc, index: -1 };
    const isOfBefore = before >= 0 && (isInside || after < 0 || start - words[before].end <= upper - end);
    const index = isOfBefore ? before + 1 : Math.max(after, 0);
    const line = words[isOfBefore ? before : after]?.line ?? { text: null, lead: 0, linger: 0, plain: false };
    const made = { text, start, end, confidence: 1, source: "heard", after: " ", line };
    const shorter = isInside ? changed(doc, new Map([[before, { ...words[before], end: start }]])) : doc;
    return { doc: respelled(replaced(shorter, index, index - 1, [made]), [index], { plain: false }), index };
}

/** Without these words. */
export function remove(doc, indexes) {
    if (!indexes.length) return doc;
    const gone = new Set(indexes);
    const lines = new Set(indexes.map((index) => doc.words[index].line));
    const words = doc.words.filter((_, index) => !gone.has(index));
    const touched = words.flatMap((word, index) => (lines.has(word.line) ? [index] : []));
    return respelled({ ...doc, words }, touched);
}

/** Another text for a word; one with spaces makes several words of it, but for a line that came without words. */
export function setText(doc, index, text) {
    const word = doc.words[index];
    const parts = text.trim().split(/(\s+)/).filter(Boolean);
    if (!parts.length || parts.join("") === word.text) return doc;
    const isWhole = word.line.plain || parts.length === 1 || !isFound(word);
    return rewritten(doc, index, index, isWhole ? [{ ...word, text: parts.join("") }] : shared(word, parts));
}

/** Begin a new line with this word; where one begins already, join it to the line before. */
export function toggleBreak(doc, index) {
    const [first, last] = lineAround(doc, index);
    if (first === index) return index === 0 ? doc : joinLines(doc, index - 1, index);
    const { line } = doc.words[index];
    const head = { ...fresh(line), linger: 0 };
    const tail = { ...fresh(line), lead: 0 };
    const words = doc.words.map((word, at) => {
        if (at < first || at > last) return word;
        return { ...word, line: at < index ? head : tail, after: at === index - 1 ? " " : word.after };
    });
    return { ...doc, words };
}

function replaced(doc, first, last, words) {
    return { ...doc, words: [...doc.words.slice(0, first), ...words, ...doc.words.slice(last + 1)] };
}

/** Other words in place of first..last, in a line whose text they make. */
function rewritten(doc, first, last, words, changes = {}) {
    return respelled(replaced(doc, first, last, words), words.map((_, at) => first + at), changes);
}

/** The text of the lines of these words is what the words say. */
function respelled(doc, indexes, changes = {}) {
    const lines = new Map(indexes.map((index) => [doc.words[index].line, null]));
    for (const line of lines.keys()) lines.set(line, { ...fresh(line), ...changes });
    return settled({
        ...doc,
        words: doc.words.map((word) => (lines.has(word.line) ? { ...word, line: lines.get(word.line) } : word)),
    });
}

const fresh = ({ lead, linger, plain }) => ({ text: null, lead, linger, plain });

/** The lines of words first..last as one. */
function joinLines(doc, first, last) {
    const joined = new Set(doc.words.slice(first, last + 1).map((word) => word.line));
    if (joined.size === 1) return doc;
    const [head, tail] = [doc.words[first].line, doc.words[last].line];
    const line = { text: null, lead: head.lead, linger: tail.linger, plain: false };
    return { ...doc, words: doc.words.map((word) => (joined.has(word.line) ? { ...word, line } : word)) };
}

/** The word as several, its time shared out by their length. parts: texts, with the spaces between them. */
function shared(word, parts) {
    const total = parts.reduce((sum, part) => sum + part.length, 0);
    let begun = 0;
    const at = () => tidy(word.start + ((word.end - word.start) * begun) / total);
    const words = [];
    for (let index = 0; index < parts.length; index += 2) {
        const start = at();
        begun += parts[index].length + (parts[index + 1]?.length ?? 0);
        words.push({ ...word, text: parts[index], after: parts[index + 1] ?? word.after, start, end: at() });
    }
    words.at(-1).end = word.end;
    return words;
}

/** [left, space between, right]; right is empty for a single letter. */
function cutText(text, ratio) {
    const letters = [...new Intl.Segmenter().segment(text)].map(({ segment }) => segment);
    const wanted = ratio * letters.length;
    const spaces = letters.flatMap((letter, at) => (/\s/.test(letter) ? [at] : []));
    if (spaces.length) {
        const cut = spaces.reduce((best, at) => (Math.abs(at - wanted) < Math.abs(best - wanted) ? at : best));
        return [letters.slice(0, cut).join("").trim(), " ", letters.slice(cut).join("").trim()];
    }
    const cut = Math.min(Math.max(Math.round(wanted), 1), Math.max(1, letters.length - 1));
    return [letters.slice(0, cut).join(""), "", letters.slice(cut).join("")];
}
