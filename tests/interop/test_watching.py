"""Steps of a running PyTorch loop, beside the parameters that PyTorch had after them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import handgrad as hg
from handgrad.errors import ModelError, SpecificationError


def model_of(seed: int, dropout: float = 0.0) -> Any:
    torch.manual_seed(seed)
    hidden = [torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Dropout(dropout)]
    return torch.nn.Sequential(*hidden, torch.nn.Linear(8, 6), torch.nn.ReLU(), torch.nn.Linear(6, 2))


@pytest.mark.parametrize("known", [True, False], ids=["loss", "gradient of the outputs"])
@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("clipped", [False, True])
def test_a_recorded_step_is_the_one_that_was_taken(known: bool, dropout: float, clipped: bool) -> None:
    model, loss = model_of(0, dropout), torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    after: dict[int, Any] = {}
    with hg.watch(model, optimizer, loss=loss if known else None, steps=(1, 5)) as watched:
        for step in range(1, 7):
            x, y = torch.randn(5, 3), torch.randint(0, 2, (5,))
            optimizer.zero_grad()
            loss(model(x), y).backward()
            if clipped:
                torch.nn.utils.clip_grad_norm_(model.parameters(), 0.05)
            optimizer.step()
            after[step] = [p.detach().numpy().copy() for p in model.parameters()]
    assert watched.steps == (1, 5)
    for step in watched.steps:
        sheet = watched.explain(step)
        assert sheet.first == step
        quantities = sheet.quantities()
        for l in (1, 2, 3):
            np.testing.assert_allclose(quantities[f"W{l}_new"], after[step][2 * l - 2], rtol=1e-5, atol=1e-6)
            np.testing.assert_allclose(quantities[f"b{l}_new"], after[step][2 * l - 1], rtol=1e-5, atol=1e-6)
        assert ("loss" in quantities) == known
        assert ("mask1" in quantities) == (dropout > 0)
    assert watched.explain().first == 5
    assert "Adam" in watched.explain().text()
    assert not any(model._forward_hooks.values()), "the hooks are gone"


def test_gradients_of_several_batches_are_told() -> None:
    model, loss = model_of(1), torch.nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with hg.watch(model, optimizer, loss=loss) as watched:
        for _ in range(2):
            loss(model(torch.randn(4, 3)), torch.randn(4, 2)).backward()
        optimizer.step()
    with pytest.raises(ModelError, match="not that of the last batch"):
        watched.explain()


def test_what_cannot_be_watched() -> None:
    model = model_of(2)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with hg.watch(model, optimizer) as watched:
        pass
    with pytest.raises(ModelError, match="no step was recorded"):
        watched.explain()
    with pytest.raises(SpecificationError, match=r"torch\.nn\.Module"):
        hg.watch(object(), optimizer)  # type: ignore[arg-type]
    with pytest.raises(SpecificationError, match="loss must be the module"):
        hg.watch(model, optimizer, loss=torch.nn.functional.mse_loss)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="Conv1d"):
        hg.watch(torch.nn.Sequential(torch.nn.Conv1d(1, 1, 1)), optimizer)
    with hg.watch(model, optimizer, steps=(2,)) as watched:
        for _ in range(3):
            model(torch.randn(4, 3)).sum().backward()
            optimizer.step()
            optimizer.zero_grad()
    with pytest.raises(ModelError, match="recorded are 2"):
        watched.explain(1)
    assert watched.explain(2).quantities()["dyhat"].tolist() == [[1.0, 1.0]] * 4
