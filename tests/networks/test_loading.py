"""Checkpoints are read without running their code, whole, or refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (the 'learned' extra)")

from vloc.errors import ConfigError, DataError  # noqa: E402
from vloc.networks.loading import device_of, load_into, state_of  # noqa: E402
from vloc.runtime import Runtime  # noqa: E402


class Evil:
    """Unpickled, it would write a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> object:
        return (Path.touch, (self.path,))


def linear() -> torch.nn.Linear:
    return torch.nn.Linear(2, 3)


def test_a_state_dict_is_found_beside_other_things_and_without_the_prefix_of_data_parallel(tmp_path: Path) -> None:
    module = linear()
    state = {f"module.{key}": value for key, value in module.state_dict().items()}
    torch.save({"net": "Linear()", "state_dict": state}, tmp_path / "a.pt")
    loaded = load_into(linear(), tmp_path / "a.pt")
    assert torch.equal(loaded.weight, module.weight) and not loaded.training and not loaded.weight.requires_grad


def test_a_bare_state_dict_is_read_too(tmp_path: Path) -> None:
    torch.save(linear().state_dict(), tmp_path / "a.pth")
    assert list(state_of(tmp_path / "a.pth")) == ["weight", "bias"]


def test_code_in_a_checkpoint_is_not_run(tmp_path: Path) -> None:
    torch.save({"state_dict": {}, "x": Evil(tmp_path / "written")}, tmp_path / "a.pt")
    with pytest.raises(DataError, match=r"a\.pt: not a checkpoint that can be read safely"):
        state_of(tmp_path / "a.pt")
    assert not (tmp_path / "written").exists()


@pytest.mark.parametrize("content", [b"", b"numbers", b"PK\x03\x04" + bytes(99)])
def test_what_is_no_checkpoint_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.pt").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.pt: not a checkpoint that can be read safely"):
        state_of(tmp_path / "a.pt")


@pytest.mark.parametrize("content", [{}, {"state_dict": {"a": 3}}, [1, 2]])
def test_what_holds_no_tensors_is_refused(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "a.pt")
    with pytest.raises(DataError, match="expected a dictionary of tensors"):
        state_of(tmp_path / "a.pt")


@pytest.mark.parametrize("change", ["missing", "surplus", "shape"])
def test_weights_of_another_network_are_refused(tmp_path: Path, change: str) -> None:
    state = linear().state_dict()
    if change == "missing":
        del state["bias"]
    elif change == "surplus":
        state["more"] = torch.zeros(1)
    else:
        state["weight"] = torch.zeros(3, 3)
    torch.save(state, tmp_path / "a.pt")
    with pytest.raises(DataError, match=r"a\.pt: these weights are for another network"):
        load_into(linear(), tmp_path / "a.pt")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_cuda_is_never_replaced_in_silence() -> None:
    assert device_of(Runtime()).type == device_of(Runtime(device="cpu")).type == "cpu"
    with pytest.raises(ConfigError, match="torch finds none"):
        device_of(Runtime(device="cuda"))
