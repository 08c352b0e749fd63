// Words and lines as plain values, and what can be asked of them. They are never changed: edits.js and rewrites.js make
// new ones.
//
// document: {words, seconds, head}. seconds: length of the sound. head: {language, tags, notes}.
// word: {text, start, end, confidence, source, after, line}, as in pipelines/core/lyrics.py; in whole microseconds.
// line: shared by its words, which follow one another. {text, lead, linger, plain, row, words}.
//     text: null when it is what the words say. lead, linger: seconds it is shown before the first and after the last
//     word. plain: it came without words, so its one word is the line. row, words: as it came, while nothing in it has
//     changed.

const UNSURE_BELOW = 0.5; // confidence

const PLAYER_CRUMBS = 1e-4; // seconds; players stop a little before where they were sent

/** The nearest microsecond: on a grid, sums and limits of times leave no crumbs. */
export const tidy = (time) => Math.round(time * 1e6) / 1e6;

const tidied = ({ start, end }) => ({ start: tidy(start), end: tidy(end) });

const PLAIN_WORD = { confidence: 1, source: "heard", after: " " };

/** A document from the server's JSON of timings. */
export function fromTimings(data, seconds) {
    const words = [];
    for (const row of data.lines) {
        const plain = !row.words?.length;
        const { text, start } = row;
        const rows = plain ? [{ text, start, end: row.end }] : row.words;
        const end = Math.max(...rows.map((word) => word.end));
        const line = { text, lead: rows[0].start - start, linger: row.end - end, plain, row };
        line.words = rows.map((word) => ({ ...PLAIN_WORD, ...word, ...tidied(word), line }));
        words.push(...line.words);
    }
    const { language = "", tags = {}, notes = [] } = data;
    return { words, seconds: tidy(seconds), head: { language, tags, notes } };
}

/** The server's JSON of timings. Lines in which nothing has changed are what they were, to the last bit. */
export function toTimings(doc) {
    const lines = linesOf(doc).map(({ line, words }) => (isAsItCame(line, words) ? line.row : row(line, words)));
    lines.sort((one, other) => one.start - other.start);
    return { format: "lipsync-studio timings", version: 1, ...doc.head, lines };
}

/** [{line, words, first}], first: index of its first word. */
export function linesOf(doc) {
    const lines = [];
    doc.words.forEach((word, index) => {
        if (word.line !== lines.at(-1)?.line) lines.push({ line: word.line, words: [], first: index });
        lines.at(-1).words.push(word);
    });
    return lines;
}

/** [first, last] indexes of the words in the line of word `index`. */
export function lineAround({ words }, index) {
    let first = index;
    let last = index;
    while (words[first - 1]?.line === words[index].line) first--;
    while (words[last + 1]?.line === words[index].line) last++;
    return [first, last];
}

export const isFound = (word) => word.source !== "not found";

/** "missing", "guessed", "unsure" or "sure": what a colour says about a word. */
export function sureness({ source, confidence }) {
    if (source === "not found") return "missing";
    if (source === "filled in") return "guessed";
    return confidence < UNSURE_BELOW ? "unsure" : "sure";
}

/** Index of the next word, in the direction of `step`, that a person should look at; -1 when there is none. */
export function nextUnsure({ words }, index, step = 1) {
    for (let turn = 1; turn <= words.length; turn++) {
        const at = (((index + step * turn) % words.length) + words.length) % words.length;
        if (sureness(words[at]) !== "sure") return at;
    }
    return -1;
}

/** Index of the word that is said at `time`; -1 between words. */
export function wordAt({ words }, time) {
    return words.findLastIndex((word) => isFound(word) && word.start <= time && time < word.end);
}

/** Index of the last word that has begun at `time` of a player; -1 before the first. */
export function lastBegun({ words }, time) {
    return words.findLastIndex((word) => isFound(word) && word.start <= time + PLAYER_CRUMBS);
}

/** Indexes of the words that are said between two times. */
export function wordsBetween({ words }, start, end) {
    return words.flatMap((word, index) => (isFound(word) && word.start < end && word.end > start ? [index] : []));
}

/** {index, edge: "start" | "end"} of the edge within `reach` seconds of `time`; undefined when there is none. Where two
 *  words touch, it is the edge on the side of `time`. */
export function edgeNear({ words }, time, reach) {
    let best;
    words.forEach((word, index) => {
        if (!isFound(word)) return;
        for (const edge of ["start", "end"]) {
            const away = Math.abs(word[edge] - time);
            const isInside = edge === "start" ? time >= word.start : time <= word.end;
            if (away > reach || (best && (away > best.away || (away === best.away && !isInside)))) continue;
            best = { index, edge, away };
        }
    });
    return best && { index: best.index, edge: best.edge };
}

/** Index of the nearest word with a time, from `index` in the direction of `step`; -1 when there is none. */
export function neighbour(words, index, step) {
    let at = index + step;
    while (at >= 0 && at < words.length && !isFound(words[at])) at += step;
    return at >= 0 && at < words.length ? at : -1;
}

/** 61.5 -> "1:01.500". */
export function clock(seconds) {
    const milli = Math.round(seconds * 1000);
    const two = (number) => String(number).padStart(2, "0");
    const rest = `${two(Math.floor(milli / 1000) % 60)}.${String(milli % 1000).padStart(3, "0")}`;
    const minutes = Math.floor(milli / 60_000);
    return minutes < 60 ? `${minutes}:${rest}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${rest}`;
}

/** "1:01.5" or "61.5" -> 61.5; NaN for what is no time. */
export function seconds(text) {
    if (!/^\s*(\d+:){0,2}\d*[.,]?\d*\s*$/.test(text) || !/\d/.test(text)) return NaN;
    return text.replace(",", ".").split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
}

function isAsItCame(line, words) {
    return line.row && line.words.length === words.length && line.words.every((word, at) => word === words[at]);
}

function row(line, words) {
    const start = Math.max(0, words[0].start - line.lead);
    const end = Math.max(...words.map((word) => word.end)) + line.linger;
    const text = line.text ?? textOf(words);
    const rows = line.plain ? [] : words.map(({ line: _, ...word }) => word);
    return { text, start, end: Math.max(start, end), words: rows };
}

/** What words of one line say together. */
export function textOf(words) {
    return words.map((word, at) => (at < words.length - 1 ? word.text + word.after : word.text)).join("");
}
