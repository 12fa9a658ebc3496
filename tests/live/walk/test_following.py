"""The page follows a training under way, or stays where the reader is."""

from __future__ import annotations

from pathlib import Path

import pytest

import handgrad as hg
from handgrad.live.walk.app import Progress, Walking
from handgrad.live.walk.serving import Serving
from tests.live.walk.conftest import Opened


@pytest.mark.parametrize("follows", [True, False])
def test_the_page_goes_along(follows: bool, walked_page: Opened, models: list[Path]) -> None:
    table = models[0].parent / "kinds.csv"
    walking = Walking([], "en")

    def publish(epochs: int, progress: Progress | None) -> None:
        model = hg.fit_table(
            str(table), "kind", hidden=(4,), validation=0, epochs=epochs, batch_size=8, seed=5
        )
        walking.publish(model, "so far", model.training_data(), progress)

    publish(2, Progress(2, 4))
    with Serving(walking) as serving:
        page = walked_page("", serving.address)
        assert page.inner_text("#said") == "Training: epoch 2 of 4 is done."
        page.set_checked("#follow", follows)
        publish(4, None)
        page.wait_for_selector("#said:has-text('The training is done.')")
        assert page.get_attribute("#slider", "max") == "20"
        assert page.input_value("#number") == ("20" if follows else "10")
        assert not page.is_visible("#following")
        page.close()
