"""Edits of Edit Timestamps are saved in the workflow, reach its runs, and are never used for something else unasked."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from client import Graph
from draft_graphs import message_of
from host import Server
from timestamps_page import (
    LRC,
    SPEECH,
    WORDS,
    chip,
    close_editor,
    drag,
    edit_graph,
    load,
    near,
    open_editor,
    per_pixel,
    run,
    saved,
    times,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

NODES_2 = "Comfy.VueNodes.Enabled"


@pytest.fixture(params=[False, True], ids=["canvas", "Nodes 2.0"])
def kind(comfyui: Server, request: pytest.FixtureRequest) -> Iterator[bool]:
    """Whether nodes are Nodes 2.0."""
    yield request.param
    comfyui.post("/settings", {NODES_2: False})


@pytest.fixture(scope="session")
def other_speech(comfyui: Server) -> str:
    """The same speech without its first half second."""
    with av.open(str(comfyui.input / SPEECH)) as container:
        rate = container.streams.audio[0].rate
        samples = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)
    with av.open(str(comfyui.input / "other.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples[:1, rate // 2 :].astype(np.int16), "s16", "mono")
        frame.sample_rate = rate
        container.mux([*stream.encode(frame), *stream.encode(None)])
    return "other.wav"


def test_edits_reach_the_run_and_are_found_again(editor: Page, comfyui: Server, kind: bool) -> None:
    editor.evaluate(f"on => app.extensionManager.setting.set('{NODES_2}', on)", kind)
    load(editor, edit_graph())
    run(editor, "Not edited.")
    open_editor(editor)
    assert editor.locator(".ls-chip").all_inner_texts() == WORDS
    editor.keyboard.press("n")  # no snapping
    drag(editor, 1.5, 1.7)
    # A pixel is 5 ms here: the pointer's whole pixels, and nothing else, are between 1.7 s and what it became.
    step = per_pixel(editor)
    assert near(times(editor)[:3], [[1, 1.7], [1.7, 2], [2, 2.5]], 1.5 * step), "a drag moves the shared edge"
    edited = times(editor)
    editor.keyboard.press("Control+z")
    assert saved(editor) == {}, "undone, there is nothing to save"
    editor.keyboard.press("Control+Shift+z")
    assert times(editor) == edited, "redone"
    assert editor.evaluate("app.graph.nodes.length") == 4, "ComfyUI's own undo has not heard the keys"
    close_editor(editor)
    run(editor, "Edited.")
    editor.wait_for_timeout(500)
    workflow = editor.evaluate("app.graph.serialize()")
    asked = editor.evaluate("async () => (await app.graphToPrompt()).output")
    assert list(asked["3"]["inputs"]) == ["fps", "when_changed", "edits", "audio", "timings"]

    editor.evaluate("app.graph.clear()")
    editor.evaluate("graph => app.loadGraphData(graph)", workflow)
    editor.get_by_text("Edited. Run the graph once to open the editor.").wait_for(state="attached")
    run(editor, "Edited.")
    editor.locator(".ls-panel button:enabled", has_text="Open editor").wait_for(state="attached")
    open_editor(editor)
    chip(editor, "one").click()
    assert editor.get_by_label("End", exact=True).input_value() == f"0:0{edited[0][1]:.3f}", "found again"
    editor.keyboard.press("Control+z")
    assert times(editor) == edited, "an undo too many does not go back behind what was saved"
    editor.get_by_role("button", name="Start over").click()
    assert saved(editor) == {}, "back to what the graph gives"
    editor.keyboard.press("Control+z")
    assert times(editor) == edited, "and that can be undone"
    close_editor(editor)

    result = comfyui.run(asked)
    assert result.failure is None, result.failure
    (path,) = [file for file in result.files() if file["filename"].endswith(".srt")]
    srt = (comfyui.output / path["subfolder"] / path["filename"]).read_text(encoding="utf-8")
    assert srt.startswith("1\n00:00:01,000 --> 00:00:02,500\none two three\n")
    (shown,) = result.outputs["3"]["lipsync_timestamps"]
    assert shown["state"] == "edited"


def test_other_audio_asks_in_the_editor(editor: Page, comfyui: Server, other_speech: str) -> None:
    load(editor, edit_graph())
    run(editor, "Not edited.")
    open_editor(editor)
    chip(editor, "two").click()
    editor.keyboard.press("s")
    mine = saved(editor)
    close_editor(editor)
    editor.evaluate(f"app.graph.getNodeById(1).widgets[0].value = '{other_speech}'")
    run(editor, "The audio has changed since these edits were made.")
    assert saved(editor) == mine, "nothing is overwritten"
    editor.keyboard.press("Escape")
    open_editor(editor)
    assert editor.locator(".ls-chip").all_inner_texts() == WORDS
    editor.keyboard.press("s")
    assert saved(editor) == mine, "nothing can be edited before the question is answered"
    editor.locator(".ls-question").get_by_role("button", name="Keep my edits").click()
    kept = saved(editor)
    assert kept["lines"] == mine["lines"]
    assert kept["edited"]["audio"] != mine["edited"]["audio"], "the edits belong to the other audio now"
    close_editor(editor)
    run(editor, "Edited.")

    editor.evaluate(f"app.graph.getNodeById(1).widgets[0].value = '{SPEECH}'")
    run(editor, "The audio has changed since these edits were made.")
    editor.locator(".ls-panel").get_by_role("button", name="Use the new timings").dispatch_event("click")
    assert saved(editor) == {}
    run(editor, "Not edited.")
    open_editor(editor)
    editor.keyboard.press("Control+z")
    assert saved(editor)["lines"] == kept["lines"], "and that can be undone"


def test_a_run_of_another_workflow_tab_is_not_taken_over(editor: Page, comfyui: Server, other_speech: str) -> None:
    load(editor, edit_graph(edits=edited_by_hand(comfyui)))
    tell = """shown => app.api.dispatchCustomEvent("executed", {
        node: "3", display_node: "3", prompt_id: "another", output: { lipsync_timestamps: [shown] },
    })"""
    for audio, says in {other_speech: "Edited. Run the graph once to open the editor.", SPEECH: "Edited."}.items():
        (shown,) = comfyui.run(edit_graph(audio=audio)).outputs["3"]["lipsync_timestamps"]
        editor.evaluate(tell, shown)
        assert editor.locator(".ls-panel-text").text_content() == says


def edited_by_hand(comfyui: Server) -> str:
    """Edits of `edit_graph`: the first word ends earlier."""
    (shown,) = comfyui.run(edit_graph()).outputs["3"]["lipsync_timestamps"]
    edits = json.loads(shown["timings"])
    edits["lines"][0]["words"][0]["end"] = 1.25
    return json.dumps({**edits, "edited": {"audio": shown["audio"], "base": shown["base"]}})


def end_of_first_word(comfyui: Server, graph: Graph) -> str:
    """As Audacity labels have it."""
    graph["4"]["inputs"]["format"] = "audacity_words"
    result = comfyui.run(graph)
    assert result.failure is None, result.failure
    return str(result.outputs["4"]["text"][0].split("\t")[1])


def test_without_an_editor_a_widget_decides(comfyui: Server, other_speech: str) -> None:
    edits = edited_by_hand(comfyui)
    assert end_of_first_word(comfyui, edit_graph(edits=edits)) == "1.250000"
    assert end_of_first_word(comfyui, edit_graph()) == "1.500000", "without edits they pass through"
    message = message_of(comfyui.run(edit_graph(edits=edits, audio=other_speech)))
    assert "Expected the audio that the edits in this node were made for" in message
    message = message_of(comfyui.run(edit_graph(edits=edits, text=LRC.replace("<00:01.00>", "<00:01.20>"))))
    assert "Expected the timings that the edits" in message
    for choice, expected in {"keep edits": "1.250000", "use new timings": "1.500000"}.items():
        graph = edit_graph(edits=edits, audio=other_speech, when_changed=choice)
        assert end_of_first_word(comfyui, graph) == expected, choice
    assert "none (" in message_of(comfyui.run(edit_graph(edits="broken")))


def test_the_sound_comes_in_parts(comfyui: Server) -> None:
    (shown,) = comfyui.run(edit_graph()).outputs["3"]["lipsync_timestamps"]
    root = f"{comfyui.url}/lipsync_studio/timestamps"
    sound = f"{root}/sound/{shown['token']}"
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def answer(url: str, data: bytes | None = None, **headers: str) -> tuple[int, bytes, str]:
        try:
            with direct.open(urllib.request.Request(url, data, headers)) as response:
                return response.status, response.read(), response.headers.get("Content-Type", "")
        except urllib.error.HTTPError as error:
            return error.code, error.read(), ""

    status, whole, kind = answer(f"{sound}/audio")
    assert (status, kind, whole[:4], len(whole)) == (200, "audio/wav", b"RIFF", 44 + 2 * 113280)
    assert answer(f"{sound}/audio", Range="bytes=100-199")[:2] == (206, whole[100:200])
    assert len(answer(f"{sound}/peaks")[1]) == 2832, "one for each 2.5 ms"
    assert len(answer(f"{sound}/spectrogram")[1]) == 64 * 708
    onsets = np.frombuffer(answer(f"{sound}/onsets")[1], "<f8")
    assert len(onsets) > 5
    assert (np.diff(onsets) > 0.07).all()
    assert {form["id"] for form in json.loads(answer(f"{root}/formats")[1])} >= {
        "lrc",
        "lrc_words",
        "ass",
        "srt",
        "json",
    }
    for part in ("audio", "peaks", "onsets", "spectrogram"):
        status, body, _ = answer(f"{root}/sound/nobody/{part}")
        assert (status, "Run the graph once" in json.loads(body)["error"]) == (404, True)
    status, body, _ = answer(f"{root}/read?name=a.lrc", b"x" * 6_000_000)
    assert (status, "at most 5 MB" in json.loads(body)["error"]) == (400, True)
    status, body, _ = answer(f"{root}/write/mp3", json.dumps({"lines": [{"text": "a", "start": 0, "end": 1}]}).encode())
    assert (status, "one of the formats" in json.loads(body)["error"]) == (400, True)
