"""Downloads from a real server that speaks the hub's protocol, and everything that goes wrong on the way."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock
from hub_fake import TOKEN, FakeHub, Trouble
from lipsync_studio.pipelines.weights.download import DownloadError, Hub, SourceError, Stage, download
from lipsync_studio.pipelines.weights.weight_file import Source, WeightFile
from sample_weights import CONTENT, MIB, MIRROR, PATH, REPO, weight_file

PACK = Path(__file__).resolve().parents[2]


class StopError(Exception):
    """What a test raises to end a download."""


def quiet(stage: Stage, done: int, total: int) -> None:
    pass


def stop_at(size: int) -> Callable[[Stage, int, int], None]:
    def progress(stage: Stage, done: int, total: int) -> None:
        if done >= size:
            raise StopError

    return progress


def once(hub: FakeHub) -> Hub:
    """Asked once: what fails is not asked again after a pause."""
    return Hub(hub.url, pauses=())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "models" / "deeper" / "net.pth"


def part(path: Path) -> Path:
    return path.with_name("net.pth.part")


def test_it_comes_whole_and_leaves_nothing_else(hub: FakeHub, path: Path) -> None:
    news: list[tuple[Stage, int, int]] = []
    download(weight_file(), path, lambda *told: news.append(told), once(hub))
    assert path.read_bytes() == CONTENT
    assert [file.name for file in path.parent.iterdir()] == ["net.pth"]
    for stage in ("downloading", "checking"):
        amounts = [done for told, done, _ in news if told == stage]
        assert amounts == sorted(amounts)
        assert (amounts[0], amounts[-1]) == (0, len(CONTENT))
    assert {total for _, _, total in news} == {len(CONTENT)}


def test_a_token_goes_to_the_hub_and_never_to_its_store(hub: FakeHub, path: Path) -> None:
    download(weight_file(), path, quiet, once(hub))
    by_store = {asked[1].startswith("/store/"): asked[3] for asked in hub.asked}
    assert by_store == {False: f"Bearer {TOKEN}", True: ""}


def test_a_connection_that_breaks_is_taken_up_where_it_broke(hub: FakeHub, path: Path) -> None:
    hub.on[REPO, PATH], hub.cut_at, hub.times = "cut", 21 * MIB, 1
    download(weight_file(), path, quiet, once(hub))
    assert hub.transfers() == ["", f"bytes={20 * MIB}-"]
    assert path.read_bytes() == CONTENT


def test_what_came_before_an_end_is_gone_on_with(hub: FakeHub, path: Path) -> None:
    with pytest.raises(StopError):
        download(weight_file(), path, stop_at(10 * MIB), once(hub))
    assert not path.exists()
    assert part(path).read_bytes() == CONTENT[: 10 * MIB]
    download(weight_file(), path, quiet, once(hub))
    assert hub.transfers() == ["", f"bytes={10 * MIB}-"]
    assert path.read_bytes() == CONTENT


def test_a_server_without_ranges_sends_it_all_again(hub: FakeHub, path: Path) -> None:
    with pytest.raises(StopError):
        download(weight_file(), path, stop_at(10 * MIB), once(hub))
    hub.on[REPO, PATH] = "no ranges"
    download(weight_file(), path, quiet, once(hub))
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("trouble", "got", "next_step"),
    [
        ("gated", "gated", f"Accept them at https://huggingface.co/{REPO}, then set HF_TOKEN"),
        ("no repository", "no such repository at 127.0.0.1", "Update LipSync Studio"),
        ("no entry", "no such file at 127.0.0.1", "Update LipSync Studio"),
        ("unavailable", "HTTP 503", "it goes on where it stopped"),
        ("altered", "other bytes, which were thrown away", "Update LipSync Studio"),
        ("too long", "more bytes", "Update LipSync Studio"),
        ("retagged", "tagged 000000000000", "Update LipSync Studio"),
    ],
)
def test_a_refusal_says_what_to_do(hub: FakeHub, path: Path, trouble: Trouble, got: str, next_step: str) -> None:
    hub.on[REPO, PATH] = trouble
    with pytest.raises(SourceError) as raised:
        download(weight_file(), path, quiet, once(hub))
    assert got in raised.value.got
    assert next_step in raised.value.next_step
    assert TOKEN not in str(raised.value)
    assert list(path.parent.iterdir()) == []


def test_a_file_that_is_announced_as_another_is_not_fetched(hub: FakeHub, path: Path) -> None:
    hub.on[REPO, PATH] = "retagged"
    with pytest.raises(SourceError):
        download(weight_file(), path, quiet, once(hub))
    assert hub.transfers() == []


def test_a_connection_that_always_breaks_is_given_up_and_what_came_is_kept(hub: FakeHub, path: Path) -> None:
    hub.on[REPO, PATH], hub.cut_at = "cut", 11 * MIB
    with pytest.raises(SourceError, match="fails or breaks off"):
        download(weight_file(), path, quiet, once(hub))
    assert part(path).read_bytes() == CONTENT[: 10 * MIB]


def test_an_answer_that_fails_is_asked_for_again(hub: FakeHub, path: Path) -> None:
    hub.on[REPO, PATH], hub.times = "unavailable", 2
    download(weight_file(), path, quiet, Hub(hub.url, pauses=(0.0, 0.0, 0.0)))
    assert path.read_bytes() == CONTENT


def test_nobody_there(hub: FakeHub, path: Path) -> None:
    with pytest.raises(SourceError, match=r"fails or breaks off.*HF_ENDPOINT"):
        download(weight_file(), path, quiet, Hub("http://127.0.0.1:9", pauses=()))


def test_an_address_that_is_none_is_not_tried(path: Path) -> None:
    endpoint = "someone:secret@hf-mirror.com"
    with pytest.raises(DownloadError, match="begin with https://") as raised:
        download(weight_file(), path, quiet, Hub(endpoint))
    assert "secret" not in str(raised.value)
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("trouble", ["gated", "no entry", "altered", "too long", "retagged"])
def test_a_mirror_has_it_when_the_first_has_not(hub: FakeHub, path: Path, trouble: Trouble) -> None:
    hub.on[REPO, PATH] = trouble
    hub.put(MIRROR, "net.pth", CONTENT)
    download(weight_file(mirrors=(Source(MIRROR, "net.pth"),)), path, quiet, once(hub))
    assert path.read_bytes() == CONTENT


def test_when_no_mirror_has_it_the_first_refusal_counts(hub: FakeHub, path: Path) -> None:
    hub.on[REPO, PATH] = "gated"
    with pytest.raises(SourceError, match="gated"):
        download(weight_file(mirrors=(Source(MIRROR, "net.pth"),)), path, quiet, once(hub))


@pytest.mark.parametrize(
    "leftover", [bytes(MIB), CONTENT[:-1] + b"?", CONTENT + b"?"], ids=["another start", "another end", "too long"]
)
def test_a_bad_leftover_is_thrown_away(hub: FakeHub, path: Path, leftover: bytes) -> None:
    path.parent.mkdir(parents=True)
    part(path).write_bytes(leftover)
    download(weight_file(), path, quiet, once(hub))
    assert path.read_bytes() == CONTENT


def test_a_whole_leftover_needs_no_transfer(hub: FakeHub, path: Path) -> None:
    path.parent.mkdir(parents=True)
    part(path).write_bytes(CONTENT)
    download(weight_file(), path, quiet, once(hub))
    assert path.read_bytes() == CONTENT
    assert hub.asked == []


def test_a_file_larger_than_the_disk_is_not_asked_for(hub: FakeHub, path: Path) -> None:
    with pytest.raises(DownloadError, match="of free disk space"):
        download(replace(weight_file(), size=10**18), path, quiet, once(hub))
    assert hub.asked == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of a process's files")
def test_a_disk_that_fills_up_ends_it_and_what_came_is_gone_on_with(hub: FakeHub, path: Path) -> None:
    """A process that may not write files beyond 15 MiB stands for the disk; it says no in the middle of a piece."""
    program = f"""
import resource, sys
from pathlib import Path
sys.path.insert(0, {str(PACK)!r})
from pipelines.weights.download import DownloadError, Hub, download
from pipelines.weights.weight_file import WeightFile
resource.setrlimit(resource.RLIMIT_FSIZE, ({15 * MIB}, {15 * MIB}))
file = WeightFile("a test network", {REPO!r}, {PATH!r}, {len(CONTENT)}, {weight_file().sha256!r}, "none", "checkpoints")
try:
    download(file, Path({str(path)!r}), lambda *told: None, Hub({hub.url!r}, ()))
except DownloadError as error:
    sys.exit("refused: " + str(error))
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert "got a full disk. Free some space" in run.stderr
    assert part(path).read_bytes() == CONTENT[: 15 * MIB]
    download(weight_file(), path, quiet, once(hub))
    assert hub.transfers()[-1] == f"bytes={15 * MIB}-"
    assert path.read_bytes() == CONTENT


def test_a_folder_that_cannot_be_written(hub: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file where the folder should be")
    with pytest.raises(DownloadError, match="a models folder that can be written"):
        download(weight_file(), tmp_path / "models" / "net.pth", quiet, once(hub))


def test_a_file_that_is_there_is_not_overwritten(hub: FakeHub, path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"mine")
    with pytest.raises(DownloadError, match="nothing is overwritten"):
        download(weight_file(), path, quiet, once(hub))
    assert path.read_bytes() == b"mine"
    assert hub.asked == []


def test_a_file_that_comes_meanwhile_is_not_overwritten(hub: FakeHub, path: Path) -> None:
    def put_another(stage: Stage, done: int, total: int) -> None:
        path.write_bytes(b"mine")

    with pytest.raises(DownloadError, match="nothing is overwritten"):
        download(weight_file(), path, put_another, once(hub))
    assert path.read_bytes() == b"mine"
    assert part(path).read_bytes() == CONTENT


def test_two_downloads_of_one_file_do_not_mix(hub: FakeHub, path: Path) -> None:
    path.parent.mkdir(parents=True)
    with FileLock(path.with_name("net.pth.lock")), pytest.raises(DownloadError, match="another download of it"):
        download(weight_file(), path, quiet, once(hub))


def test_a_small_file_with_gits_own_tag_comes_too(hub: FakeHub, path: Path) -> None:
    hub.put(REPO, "tokenizer.json", b"{}")
    small: WeightFile = weight_file(b"{}", "tokenizer.json")
    download(small, path, quiet, once(hub))
    assert path.read_bytes() == b"{}"
