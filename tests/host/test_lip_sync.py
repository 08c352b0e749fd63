"""Our nodes in a real ComfyUI, over POST /prompt: frames, times, sound, masks, caching."""

from __future__ import annotations

import json
import shutil
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import portrait_clip
import pytest
from client import Result
from draft_graphs import WIDGETS, faces_graph, frame_times, pixels, report_of, saved, video_graph
from host import Server


def test_a_clip_with_cutaways_keeps_every_frame_in_its_place(comfyui: Server, clip: str, speech: str) -> None:
    result = comfyui.run(video_graph(clip, speech, crf=8))
    path = saved(comfyui, result)
    assert frame_times(path) == frame_times(comfyui.input / clip)
    fates = [(run["first"], run["last"], run["fate"]) for run in report_of(result)["runs"]]
    assert fates == [
        (0, 4, "synced"),
        (5, 10, "no face"),
        (11, 13, "synced"),
        (14, 14, "synced, face bridged"),
        (15, 19, "synced"),
    ]
    change = np.abs(pixels(path) - pixels(comfyui.input / clip)).mean(axis=(1, 2, 3))
    assert change[5:11].max() < 2.0  # what the encoder loses at crf 8
    assert np.abs(pixels(path)[:, :60] - pixels(comfyui.input / clip)[:, :60]).mean() < 2.0  # above the mouth


def test_a_missing_temp_folder_is_made(comfyui: Server, clip: str, speech: str) -> None:
    """ComfyUI deletes it when it starts, and makes it only for its own nodes."""
    shutil.rmtree(comfyui.temp)
    assert saved(comfyui, comfyui.run(video_graph(clip, speech, crf=30))).stat().st_size > 0


def test_the_sound_is_what_was_given(comfyui: Server, clip: str) -> None:
    portrait_clip.write_speech(comfyui.input / "stereo.wav", 0.8, rate=22050, channels=2)
    with av.open(str(saved(comfyui, comfyui.run(video_graph(clip, "stereo.wav"))))) as container:
        (track,) = container.streams.audio
        assert (track.rate, track.channels, track.codec_context.name) == (22050, 2, "aac")


def test_the_videos_own_sound_is_copied_packet_by_packet(comfyui: Server, clip: str, speech: str) -> None:
    path = saved(comfyui, comfyui.run(video_graph(clip, speech, sound="the video's own")))

    def sound_of(file: Path) -> list[bytes]:
        with av.open(str(file)) as container:
            return [bytes(packet) for packet in container.demux(audio=0) if packet.size]

    assert sound_of(path) == sound_of(comfyui.input / clip)


def test_another_soundtrack_is_heard_and_the_lips_follow_the_audio(comfyui: Server, clip: str, speech: str) -> None:
    portrait_clip.write_speech(comfyui.input / "mix.wav", 1.0, rate=22050, channels=2)
    graph = video_graph(clip, speech)
    graph["mix"] = {"class_type": "LoadAudio", "inputs": {"audio": "mix.wav"}}
    graph["sync"]["inputs"]["soundtrack"] = ["mix", 0]
    with av.open(str(saved(comfyui, comfyui.run(graph)))) as container:
        (track,) = container.streams.audio
        assert (track.rate, track.channels) == (22050, 2)


def test_words_tell_where_the_source_s_mouth_comes_back(comfyui: Server, clip: str, speech: str) -> None:
    graph = video_graph(clip, speech, restore_in_silence=True)
    lyrics = "[00:00.60]<00:00.60>late <00:00.80>"  # the first frames are silent by the words, not by loudness
    graph["lyrics"] = {"class_type": "LipSyncReadLyrics", "inputs": {"text": lyrics}}
    graph["sync"]["inputs"]["timings"] = ["lyrics", 0]
    fates = report_of(comfyui.run(graph))["runs"]
    assert fates[0] == {"first": 0, "last": 4, "fate": "kept in silence"}
    assert fates[-1] == {"first": 15, "last": 19, "fate": "synced"}


def test_audio_longer_plays_back_and_forth(comfyui: Server, clip: str) -> None:
    portrait_clip.write_speech(comfyui.input / "long.wav", 1.4)
    result = comfyui.run(video_graph(clip, "long.wav"))
    assert len(frame_times(saved(comfyui, result))) == 35
    assert report_of(result)["counts"] == {"synced": 21, "no face": 12, "synced, face bridged": 2}


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(30000, 1001), Fraction(50), Fraction(60000, 1001)])
def test_frame_rates_come_out_exact(comfyui: Server, speech: str, rate: Fraction) -> None:
    name = portrait_clip.write(comfyui.input / f"rate_{rate.numerator}.mp4", 12, rate=rate, side=192).name
    path = saved(comfyui, comfyui.run(video_graph(name, speech, audio_longer="stop")))
    assert frame_times(path) == [index / rate for index in range(12)]


def test_ten_bits_stay_ten_bits(comfyui: Server, speech: str) -> None:
    name = portrait_clip.write(comfyui.input / "ten_bits.mp4", 12, pixel_format="yuv420p10le").name
    path = saved(comfyui, comfyui.run(video_graph(name, speech, pixel_format="yuv420p10le", audio_longer="stop")))
    with av.open(str(path)) as container:
        assert container.streams.video[0].pix_fmt == "yuv420p10le"
    assert frame_times(path) == frame_times(comfyui.input / name)


def test_a_trimmed_video_is_synced_within_its_window(comfyui: Server, clip: str, speech: str) -> None:
    graph = video_graph(clip, speech, audio_longer="stop")
    graph["trim"] = {
        "class_type": "Video Slice",
        "inputs": {"video": ["clip", 0], "start_time": 0.16, "duration": 0.4, "strict_duration": False},
    }
    graph["sync"]["inputs"]["source"] = ["trim", 0]
    result = comfyui.run(graph)
    assert len(frame_times(saved(comfyui, result))) == 10
    assert [(run["first"], run["last"]) for run in report_of(result)["runs"]] == [(0, 0), (1, 6), (7, 9)]


def test_a_still_image_becomes_a_clip(comfyui: Server, speech: str) -> None:
    graph = video_graph("unused", speech, fps=12.5)
    graph["clip"] = {"class_type": "LoadImage", "inputs": {"image": "astronaut.jpg"}}
    result = comfyui.run(graph)
    assert frame_times(saved(comfyui, result)) == [Fraction(index * 2, 25) for index in range(10)]


def test_images_come_out_untouched_outside_the_mask(comfyui: Server, clip: str, speech: str) -> None:
    """Up to one level of the saved PNGs, in which the mask's faintest edge is rounded to 0."""
    graph = faces_graph(clip, speech, 0)
    graph["images"] = {"class_type": "GetVideoComponents", "inputs": {"video": ["clip", 0]}}
    graph["faces"]["inputs"]["source"] = ["images", 0]
    sampler = {key: WIDGETS[key] for key in ("fps", "audio_longer", "video_longer", "restore_in_silence")}
    graph["sync"] = {
        "class_type": "LipSyncSample",
        "inputs": {"images": ["images", 0], "faces": ["shift", 0], "engine": ["engine", 0], "audio": ["speech", 0]}
        | sampler,
    }
    graph["report"]["inputs"]["source"] = ["sync", 2]
    graph["save"] = {"class_type": "SaveImage", "inputs": {"images": ["sync", 0], "filename_prefix": "synced"}}
    graph["before"] = {"class_type": "SaveImage", "inputs": {"images": ["images", 0], "filename_prefix": "before"}}
    graph["as_image"] = {"class_type": "MaskToImage", "inputs": {"mask": ["sync", 1]}}
    graph["mask"] = {"class_type": "SaveImage", "inputs": {"images": ["as_image", 0], "filename_prefix": "mask"}}
    result = comfyui.run(graph)
    assert result.failure is None, result.failure
    after, before, mask = (_saved_images(comfyui, result, node) for node in ("save", "before", "mask"))
    assert after.shape == before.shape
    assert np.abs(after[mask == 0].astype(int) - before[mask == 0]).max() <= 1
    assert (after[mask > 128] != before[mask > 128]).mean() > 0.2
    assert not mask[5:11].any()
    assert np.array_equal(after[5:11], before[5:11])


def _saved_images(comfyui: Server, result: Result, node: str) -> np.ndarray:
    from PIL import Image

    files = [comfyui.output / file["filename"] for file in result.outputs[node]["images"]]
    return np.stack([np.asarray(Image.open(file).convert("RGB")) for file in files])


def test_changing_the_shift_detects_nothing_again(comfyui: Server, clip: str, speech: str) -> None:
    first = comfyui.run(faces_graph(clip, speech, 0))
    assert first.failure is None, first.failure
    again = comfyui.run(faces_graph(clip, speech, 7))
    assert again.failure is None, again.failure
    assert "faces" in again.cached
    assert set(again.executed) == {"shift", "sync", "save", "report"}


def test_an_unchanged_graph_runs_nothing_again(comfyui: Server, clip: str, speech: str) -> None:
    graph = video_graph(clip, speech, prefix="same")
    assert comfyui.run(graph).failure is None
    assert comfyui.run(graph).executed == ()


def test_a_parsed_mask_needs_its_weights_and_uses_them(comfyui: Server, clip: str, speech: str, shared: Path) -> None:
    graph = video_graph(clip, speech)
    widgets = {"region": "jaw", "left_cheek": 90, "right_cheek": 90, "feather": 0.05}
    graph["parse"] = {"class_type": "LipSyncFaceParsing", "inputs": {"parser": "79999_iter.pth", **widgets}}
    graph["sync"]["inputs"]["parsing"] = ["parse", 0]
    without = comfyui.run(graph)
    assert without.failure is not None
    assert "ManyOtherFunctions/face-parse-bisent" in json.dumps(without.failure.details)
    (comfyui.models / "face_parsing").mkdir(exist_ok=True)
    shutil.copyfile(shared / "weights" / "79999_iter.pth", comfyui.models / "face_parsing" / "79999_iter.pth")
    result = comfyui.run(graph)
    assert saved(comfyui, result).stat().st_size > 0
    assert report_of(result)["counts"] == {"synced": 13, "no face": 6, "synced, face bridged": 1}


def test_a_video_made_of_images_at_a_fractional_rate(comfyui: Server, clip: str, speech: str) -> None:
    graph = video_graph(clip, speech, audio_longer="stop")
    graph["frames"] = {"class_type": "GetVideoComponents", "inputs": {"video": ["clip", 0]}}
    graph["made"] = {"class_type": "CreateVideo", "inputs": {"images": ["frames", 0], "fps": 29.97}}
    graph["sync"]["inputs"]["source"] = ["made", 0]
    path = saved(comfyui, comfyui.run(graph))
    assert frame_times(path) == [index * Fraction(1001, 30000) for index in range(20)]
