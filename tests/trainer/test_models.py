import pytest
import torch

from shards.errors import UserError
from trainer.models import MODELS, build_model, build_seeded, count_parameters, ink_mask

REFERENCE = {"base": 8_318_476, "optimized": 2_448_012, "lightweight": 2_077_964}


@pytest.mark.parametrize(("name", "parameters"), REFERENCE.items())
def test_the_reference_models_have_the_references_parameters(name: str, parameters: int) -> None:
    assert count_parameters(build_model(name, classes=12)) == parameters
    assert count_parameters(build_model(name, classes=11)) == parameters - 513


def test_nano_is_small_and_has_no_recurrence() -> None:
    model = build_model("nano")
    assert count_parameters(model) <= 125_000
    assert not any(isinstance(module, torch.nn.RNNBase) for module in model.modules())


@pytest.mark.parametrize("name", MODELS)
def test_steps_without_ink_may_not_emit_a_digit(name: str) -> None:
    model = build_model(name).eval()
    image = torch.zeros(2, 1, 32, 128)
    image[:, :, 10:20, 80:90] = 1
    with torch.inference_mode():
        logits = model(image)
    steps = logits.shape[1]
    assert logits.shape == (2, {"nano": 64, "lightweight": 32}.get(name, 33), 11)
    assert logits.dtype == torch.float32
    stride = round(128 / steps)
    far = [t for t in range(steps) if stride * (t + 1) < 80 - 12 or stride * t > 90 + 12]
    near = [t for t in range(steps) if 80 <= stride * t <= 88]
    assert (logits[:, far, 1:] < -900).all()
    assert (logits[:, far].argmax(dim=2) == 0).all()
    assert (logits[:, near].abs() < 100).all()


def test_the_mask_looks_four_pixels_around_the_columns_of_a_step() -> None:
    for column in range(128):
        image = torch.zeros(1, 1, 32, 128)
        image[0, 0, 5, column] = 0.2
        free = (ink_mask(image, 32, 11)[0, :, 1] == 0).nonzero()[:, 0].tolist()
        assert free == [t for t in range(32) if 4 * t - 4 <= column < 4 * t + 8]
        free = (ink_mask(image, 64, 11)[0, :, 1] == 0).nonzero()[:, 0].tolist()
        assert free == [t for t in range(64) if 2 * t - 4 <= column < 2 * t + 6]
    faint = torch.full((1, 1, 32, 128), 0.1)
    assert (ink_mask(faint, 32, 11)[..., 1:] < 0).all()
    assert (ink_mask(faint, 33, 11)[..., 0] == 0).all()


def test_a_seed_decides_the_weights_and_leaves_torchs_generator_alone() -> None:
    before = torch.get_rng_state()
    first, again, other = (build_seeded("nano", seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["sequence.weight"], other["sequence.weight"])


def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(UserError, match="'huge' is unknown; choose one of base, optimized"):
        build_model("huge")
