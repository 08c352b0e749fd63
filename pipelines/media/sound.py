"""The sound of a result: new samples as AAC, or the source's own packets; and sound read back from files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import av
import av.error
import numpy as np
from av.container import InputContainer, OutputContainer
from numpy.typing import NDArray

from ..core.errors import InputError, MediaError
from ..core.types import AudioClip
from .container import Source, audio_stream, decoded_sound, name_of, opened, packets, tick_of

# Sampling frequencies and channel configurations of ISO/IEC 14496-3, 1.6.3; the layouts by FFmpeg's names.
AAC_RATES = (7350, 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
AAC_LAYOUTS = ("mono", "stereo", "3.0", "4.0", "5.0", "5.1", "6.1", "7.1")

# What MP4 holds and common players play.
COPIED_CODECS = frozenset({"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"})

# Each packet of these holds the same number of samples.
_STEADY_CODECS = frozenset({"aac", "mp3", "ac3"})

# Clocks of containers are coarse; sound that seems off by less is contiguous.
_JITTER_SECONDS = 0.05
# Decoders of sound need what came a little before to be right.
_PREROLL_SECONDS = 1.0


@dataclass(frozen=True)
class SourceSound:
    """The sound of a video file as it is. start: second of the file that becomes 0 in the result. end: second at which
    the trimmed video ends; None: with the file."""

    source: Source
    start: Fraction = Fraction(0)
    end: Fraction | None = None


@dataclass(frozen=True)
class SoundTrack:
    """A sound stream of an output file. packets: in time order, to be muxed beside the pictures."""

    packets: Iterator[av.Packet]
    notes: tuple[str, ...] = ()


def attach(
    output: OutputContainer, sound: AudioClip | SourceSound, seconds: float, kbps: int, open_files: ExitStack
) -> SoundTrack:
    """Add a sound stream of at most `seconds` to `output`, before its header is written.

    New samples become AAC at their own rate and channels where AAC has them. A file that has to stay open until the
    last packet goes onto `open_files`.
    """
    if isinstance(sound, AudioClip):
        rate, layout, notes = aac_form(sound.rate, len(sound.samples))
        encoded = _encoded(output, _sliced(sound, layout, seconds), rate, layout, kbps)
        return SoundTrack(encoded, notes)
    return _attach_source(output, sound, seconds, kbps, open_files)


def _attach_source(
    output: OutputContainer, sound: SourceSound, seconds: float, kbps: int, open_files: ExitStack
) -> SoundTrack:
    if sound.end is not None:
        seconds = min(seconds, float(sound.end - sound.start))
    container = open_files.enter_context(opened(sound.source))
    stream = audio_stream(container)
    if stream is None:
        raise MediaError(
            expected="a source video with sound",
            got=f"{name_of(sound.source)}, which has none that can be read",
            next_step="Connect an AUDIO instead.",
        )
    _seek(container, stream, sound.start)
    if stream.codec_context.codec.canonical_name in COPIED_CODECS:
        return SoundTrack(_copied(output, container, stream, sound.start, seconds))
    rate, layout, notes = aac_form(stream.rate, stream.codec_context.channels)
    name = stream.codec_context.codec.canonical_name
    notes = (f"MP4 cannot hold the source's {name} sound; encoded as AAC.", *notes)
    frames = _as_frames(samples(container, stream, sound.start, seconds), stream.rate, layout)
    return SoundTrack(_encoded(output, frames, rate, layout, kbps), notes)


def read_audio(source: Source, start: float = 0, duration: float = 0) -> AudioClip:
    """The first sound stream of a file from `start` on, at its own rate and channels (seconds; duration 0: to the end).

    Holds all of it in memory. Raises MediaError when there is none.
    """
    with opened(source) as container:
        stream = audio_stream(container)
        pieces: list[NDArray[np.float32]] = []
        if stream is not None:
            begin = Fraction(start).limit_denominator(1_000_000)
            _seek(container, stream, begin)
            pieces = list(samples(container, stream, begin, duration or None))
        if stream is None or not pieces:
            raise MediaError(
                expected="a file with sound",
                got=f"{name_of(source)}, which has none in the wanted part",
                next_step="Choose another file or another part of it.",
            )
        return AudioClip(np.concatenate(pieces, axis=1), stream.rate)


def read_source_sound(sound: SourceSound) -> AudioClip:
    """The sound of a video file, from where its trimmed part begins to where that ends; as `read_audio`."""
    return read_audio(sound.source, float(sound.start), float(sound.end - sound.start) if sound.end is not None else 0)


def aac_form(rate: int, channels: int) -> tuple[int, str, tuple[str, ...]]:
    """(rate, layout, notes) that AAC has for sound of `rate` Hz: the next rate up, at most 8 channels."""
    notes = []
    possible = next((known for known in AAC_RATES if known >= rate), AAC_RATES[-1])
    if possible != rate:
        notes.append(f"AAC has no {rate} Hz; the sound is resampled to {possible} Hz.")
    if channels > len(AAC_LAYOUTS):
        notes.append(f"AAC has at most 8 channels; of {channels}, the mean is written as mono.")
        return possible, "mono", tuple(notes)
    return possible, AAC_LAYOUTS[channels - 1], tuple(notes)


def _sliced(clip: AudioClip, layout: str, seconds: float) -> Iterator[av.AudioFrame]:
    """The clip up to `seconds` in frames of a second, so that an hour of it is never copied at once."""
    stop = min(clip.samples.shape[1], round(seconds * clip.rate))
    pieces = (clip.samples[:, at : min(at + clip.rate, stop)] for at in range(0, stop, clip.rate))
    return _as_frames(pieces, clip.rate, layout)


def _as_frames(pieces: Iterable[NDArray[np.float32]], rate: int, layout: str) -> Iterator[av.AudioFrame]:
    """Frames of interleaved samples: PyAV miscounts the planes of eight channels."""
    at = 0
    for piece in pieces:
        if not np.isfinite(piece).all():
            raise InputError(
                expected="audio samples that are finite numbers",
                got=f"NaN or infinity near second {at / rate:.1f}",
                next_step="Check the node that makes the AUDIO.",
            )
        if layout == "mono" and len(piece) > 1:
            piece = piece.mean(axis=0, keepdims=True)
        frame = av.AudioFrame.from_ndarray(piece.T.reshape(1, -1), format="flt", layout=layout)
        frame.sample_rate = rate
        frame.time_base = Fraction(1, rate)
        frame.pts = at
        at += piece.shape[1]
        yield frame


def _encoded(
    output: OutputContainer, frames: Iterator[av.AudioFrame], rate: int, layout: str, kbps: int
) -> Iterator[av.Packet]:
    """Adds the AAC stream at once; encodes as the packets are asked for."""
    stream = output.add_stream("aac", rate=rate, layout=layout, bit_rate=1000 * kbps)
    resampler = av.AudioResampler("fltp", layout, rate)

    def run() -> Iterator[av.Packet]:
        for frame in frames:
            for resampled in resampler.resample(frame):
                yield from stream.encode(resampled)
        for resampled in resampler.resample(None):
            yield from stream.encode(resampled)
        yield from stream.encode(None)

    return run()


def _copied(
    output: OutputContainer, container: InputContainer, stream: av.AudioStream, start: Fraction, seconds: float
) -> Iterator[av.Packet]:
    """Adds a stream like the source's at once. The bytes of the packets stay as they are; only their times move.

    One packet more than needed leads in, at a time before 0, because each AAC packet is decoded with the one before it;
    MP4's edit list hides it.
    """
    copy = output.add_stream_from_template(stream)

    def run() -> Iterator[av.Packet]:
        before: list[av.Packet] = []
        for packet in _contiguous(packets(container, stream), stream):
            begins = cast(int, packet.pts) - round(start / packet.time_base)
            if begins * packet.time_base >= seconds:
                break
            packet.pts = packet.dts = begins
            packet.stream = copy
            before.append(packet)
            if begins + (packet.duration or 0) > 0:
                yield from before[-2:]
                before = []
            else:
                before = before[-1:]

    return run()


def _contiguous(found: Iterator[av.Packet], stream: av.AudioStream) -> Iterator[av.Packet]:
    """Packets with a time. Where the container's clock is too coarse for samples (Matroska's milliseconds), they are
    timed by the samples they hold, so that the copy has no rounding to trip over."""
    rate, held = stream.rate, stream.codec_context.frame_size
    steady = stream.codec_context.codec.canonical_name in _STEADY_CODECS and held > 0
    coarse = tick_of(stream) > Fraction(1, rate)
    due: int | None = None
    for packet in found:
        if packet.pts is None or packet.size == 0:
            continue
        if steady and coarse:
            at = round(packet.pts * packet.time_base * rate)
            if due is not None and abs(at - due) <= _JITTER_SECONDS * rate:
                at = due
            packet.pts, packet.duration, packet.time_base = at, held, Fraction(1, rate)
            due = at + held
        yield packet


def _seek(container: InputContainer, stream: av.AudioStream, start: Fraction) -> None:
    """Go near `start`, at least the pre-roll before it; a container that cannot seek is read from its beginning."""
    if start <= 2 * _PREROLL_SECONDS:
        return
    try:
        container.seek(int((float(start) - _PREROLL_SECONDS) / tick_of(stream)), stream=stream)
    except (av.error.FFmpegError, OSError):
        return


def samples(
    container: InputContainer, stream: av.AudioStream, start: Fraction, seconds: float | None
) -> Iterator[NDArray[np.float32]]:
    """float32 [channels, n] pieces without gaps, from exactly `start` on; silence where the file has none."""
    rate = stream.rate
    stop = None if seconds is None else round(seconds * rate)
    done = 0
    for at, piece in _placed(container, stream, start):
        ahead = at - done
        if done == 0 or abs(ahead) > _JITTER_SECONDS * rate:
            piece = piece[:, max(-ahead, 0) :]
            if ahead > 0:
                piece = np.concatenate([np.zeros((len(piece), ahead), np.float32), piece], axis=1)
        if stop is not None:
            piece = piece[:, : stop - done]
        done += piece.shape[1]
        if piece.shape[1] > 0:
            yield piece
        if done == stop:
            return


def _placed(
    container: InputContainer, stream: av.AudioStream, start: Fraction
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """(sample number counted from `start`, samples) as they come out of the decoder."""
    resampler = av.AudioResampler("flt", stream.layout, stream.rate)
    at = 0
    for packet, is_last in _with_last(packets(container, stream)):
        # The last AAC packet is decoded in full; how much of it is sound, its duration tells.
        cut = packet.duration if is_last and packet.duration and tick_of(stream) == Fraction(1, stream.rate) else None
        for frame in decoded_sound(packet):
            for piece in resampler.resample(frame):
                if piece.pts is not None and piece.time_base is not None:
                    at = round((piece.pts * piece.time_base - start) * stream.rate)
                samples = piece.to_ndarray().astype(np.float32, copy=False).reshape(-1, piece.layout.nb_channels).T
                yield at, samples[:, :cut]
                at += samples.shape[1]


def _with_last(found: Iterator[av.Packet]) -> Iterator[tuple[av.Packet, bool]]:
    """Each packet, and whether only the empty one that drains the decoder follows."""
    waiting = next(found, None)
    while waiting is not None:
        following = next(found, None)
        yield waiting, following is not None and following.size == 0
        waiting = following
