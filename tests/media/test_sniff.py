"""What a file is, told by its bytes, and that no format is opened that opens others."""

from __future__ import annotations

from pathlib import Path

import av
import portrait_clip
import pytest
from lipsync_studio.pipelines.core.errors import MediaError
from lipsync_studio.pipelines.media.sniff import Contents, sniff
from PIL import Image


def test_videos_and_sounds(tmp_path: Path) -> None:
    clip = portrait_clip.write(tmp_path / "clip.mp4", 2, side=64, sound_seconds=0.1)
    assert sniff(clip.rename(tmp_path / "clip")) == Contents("moving", True)
    assert sniff(portrait_clip.write(tmp_path / "silent.mkv", 2, side=64)) == Contents("moving", False)
    speech = portrait_clip.write_speech(tmp_path / "speech.wav", 0.1)
    assert sniff(speech.rename(tmp_path / "speech.png")) == Contents("none", True)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "BMP", "TIFF"])
def test_still_pictures(tmp_path: Path, form: str) -> None:
    Image.new("RGB", (32, 32), "red").save(tmp_path / "picture.mp4", format=form)
    assert sniff(tmp_path / "picture.mp4") == Contents("still", False)


def test_the_cover_of_a_song_is_no_picture(tmp_path: Path) -> None:
    Image.new("RGB", (32, 32), "red").save(tmp_path / "cover.png")
    with av.open(str(tmp_path / "cover.png")) as cover, av.open(str(tmp_path / "song.flac"), "w") as song:
        picture = song.add_stream_from_template(cover.streams.video[0])
        picture.disposition = av.stream.Disposition.attached_pic
        track = song.add_stream("flac", rate=16000, layout="mono")
        frame = av.AudioFrame(format="s16", layout="mono", samples=1600)
        frame.planes[0].update(bytes(3200))
        frame.sample_rate = 16000
        packets = [*track.encode(frame), *track.encode(None)]
        (still,) = [packet for packet in cover.demux(video=0) if packet.size]
        still.stream = picture
        song.mux([still, *packets])
    assert sniff(tmp_path / "song.flac") == Contents("none", True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no media at all\n" * 100,
        "ffconcat version 1.0\nfile 'secret.mp4'\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nsecret.mp4\n#EXT-X-ENDLIST\n",
        '<svg xmlns="http://www.w3.org/2000/svg"><image href="secret.png"/></svg>',
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 32\n",
    ],
    ids=["nothing", "text", "concat", "hls", "svg", "sdp"],
)
def test_what_is_no_media_or_names_other_files_is_refused(tmp_path: Path, text: str) -> None:
    portrait_clip.write(tmp_path / "secret.mp4", 2, side=64)
    (tmp_path / "clip.mp4").write_text(text)
    with pytest.raises(MediaError) as refused:
        sniff(tmp_path / "clip.mp4")
    assert str(tmp_path) not in str(refused.value)


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    clip = portrait_clip.write(tmp_path / "clip.mp4", 20, side=64)
    clip.write_bytes(clip.read_bytes()[:-400])  # its index is at the end
    with pytest.raises(MediaError):
        sniff(clip)
