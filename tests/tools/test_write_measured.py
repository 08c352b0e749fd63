"""The README's table of measurements is the one that docs/measured/ gives."""

from __future__ import annotations

import pytest
import soak
import write_measured


def test_the_readme_has_the_table_as_measured() -> None:
    page = write_measured.README.read_text(encoding="utf-8")
    assert write_measured.replaced(page) == page


def test_every_measurement_has_rows() -> None:
    kept = {path.stem for path in write_measured.FOLDER.glob("*.json")}
    assert kept
    assert kept <= set(write_measured.ROWS)


def test_a_page_without_the_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="substring"):
        write_measured.replaced("# LipSync Studio")


def test_a_soak_is_summed_up_without_its_beginning() -> None:
    held = [soak.Held(100.0 + number, 10, 1) for number in range(20)]
    early, late = soak.summary(held)["early"], soak.summary(held)["late"]
    assert early == {"mb": 102.5, "handles": 10, "temp": 1}
    assert late == {"mb": 118.5, "handles": 10, "temp": 1}
