import math

import pytest
import torch
from torch import nn

from trainer.models import MODELS, build_seeded
from trainer.muon import Muon, orthogonal

NOTHING_LOST = torch.tensor(False)


@pytest.mark.parametrize("shape", [(3, 16, 144), (1, 96, 96), (2, 300, 40)])
def test_singular_values_become_about_one_and_vectors_stay(shape: tuple[int, int, int]) -> None:
    random = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    u, values, v = torch.linalg.svd(random, full_matrices=False)
    values = torch.linspace(0.7, 7, values.shape[1])  # over a hundredth of the norm, all of them
    turned = u.mT @ orthogonal(u * values @ v) @ v.mT
    values = turned.diagonal(dim1=1, dim2=2)
    assert 0.6 < values.min()
    assert values.max() < 1.3
    assert (turned - torch.diag_embed(values)).abs().max() < 1e-3


def test_nothing_comes_of_no_gradient() -> None:
    assert not orthogonal(torch.zeros(1, 20, 30)).any()


@pytest.mark.parametrize("shape", [(32, 48), (64, 24)])
def test_steps_are_those_of_torchs_muon(shape: tuple[int, int]) -> None:
    random = torch.Generator().manual_seed(2)
    first = torch.randn(shape, generator=random)
    ours = nn.Sequential(nn.Linear(*shape[::-1], bias=False), nn.Linear(2, 2, bias=False))
    theirs = nn.Parameter(first.clone())
    ours[0].weight.data.copy_(first)
    muon = Muon(ours, weight_decay=0.1)
    other = torch.optim.Muon(
        [theirs], lr=0.02, weight_decay=0.1, adjust_lr_fn="match_rms_adamw", momentum=0.95
    )
    ours[1].weight.grad = torch.zeros(2, 2)
    for _ in range(4):
        gradient = torch.randn(shape, generator=random)
        ours[0].weight.grad, theirs.grad = gradient.clone(), gradient.clone()
        muon.step(0.02, NOTHING_LOST)
        other.step()
    # torch computes the iteration in bfloat16.
    assert (ours[0].weight - theirs).norm() < 0.02 * (theirs - first).norm()


@pytest.mark.parametrize("name", MODELS)
def test_matrices_in_the_middle_of_each_network_learn_by_it(name: str) -> None:
    model = build_seeded(name, 0)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    muon = Muon(model, 0.01)
    muon.step(1e-3, NOTHING_LOST)
    parameters = list(model.parameters())
    kinds = {key.split(".")[1]: set() for key in muon.tensors()}
    for key in muon.tensors():
        index, kind = key.split(".")
        kinds[kind].add(int(index))
    assert kinds["exp_avg"] == kinds["exp_avg_sq"] == kinds["step"]
    assert kinds["momentum"] | kinds["step"] == set(range(len(parameters)))
    assert not kinds["momentum"] & kinds["step"]
    share = sum(parameters[index].numel() for index in kinds["momentum"])
    assert share > 0.9 * sum(parameter.numel() for parameter in parameters)
    first, *_, last = [index for index, each in enumerate(parameters) if each.ndim > 1]
    assert {first, last} <= kinds["step"]


def test_a_lost_step_changes_nothing() -> None:
    model = nn.Sequential(nn.Linear(20, 20), nn.Linear(20, 3))
    muon = Muon(model, 0.01)

    def step(gradient: float, lost: bool) -> None:
        for parameter in model.parameters():
            parameter.grad = torch.full_like(parameter, gradient)
        muon.step(0.1, torch.tensor(lost))

    step(1.0, lost=False)
    before = [tensor.clone() for tensor in (*model.parameters(), *muon.tensors().values())]
    step(math.nan, lost=True)
    after = [*model.parameters(), *muon.tensors().values()]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    step(1.0, lost=False)
    assert not torch.equal(before[0], model[0].weight)


def test_what_it_keeps_brings_it_back() -> None:
    random = torch.Generator().manual_seed(3)
    models = [nn.Sequential(nn.Linear(20, 20), nn.Linear(20, 3)) for _ in range(2)]
    gradients = [torch.randn(20, 20, generator=random) for _ in range(4)]

    def step(model: nn.Module, muon: Muon, gradient: torch.Tensor) -> None:
        for parameter in model.parameters():
            parameter.grad = torch.ones_like(parameter)
        model[0].weight.grad = gradient
        muon.step(0.01, NOTHING_LOST)

    first = Muon(models[0], 0.01)
    for gradient in gradients[:2]:
        step(models[0], first, gradient)
    models[1].load_state_dict(models[0].state_dict())
    second = Muon(models[1], 0.01)
    second.load({name: tensor.clone() for name, tensor in first.tensors().items()})
    for gradient in gradients[2:]:
        step(models[0], first, gradient)
        step(models[1], second, gradient)
    assert torch.equal(models[0][0].weight, models[1][0].weight)
    assert torch.equal(models[0][1].bias, models[1][1].bias)


def test_a_part_of_what_it_keeps_is_refused() -> None:
    model = nn.Sequential(nn.Linear(20, 20), nn.Linear(20, 3))
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    muon = Muon(model, 0.01)
    muon.step(0.01, NOTHING_LOST)
    for name in muon.tensors():
        with pytest.raises(KeyError, match=name):
            Muon(model, 0.01).load(
                {key: tensor for key, tensor in muon.tensors().items() if key != name}
            )


def test_without_matrices_every_weight_learns_by_adamw() -> None:
    torch.manual_seed(4)
    ours, theirs = nn.Linear(20, 20), nn.Linear(20, 20)
    theirs.load_state_dict(ours.state_dict())
    muon = Muon(ours, 0.1, matrices=False)
    adamw = torch.optim.AdamW(theirs.parameters(), lr=0.01, weight_decay=0.1, fused=True)
    for _ in range(3):
        for model in (ours, theirs):
            for parameter in model.parameters():
                parameter.grad = torch.ones_like(parameter)
        muon.step(0.01, NOTHING_LOST)
        adamw.step()
    assert torch.equal(ours.weight, theirs.weight)
    assert {name.split(".")[1] for name in muon.tensors()} == {"step", "exp_avg", "exp_avg_sq"}
