// Checks of the editor's pure modules, run in a browser by test_timestamps_edits.py. Each gives [name, got, expected].

async (base) => {
    const model = await import(`${base}/model.js`);
    const edits = { ...(await import(`${base}/edits.js`)), ...(await import(`${base}/rewrites.js`)) };
    const { restingPlaces, snap } = await import(`${base}/snap.js`);
    const { History } = await import(`${base}/history.js`);
    const checks = [];
    const check = (name, got, expected) => checks.push([name, got, expected]);

    const word = (text, start, end, more = {}) => ({
        text, start, end, confidence: 0.4, source: "heard", after: " ", ...more,
    });
    const line = (...words) => ({ text: model.textOf(words), start: words[0].start, end: words.at(-1).end, words });
    const song = { lines: [
        line(word("one", 1, 2), word("two", 2, 3), word("three", 3.5, 4)),
        line(word("four", 5, 6), word("five", 6, 6, { source: "not found" }), word("six", 6, 7)),
        { text: "a plain line", start: 8, end: 9, words: [] },
    ] };
    const doc = frozen(model.fromTimings(song, 10));
    const times = ({ words }, ...indexes) => indexes.map((index) => [words[index].start, words[index].end]);
    const texts = ({ words }) => words.map(({ text }) => text);
    const lines = (changed) => model.toTimings(changed).lines.map(({ text }) => text);

    check("as it came", model.toTimings(doc).lines, song.lines);
    const margins = { lines: [{ ...line(word("one", 1, 2)), start: 0.5, end: 4 }] };
    const moved = model.toTimings(edits.moveWords(model.fromTimings(margins, 10), [0], 0.25)).lines[0];
    check("a line is shown as long before and after", [moved.start, moved.end], [0.75, 4.25]);

    check("a shared edge moves for both", times(edits.moveEdge(doc, 0, "end", 1.7), 0, 1), [[1, 1.7], [1.7, 3]]);
    check("from the other side too", times(edits.moveEdge(doc, 1, "start", 2.4), 0, 1), [[1, 2.4], [2.4, 3]]);
    check("unlinked, it leaves a pause", times(edits.moveEdge(doc, 0, "end", 1.7, false), 0, 1), [[1, 1.7], [2, 3]]);
    check("unlinked, it stops at the neighbour", times(edits.moveEdge(doc, 0, "end", 2.5, false), 0), [[1, 2]]);
    check("an edge stops before its own word's end", times(edits.moveEdge(doc, 0, "start", 9), 0), [[1.98, 2]]);
    check("and before the neighbour's end", times(edits.moveEdge(doc, 0, "end", 9), 0, 1), [[1, 2.98], [2.98, 3]]);
    check("and at 0", times(edits.moveEdge(doc, 0, "start", -4), 0), [[0, 2]]);
    check("and at the end of the sound", times(edits.moveEdge(doc, 6, "end", 40), 6), [[8, 10]]);
    const corrected = edits.moveEdge(doc, 0, "end", 1.7).words;
    check("who moves an edge has heard the word", [corrected[0].confidence, corrected[1].confidence], [1, 0.4]);
    const placed = edits.moveEdge(doc, 4, "start", 4.9).words;
    check("without room, a word stays not found", placed[4].source, "not found");
    const room = edits.moveEdge(doc, 5, "start", 6.5, false);
    check("with room, it gets a time", times(edits.moveEdge(room, 4, "start", 6.1), 4), [[6.1, 6.4]]);

    check("words move together", times(edits.moveWords(doc, [0, 1], 0.25), 0, 1), [[1.25, 2.25], [2.25, 3.25]]);
    check("up to the next word", times(edits.moveWords(doc, [0, 1], 3), 0, 1), [[1.5, 2.5], [2.5, 3.5]]);
    check("shared edges move too", times(edits.moveWords(doc, [1], 0.25), 0, 1), [[1, 2.25], [2.25, 3.25]]);
    check("unless told not to", times(edits.moveWords(doc, [1], 0.25, false), 0, 1), [[1, 2], [2.25, 3.25]]);
    check("and back to 0", times(edits.moveWords(doc, [0], -3, false), 0), [[0, 1]]);
    const all = doc.words.map((_, index) => index);
    check("all words move", times(edits.moveWords(doc, all, 0.5), 0, 4, 6), [[1.5, 2.5], [6.5, 6.5], [8.5, 9.5]]);
    check("all words stretch", times(edits.stretch(doc, all, 1.1), 0, 6), [[1, 2.1], [8.7, 9.8]]);
    check("stretching stops at the next word", times(edits.stretch(doc, [0, 1], 9), 0, 1), [[1, 2.25], [2.25, 3.5]]);

    const cut = edits.split(doc, 2, 3.75);
    check("a cut word", [texts(cut).slice(2, 4), times(cut, 2, 3)], [["thr", "ee"], [[3.5, 3.75], [3.75, 4]]]);
    check("says the same", lines(cut)[0], "one two three");
    check("a word of one letter stays whole", edits.split(edits.setText(doc, 0, "I"), 0, 1.5).words.length, 7);
    const merged = edits.merge(doc, 0, 2);
    check("merged words", [texts(merged)[0], times(merged, 0)], ["one two three", [[1, 4]]]);
    check("merged over a line's end", lines(edits.merge(doc, 2, 3)), ["one two three four five six", "a plain line"]);
    check("a divided line", times(edits.divide(doc, 6), 6, 7, 8).map(([start]) => start), [8, 8.166667, 8.666667]);
    check("has words now", model.toTimings(edits.divide(doc, 6)).lines[2].words.length, 3);
    const put = edits.insert(doc, 4.1, "new");
    check("a new word in a pause", [put.index, times(put.doc, 3)], [3, [[4.1, 4.4]]]);
    check("of the nearer line", lines(put.doc)[0], "one two three new");
    const inside = edits.insert(doc, 1.5, "new").doc;
    check("a new word in a word", times(inside, 0, 1), [[1, 1.5], [1.5, 2]]);
    check("a first word", lines(edits.insert(doc, 0.2, "oh").doc)[0], "oh one two three");
    check("the only word", lines(edits.insert(edits.remove(doc, all), 3, "oh").doc), ["oh"]);
    check("no room for a new word", edits.insert(doc, 9.99, "new").index, -1);
    check("deleted words", lines(edits.remove(doc, [0, 6])), ["two three", "four five six"]);
    check("another text", lines(edits.setText(doc, 0, " uno "))[0], "uno two three");
    check("a text of two words", times(edits.setText(doc, 0, "o ne"), 0, 1), [[1, 1.5], [1.5, 2]]);
    check("no text is no change", edits.setText(doc, 0, "  ") === doc, true);
    check("a plain line stays one", lines(edits.setText(doc, 6, "another line")).at(-1), "another line");
    check("a line break", lines(edits.toggleBreak(doc, 1)).slice(0, 2), ["one", "two three"]);
    check("and joined again", lines(edits.toggleBreak(edits.toggleBreak(doc, 1), 1)), lines(doc));
    check("the first line has none before it", edits.toggleBreak(doc, 0) === doc, true);

    check("a tap", times(edits.stamp(doc, 0, 0.5), 0), [[0.5, 0.8]]);
    check("a tap ends the word before", times(edits.stamp(doc, 1, 1.5), 0, 1), [[1, 1.5], [1.5, 1.8]]);
    const late = edits.stamp(doc, 0, 3.2);
    check("a late tap leaves words without a time", late.words.slice(0, 3).map(({ source }) => source),
        ["heard", "not found", "heard"]);
    check("and ends where the next one begins", times(late, 0, 2), [[3.2, 3.5], [3.5, 4]]);

    check("undo and redo", undone(), ["2 0", "1 1", "0 2", "1 1", "3 0"]);
    check("a gesture is undone at once", gestures(), 2);

    check("the edge on the side of the pointer", [1.99, 2.01].map((time) => model.edgeNear(doc, time, 0.05)),
        [{ index: 0, edge: "end" }, { index: 1, edge: "start" }]);
    check("no edge is near", model.edgeNear(doc, 1.5, 0.05) ?? null, null);
    check("words at times", [1.2, 3.2, 9.5].map((time) => model.wordAt(doc, time)), [0, -1, -1]);
    check("words of a part", model.wordsBetween(doc, 2.5, 5.5), [1, 2, 3]);
    const unsure = [[0, 1], [6, 1], [0, -1]].map(([at, step]) => model.nextUnsure(doc, at, step));
    check("unsure words, round and round", unsure, [1, 0, 5]);
    check("times as texts", [0, 61.5, 3725.0004].map(model.clock), ["0:00.000", "1:01.500", "1:02:05.000"]);
    check("texts as times", ["1:01.5", "61,5", "1:02:05", ".5", "x", ""].map((text) => String(model.seconds(text))),
        ["61.5", "61.5", "3725", "0.5", "NaN", "NaN"]);
    const places = restingPlaces(doc, new Set([0]), [7.5]);
    check("the moving word is no resting place", [places.includes(1), places.includes(3.5), places.includes(7.5)],
        [false, true, true]);
    check("snapping", [snap(1.02, [1, 1.03], 0.05), snap(1.2, [1], 0.05), snap(1.21, [1], 0.05, 25)], [1.03, 1.2, 1.2]);

    const made = [];
    for (let seed = 1; seed <= 1000; seed++) made.push(...walk(seed));
    return { checks, made };

    function undone() {
        const history = new History("a");
        const seen = () => `${history.done.length - 1} ${history.undone.length}`;
        history.push("b");
        history.push("c");
        const found = [seen()];
        for (const step of ["undo", "undo", "redo"]) {
            history[step]();
            found.push(seen());
        }
        history.redo();
        history.push("d");
        return [...found, seen()];
    }

    function gestures() {
        const history = new History("a");
        for (const next of ["b", "c", "d"]) history.push(next, "drag 1");
        history.push("e", "drag 2");
        return history.done.length - 1;
    }

    /** A random document after random edits. Throws when an edit breaks a promise; gives the last state as timings. */
    function walk(seed) {
        const random = generator(seed);
        let state = frozen(randomDocument(random));
        for (let step = 0; step < 25; step++) {
            const [name, next] = randomEdit(random, state);
            const fault = faultOf(frozen(next));
            if (fault) throw new Error(`seed ${seed}, step ${step}, ${name}: ${fault}`);
            state = next;
        }
        return seed % 20 ? [] : [JSON.stringify(model.toTimings(state))];
    }

    function randomDocument(random) {
        const rows = [];
        let now = random() * 2;
        for (let count = Math.floor(random() * 4); count >= 0; count--) {
            const words = [];
            for (let left = Math.floor(random() * 5); left >= 0; left--) {
                const isLost = random() < 0.2;
                const end = isLost ? now : now + random();
                const source = isLost ? "not found" : "heard";
                words.push(word("abcdef".slice(0, 1 + random() * 5), now, end, { source }));
                now = end + (random() < 0.5 ? 0 : random());
            }
            rows.push(line(...words));
            if (random() < 0.2) rows.push({ text: "some plain line", start: now, end: (now += 1), words: [] });
            now += random() < 0.5 ? 0 : random() * 3;
        }
        return model.fromTimings({ lines: rows }, now + random());
    }

    function randomEdit(random, state) {
        const count = state.words.length;
        const index = Math.floor(random() * count);
        const time = (random() * 1.4 - 0.2) * state.seconds;
        const some = state.words.flatMap((_, at) => (random() < 0.4 ? [at] : []));
        const edge = random() < 0.5 ? "start" : "end";
        const choices = {
            insert: () => edits.insert(state, Math.max(time, 0), "new").doc,
            ...(count && {
                moveEdge: () => edits.moveEdge(state, index, edge, time, random() < 0.5),
                moveWords: () => edits.moveWords(state, some, (random() - 0.5) * 4, random() < 0.5),
                stretch: () => edits.stretch(state, some, random() * 2),
                split: () => edits.split(state, index, time),
                splitInside: () => edits.split(state, index, (state.words[index].start + state.words[index].end) / 2),
                divide: () => edits.divide(state, index),
                merge: () => edits.merge(state, index, Math.min(index + 1, count - 1)),
                remove: () => (random() < 0.3 ? edits.remove(state, [index]) : state),
                setText: () => edits.setText(state, index, random() < 0.5 ? "x" : "y z"),
                toggleBreak: () => edits.toggleBreak(state, index),
                stamp: () => edits.stamp(state, index, time),
            }),
        };
        const names = Object.keys(choices);
        const name = names[Math.floor(random() * names.length)];
        return [name, choices[name]()];
    }

    function faultOf({ words, seconds: length }) {
        const seen = new Set();
        let end = 0;
        for (const [index, { line: host, ...here }] of words.entries()) {
            const at = `word ${index} ${JSON.stringify(here)}`;
            if (!(here.start >= 0 && here.start <= here.end && here.end <= length)) return `bad times of ${at}`;
            if (here.start < end) return `${(end - here.start).toFixed(6)} s of overlap before ${at}`;
            if (!here.text.trim()) return `no text in ${at}`;
            if (host !== words[index - 1]?.line && seen.has(host)) return `a line in two places, at ${at}`;
            seen.add(host);
            end = here.end;
        }
        return "";
    }

    /** So that an edit that changes its document throws. */
    function frozen(value) {
        if (value && typeof value === "object" && !Object.isFrozen(value)) {
            Object.freeze(value);
            Object.values(value).forEach(frozen);
        }
        return value;
    }

    /** Mulberry32: random numbers from 0 to 1 that are the same each time. */
    function generator(seed) {
        return () => {
            seed = (seed + 0x6d2b79f5) | 0;
            let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
            mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
            return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
        };
    }
}
