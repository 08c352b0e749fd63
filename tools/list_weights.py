"""Writes docs/weights.md from the catalog of weight files, so that the page cannot go stale.

python tools/list_weights.py               write the file
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

PACK = Path(__file__).resolve().parent.parent
PAGE = PACK / "docs" / "weights.md"

sys.path.append(str(PACK))  # the catalog needs nothing of ComfyUI; at the end, for ComfyUI has a `nodes` of its own

from pipelines.weights.catalog import CATALOG  # noqa: E402
from pipelines.weights.weight_file import WeightFile, shown_size  # noqa: E402

INTRODUCTION = """# Weights

<!-- Written by tools/list_weights.py from pipelines/weights/catalog.py. Change those and run it. -->

Nothing is downloaded unless you ask for it: with the Download buttons of the **LipSync models** panel in ComfyUI's
sidebar, with `python tools/download_models.py` (`--help` lists the names), or by hand: put the file into its folder
under ComfyUI's `models`, or into the folder of that name in `extra_model_paths.yaml`. The first two check the SHA-256.
huggingface_hub also tells the hub the versions of Python and its libraries, and asks it for a list that this needs,
unless `HF_HUB_DISABLE_TELEMETRY=1` is set; `tools/download_models.py` sets it.

*Commercial use* is what the weights' licence says in one word, not legal advice: read the licence.

"""

NOT_USED = """## Not used by any node yet

Known to the catalog, so that they can be told from others and fetched by name. The panel does not offer them.

"""

CORRECTIONS = """## Corrections to the original list

The list of weights that this pack began with was wrong in three of its five entries:

| it said | right is |
|---|---|
| TMElyralab/MuseTalk `pytorch_model.bin`, about 1.5 GB | 3.4 GB in fp32; 1.7 GB would be an fp16 copy. \
It is `musetalk/pytorch_model.bin`, MuseTalk 1.0; MuseTalk 1.5 is `musetalkV15/unet.pth` |
| yzd-v/DWPose `dw-ll_ucoco_384.pth` | Right. Two thirds of the file are training state, which is ignored |
| Linaqruf/insightface `face-parse-bisent/*.pth` | No such file was found. `79999_iter.pth` of \
ManyOtherFunctions/face-parse-bisent; the `resnet18-5c106cde.pth` beside it is not needed |
| stabilityai/sd-vae-ft-mse | Right. `vae-ft-mse-840000-ema-pruned.safetensors` of \
stabilityai/sd-vae-ft-mse-original is the same VAE in the layout most ComfyUI users have already; either does |
| openai/whisper-tiny `tiny.pt` | Not in that repository, which holds `model.safetensors`. `tiny.pt` is openai's own \
layout of the same weights; either does |
"""


def render() -> str:
    """The page as Markdown."""
    used = {key: file for key, file in CATALOG.items() if file.uses}
    others = {key: file for key, file in CATALOG.items() if not file.uses}
    parts = [
        INTRODUCTION,
        "## Used by nodes\n\n",
        _table(used),
        "\n",
        *((NOT_USED, _table(others)) if others else ()),
        "\n## Each file\n",
        *(f"\n{_details(key, file)}" for key, file in CATALOG.items()),
        "\n",
        CORRECTIONS,
    ]
    return "".join(parts)


def _table(files: dict[str, WeightFile]) -> str:
    head = "| name | file | size | goes into | commercial use | for |\n|---|---|---|---|---|---|\n"
    return head + "".join(
        f"| `{key}` | `{file.path}` of {file.repo} | {shown_size(file.size)} | `models/{file.folder}/` "
        f"| {file.commercial} | {_uses(file)} |\n"
        for key, file in files.items()
    )


def _details(key: str, file: WeightFile) -> str:
    lines = [
        f"### {key}",
        "",
        f"{file.what[0].upper()}{file.what[1:]}.",
        "",
        f"- Source: <{file.sources[0].url}>",
        f"- {file.size:,} bytes, SHA-256 `{file.sha256}`",
        f"- Licence: {file.licence}. Commercial use: {file.commercial}.",
    ]
    if file.mirrors:
        lines.append(f"- The same bytes: {_listed(f'<{mirror.url}>' for mirror in file.mirrors)}")
    lines += [f"- Also does: `{other.name}` ({other.note})" for other in file.alternatives]
    return "\n".join(lines) + "\n"


def _uses(file: WeightFile) -> str:
    return _listed(f"{use.node} `{use.widget}`" if use.widget else f"{use.node} (a socket)" for use in file.uses) or "-"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8", newline="\n")
    print(f"wrote {PAGE}")
