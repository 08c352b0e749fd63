// What the server knows: the sound by its name ("token"), and the formats of lyrics. See nodes/timestamps_routes.py.

import { api } from "/scripts/api.js";

const ROOT = "/lipsync_studio/timestamps";

export const audioUrl = (token) => api.apiURL(`${ROOT}/sound/${token}/audio`);

/** Float32Array, 0-1: the largest amplitude of each 2.5 ms. */
export async function fetchPeaks(token) {
    const bytes = new Uint8Array(await (await asked(`/sound/${token}/peaks`)).arrayBuffer());
    return Float32Array.from(bytes, (value) => value / 255);
}

/** Float64Array: seconds where sounds begin. */
export async function fetchOnsets(token) {
    return new Float64Array(await (await asked(`/sound/${token}/onsets`)).arrayBuffer());
}

/** Uint8Array: a row of 64 for each hundredth of a second, low frequencies first. */
export async function fetchSpectrogram(token) {
    return new Uint8Array(await (await asked(`/sound/${token}/spectrogram`)).arrayBuffer());
}

/** [{id, label, extension}]. */
export async function fetchFormats() {
    return (await asked("/formats")).json();
}

/** Timings from a file of any format. */
export async function readFile(file) {
    const query = new URLSearchParams({ name: file.name });
    return (await asked(`/read?${query}`, { method: "POST", body: file })).json();
}

/** The text of a file in a format. */
export async function writeText(timings, format) {
    return (await asked(`/write/${format}`, { method: "POST", body: JSON.stringify(timings) })).text();
}

/** Throws an Error in the server's words. */
async function asked(path, options) {
    const response = await api.fetchApi(ROOT + path, options);
    if (response.ok) return response;
    const { error } = await response.json().catch(() => ({}));
    throw new Error(error ?? `The server answers ${response.status}.`);
}
