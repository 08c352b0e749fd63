"""A still face says something: the whole way against a fake that keeps to D-ID's published contract."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import did_fake
import numpy as np
import portrait_clip
import pytest
import torch
from did_client import Watcher, account
from did_fake import Answer, FakeDID
from lipsync_studio.pipelines.cloud.did_values import SpokenText, TalkOptions
from lipsync_studio.pipelines.core.errors import InputError, MediaError
from lipsync_studio.pipelines.core.types import AudioClip
from lipsync_studio.pipelines.media.decode import open_video
from lipsync_studio.pipelines.media.image_picture import ImageClip
from lipsync_studio.pipelines.portrait import FIRST_FRAME_ONLY, Wish, fingerprint, first_frame, talking_portrait
from PIL import Image


@pytest.fixture
def did(tmp_path: Path) -> Iterator[FakeDID]:
    clip = portrait_clip.write(tmp_path / "source.mp4", 400, side=32, sound_seconds=0.2)  # 16 s: billed as 30
    with did_fake.running(clip.read_bytes()) as fake:
        yield fake
    assert fake.breaches == []


def images(count: int = 1, channels: int = 3, side: int = 16) -> ImageClip:
    ramp = torch.linspace(0, 1, side).expand(count, side, side)
    return ImageClip(torch.stack([ramp, 1 - ramp, *[torch.full_like(ramp, 0.5)] * (channels - 2)], -1), Fraction(25))


def speech(seconds: float = 0.5, level: float = 0.1) -> AudioClip:
    return AudioClip(np.full((1, round(seconds * 16000)), level, np.float32), 16000)


WISH = Wish(images(), speech(), TalkOptions(), "keep all")
TEXT = SpokenText("Hello.", "google", "")


def test_the_whole_way(did: FakeDID, tmp_path: Path) -> None:
    report = talking_portrait(WISH, account(did, tmp_path), tmp_path / "talk.mp4", Watcher())
    assert open_video(tmp_path / "talk.mp4").width == 32
    assert json.loads(report.to_json()) == {
        "id": "tlk_0-x",
        "seconds": 16.0,
        "billed_seconds": 30,
        "credits_before": 20,
        "credits_after": 19,
        "bought": True,
        "notes": [],
    }
    with Image.open(io.BytesIO(did.uploads["img_0"])) as sent:
        assert sent.size == (16, 16)
        red = np.asarray(sent, int)[8, :, 0]
    assert np.abs(red - np.linspace(0, 255, 16)).max() < 12
    again = talking_portrait(WISH, account(did, tmp_path), tmp_path / "again.mp4", Watcher())
    assert (again.bought, again.credits_before, did.count("POST /talks")) == (False, 20, 1)
    assert "not bought again" in again.notes[0]


def test_only_the_first_frame_of_a_video_is_sent(did: FakeDID, tmp_path: Path) -> None:
    clip = open_video(portrait_clip.write(tmp_path / "clip.mp4", 10, side=64))
    report = talking_portrait(replace(WISH, source=clip), account(did, tmp_path), tmp_path / "t.mp4", Watcher())
    assert report.notes == (FIRST_FRAME_ONLY,)
    with Image.open(io.BytesIO(did.uploads["img_0"])) as sent:
        difference = np.asarray(sent, int) - portrait_clip.picture(0, 64, False)
    assert np.abs(difference).mean() < 6


def test_an_alpha_channel_is_left_out() -> None:
    assert first_frame(images(channels=4)).shape == (16, 16, 3)


@pytest.mark.parametrize(
    "wish",
    [
        replace(WISH, source=ImageClip(torch.full((1, 8, 8, 3), torch.nan), Fraction(25))),
        replace(WISH, sound=speech(601)),
    ],
    ids=["NaN", "too long"],
)
def test_nothing_is_sent_when_something_is_wrong(did: FakeDID, tmp_path: Path, wish: Wish) -> None:
    with pytest.raises(InputError):
        talking_portrait(wish, account(did, tmp_path), tmp_path / "talk.mp4", Watcher())
    assert did.asked == []


def test_a_result_that_cannot_be_played_is_not_deleted_at_d_id(did: FakeDID, tmp_path: Path) -> None:
    did.on("GET /results/{id}", Answer(200, body=b"not a film", headers={"Content-Type": "video/mp4"}))
    us, wish = account(did, tmp_path), replace(WISH, afterwards="delete all")
    with pytest.raises(MediaError):
        talking_portrait(wish, us, tmp_path / "talk.mp4", Watcher())
    report = talking_portrait(wish, us, tmp_path / "talk.mp4", Watcher())
    assert (report.bought, did.count("POST /talks"), did.talks) == (False, 1, {})


def test_the_talk_is_deleted_last(did: FakeDID, tmp_path: Path) -> None:
    """What comes after it could be stopped, and the result would be lost."""
    us = account(did, tmp_path)
    report = talking_portrait(replace(WISH, afterwards="delete all"), us, tmp_path / "talk.mp4", Watcher())
    assert (did.calls()[-1], did.talks, report.credits_after) == ("DELETE /talks/{id}", {}, 19)


def test_credits_that_are_not_told_afterwards(did: FakeDID, tmp_path: Path) -> None:
    did.on("GET /credits", *[did_fake.error(404, "NotFoundError", "not found")] * 2)
    report = talking_portrait(WISH, account(did, tmp_path), tmp_path / "talk.mp4", Watcher())
    assert (report.credits_before, report.credits_after) == (None, None)


def test_only_what_changes_the_talk_changes_its_fingerprint() -> None:
    def mark(wish: Wish, service: str = "https://api.d-id.com") -> str:
        return fingerprint(wish, first_frame(wish.source), service)

    same = [replace(WISH, source=images()), replace(WISH, source=images(3)), replace(WISH, afterwards="delete all")]
    assert {mark(wish) for wish in same} == {mark(WISH)}
    others = [
        replace(WISH, source=images(side=17)),
        replace(WISH, sound=speech(0.6)),
        replace(WISH, sound=speech(0.5, 0.2)),
        replace(WISH, sound=replace(speech(), rate=8000)),
        replace(WISH, sound=TEXT),
        replace(WISH, sound=replace(TEXT, text="Hello!")),
        replace(WISH, sound=replace(TEXT, voice="other")),
        replace(WISH, options=TalkOptions(stitch=False)),
        replace(WISH, options=TalkOptions(result_format="mov")),
        replace(WISH, run_again=1),
    ]
    marks = {mark(wish) for wish in [WISH, *others]} | {mark(WISH, "http://127.0.0.1:1")}
    assert len(marks) == len(others) + 2
