// The sound, seen and heard: wavesurfer.js with the server's peaks, zoom around the pointer, loops and speeds.

import { audioUrl } from "./server.js";

const VENDOR = new URL("../vendor/wavesurfer/", import.meta.url);
const HEIGHT = 150; // px, of the waveform
const MINIMAP_HEIGHT = 28;
const CLOSEST = 2000; // px per second
const WIDEST = 16e6; // px, of the whole sound: Firefox lays out 17.9 million at most
const ZOOM_STEP = 1.25;
const FIRST_SECONDS = 12; // that are seen when the editor opens

export class Waveform {
    /** Fills `container` with the sound. peaks: of `fetchPeaks`. colours: {wave, played, cursor, view}. */
    static async open(container, token, peaks, seconds, colours) {
        const names = ["wavesurfer", "minimap"];
        const [WaveSurfer, Minimap] = await Promise.all(
            names.map(async (name) => (await import(new URL(`${name}.mjs`, VENDOR))).default),
        );
        const waveform = new Waveform();
        waveform.seconds = seconds;
        waveform.audio = new Audio(audioUrl(token));
        waveform.surfer = WaveSurfer.create({
            container, media: waveform.audio, peaks: [peaks], duration: seconds, height: HEIGHT, interact: false,
            waveColor: colours.wave, progressColor: colours.played, cursorColor: colours.cursor, cursorWidth: 2,
            autoCenter: false, normalize: true,
            plugins: [
                Minimap.create({
                    height: MINIMAP_HEIGHT, insertPosition: "beforebegin", waveColor: colours.wave,
                    progressColor: colours.played, overlayColor: colours.view, dragToSeek: true, cursorWidth: 1,
                }),
            ],
        });
        await new Promise((resolve, reject) => {
            waveform.surfer.once("ready", resolve);
            waveform.surfer.once("error", reject);
        });
        waveform.begin(container);
        return waveform;
    }

    begin(container) {
        this.loop = null; // [start, end] in seconds
        this.scale = 0; // px per second that were asked for; the sound is never narrower than the view
        this.surfer.on("timeupdate", (time) => this.repeat(time));
        container.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
        this.zoom(this.width / Math.min(FIRST_SECONDS, this.seconds), 0);
    }

    /** Call `then(seconds)` as time goes on, or `then()` when the view has changed. */
    onTime(then) {
        this.surfer.on("timeupdate", then);
        this.surfer.on("seeking", then);
    }

    onView(then) {
        for (const event of ["scroll", "redraw", "resize"]) this.surfer.on(event, () => then());
    }

    onPlaying(then) {
        for (const event of ["play", "pause", "finish"]) this.surfer.on(event, () => then(this.isPlaying));
    }

    get wrapper() {
        return this.surfer.getWrapper();
    }

    get width() {
        return this.surfer.getWidth();
    }

    get time() {
        return this.surfer.getCurrentTime();
    }

    get isPlaying() {
        return this.surfer.isPlaying();
    }

    get pixelsPerSecond() {
        return this.wrapper.getBoundingClientRect().width / this.seconds;
    }

    /** [start, end] of what is seen, in seconds. */
    get view() {
        const start = this.surfer.getScroll() / this.pixelsPerSecond;
        return [start, Math.min(this.seconds, start + this.width / this.pixelsPerSecond)];
    }

    /** The time under a pixel of the page, read off what is on the screen. */
    timeAt(clientX) {
        const { left, width } = this.wrapper.getBoundingClientRect();
        return Math.min(Math.max((clientX - left) / width, 0), 1) * this.seconds;
    }

    seek(time) {
        this.surfer.setTime(Math.min(Math.max(time, 0), this.seconds));
    }

    toggle() {
        return this.isPlaying ? this.surfer.pause() : this.play();
    }

    /** Play on, or from start to end. A browser may refuse sound before the first click: then it stays silent. */
    async play(start, end) {
        await this.surfer.play(start, end).catch((error) => console.warn("Edit Timestamps:", error.message));
    }

    pause() {
        this.surfer.pause();
    }

    /** Play a part again and again; without a part, stop doing so. */
    repeatPart(part) {
        this.loop = part;
        if (part) this.play(part[0]);
    }

    repeat(time) {
        const [start, end] = this.loop ?? [];
        if (this.loop && this.isPlaying && (time >= end || time < start - 0.5)) this.seek(start);
    }

    get rate() {
        return this.surfer.getPlaybackRate();
    }

    set rate(rate) {
        this.surfer.setPlaybackRate(rate, true);
    }

    set isFollowing(isOn) {
        this.surfer.setOptions({ autoScroll: isOn });
    }

    get isFollowing() {
        return this.surfer.options.autoScroll;
    }

    /** Show `scale` px per second; what is at `time` stays where it is. */
    zoom(scale, time = this.time) {
        const before = time * this.pixelsPerSecond - this.surfer.getScroll();
        this.scale = Math.min(Math.max(scale, this.width / this.seconds), CLOSEST, WIDEST / this.seconds);
        this.surfer.zoom(this.scale);
        this.surfer.setScroll(time * this.pixelsPerSecond - before);
    }

    /** One step in (1) or out (-1). */
    zoomStep(direction, time) {
        this.zoom(this.pixelsPerSecond * ZOOM_STEP ** direction, time);
    }

    zoomOut() {
        this.zoom(0);
    }

    /** Scroll so that these times are seen, if they are not. */
    reveal(start, end) {
        const [from, to] = this.view;
        if (start >= from && end <= to) return;
        const margin = Math.max(0, (to - from - (end - start)) / 2);
        this.surfer.setScroll((start - margin) * this.pixelsPerSecond);
    }

    wheel(event) {
        if (event.altKey || event.ctrlKey) {
            event.preventDefault();
            this.zoomStep(-Math.sign(event.deltaY || event.deltaX), this.timeAt(event.clientX));
        } else if (!event.deltaX) {
            event.preventDefault();
            this.surfer.setScroll(this.surfer.getScroll() + event.deltaY);
        }
    }

    /** The same sound under another name. */
    rename(token) {
        const { time } = this;
        this.audio.src = audioUrl(token);
        this.audio.currentTime = time;
    }

    close() {
        this.surfer.destroy();
        this.audio.pause();
        this.audio.removeAttribute("src");
        this.audio.load();
    }
}
