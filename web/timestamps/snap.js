// Where a moved edge comes to rest.

/** Times that an edge may rest on: the edges of the words that stay where they are, and where sounds begin. */
export function restingPlaces({ words }, moving, onsets) {
    const edges = words.flatMap((word, index) => (moving.has(index) ? [] : [word.start, word.end]));
    return [...edges, ...onsets];
}

/** The nearest place within `reach` seconds; else, with `fps`, the nearest frame; else the time itself. */
export function snap(time, places, reach, fps = 0) {
    let best = NaN;
    for (const place of places) {
        if (Math.abs(place - time) <= reach && !(Math.abs(best - time) <= Math.abs(place - time))) best = place;
    }
    if (!Number.isNaN(best)) return best;
    return fps ? Math.round(time * fps) / fps : time;
}
