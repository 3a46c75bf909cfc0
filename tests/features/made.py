"""Made weights for the networks whose published ones are not at hand, under their published names.

Some of the networks are made to find spots: where they lie tells whether half pixels are right.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import kornia.feature as kornia
import torch
from torch import nn


def superpoint(folder: Path) -> None:
    """Both networks, as torch begins them."""
    from vloc.networks.superpoint import OpenSuperPoint, SuperPoint

    torch.manual_seed(0)
    torch.save(SuperPoint().state_dict(), folder / "superpoint_v1.pth")
    torch.save(OpenSuperPoint().state_dict(), folder / "superpoint_v6_from_tf.pth")


def disk(folder: Path) -> None:
    """The network as torch begins it, under the key that the published files have."""
    torch.manual_seed(0)
    for name in ("depth", "epipolar"):
        torch.save({"extractor": kornia.DISK().state_dict()}, folder / f"{name}-save.pth")


def xfeat(folder: Path) -> None:
    """A network whose keypoints are the brightest pixels of cells: its head passes the pixels on."""
    torch.manual_seed(0)
    network = kornia.XFeat().net
    for layer in network.keypoint_head[:3]:
        layer.layer[0].weight.data = torch.eye(64)[:, :, None, None]
    last = network.keypoint_head[3]
    last.weight.data = torch.zeros_like(last.weight)
    last.weight.data[:64, :, 0, 0] = 4 * torch.eye(64)
    last.bias.data = torch.zeros(65)
    torch.save(network.state_dict(), folder / "xfeat.pt")


def dedode(folder: Path) -> None:
    """A detector that finds what is bright (the finest scale alone counts), and a descriptor as torch begins it."""
    from kornia.feature.dedode.dedode_models import get_descriptor, get_detector

    detector, descriptor = (_begun(make, kind) for make, kind in ((get_detector, "L"), (get_descriptor, "B")))
    for parameter in detector.parameters():
        parameter.data.zero_()
    for module in detector.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.weight.data.fill_(1.0)
    first, second = detector.encoder.layers[0], detector.encoder.layers[3]
    first.weight.data[0, :, 1, 1] = 1.0
    first.bias.data[0] = 9.0  # normalised colours can be negative
    second.weight.data[0, 0, 1, 1] = 1.0
    finest = detector.decoder.layers["1"]
    finest.block1[0].weight.data[0, 0] = 1.0
    finest.block1[3].weight.data[0, 0] = 1.0
    finest.out_conv.weight.data[0, 0] = 1.4
    torch.save(detector.state_dict(), folder / "dedode_detector_L_v2.pth")
    torch.save(descriptor.state_dict(), folder / "dedode_descriptor_B.pth")


def _begun(make: Callable[[str], nn.Module], kind: str) -> nn.Module:
    """A network with small random weights; torch's own beginning of VGG-19 takes seconds."""
    with torch.device("meta"):
        module = make(kind)
    module.to_empty(device="cpu")
    torch.manual_seed(0)
    for key, value in module.state_dict().items():
        if value.ndim > 1:
            value.normal_(0, (2 / value[0].numel()) ** 0.5)
        else:
            value.fill_(1 if key.endswith(("running_var", "weight")) else 0)
    return module


def keynet(folder: Path) -> None:
    """A detector that finds where an image is curved both ways (dxx dyy), and the rest as torch begins it."""
    torch.manual_seed(0)
    detector = kornia.KeyNet(pretrained=False)
    for parameter in detector.parameters():
        parameter.data.zero_()
    for module in detector.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.weight.data.fill_(1.0)
    blocks = detector.feature_extractor.lb_block
    blocks.conv0[0].weight.data[0, 9, 2, 2] = 100.0  # dxx dyy
    blocks.conv1[0].weight.data[0, 0, 2, 2] = blocks.conv2[0].weight.data[0, 0, 2, 2] = 1.0
    detector.last_conv[0].weight.data[0, 0, 2, 2] = 1.0
    torch.save({"state_dict": detector.state_dict()}, folder / "keynet_pytorch.pth")
    shaped = kornia.LAFAffNetShapeEstimator(pretrained=False)
    others = {
        "AffNet": shaped,
        "OriNet": kornia.OriNet(pretrained=False),
        "checkpoint_liberty_with_aug": kornia.HardNet(False),
    }
    for name, module in others.items():
        torch.save({"state_dict": module.state_dict()}, folder / f"{name}.pth")


MADE: dict[str, Callable[[Path], None]] = {
    "superpoint": superpoint,
    "disk": disk,
    "xfeat": xfeat,
    "dedode": dedode,
    "keynet": keynet,
}
"""feature -> what writes weights for it into a folder"""
