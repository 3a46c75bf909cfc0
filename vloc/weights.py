"""Trained weights: which published files there are, where they are looked for, and how to get one."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol, runtime_checkable

from .errors import ExtraMissingError, WeightsMissingError
from .user_cache import user_cache

VARIABLE = "VLOC_WEIGHTS"
"""environment variable: folders that are looked into first"""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Weights:
    """One file as its authors published it."""

    file: str
    url: str
    sha256: str | None
    """None: its authors state none, and the file has not been at hand"""
    size: int | None
    """bytes, where known"""
    licence: str
    is_commercial: bool | None
    """None: its authors state no terms"""
    source: str
    is_page: bool = False
    """whether the URL is a page to download from by hand"""

    @property
    def terms(self) -> str:
        """What the weights may be used for."""
        uses = {True: "any use", False: "no commercial use", None: "ask its authors"}
        return f"{self.licence} ({uses[self.is_commercial]})"

    @property
    def megabytes(self) -> str:
        """The size for people."""
        return "size unknown" if self.size is None else f"{self.size / 1e6:.1f} MB"


def _r2d2(file: str, sha256: str, size: int) -> Weights:
    url = f"https://github.com/naver/r2d2/raw/master/models/{file}"
    return Weights(file, url, sha256, size, "CC BY-NC-SA 3.0", False, "github.com/naver/r2d2")


def _aliked(file: str, sha256: str, size: int) -> Weights:
    url = f"https://github.com/Shiaoming/ALIKED/raw/main/models/{file}"
    return Weights(file, url, sha256, size, "BSD-3-Clause", True, "github.com/Shiaoming/ALIKED")


def _unhashed(file: str, at: str, source: str, licence: str = "Apache-2.0", *, is_commercial: bool = True) -> Weights:
    """A file of a repository or its release under stated terms, of which no hash is published."""
    return Weights(file, f"https://{source}/{at}/{file}", None, None, licence, is_commercial, source)


def _place(method: str, backbone: str, dims: int) -> Weights:
    """CosPlace and EigenPlaces: code under MIT; their releases say nothing of the weights."""
    file, source = f"{backbone}_{dims}_{method.lower()}.pth", f"github.com/gmberton/{method}"
    return _without_terms(file, f"https://{source}/releases/download/v1.0/{file}", source)


def _without_terms(file: str, url: str, source: str, *, is_page: bool = False) -> Weights:
    return Weights(file, url, None, None, "no terms stated", None, source, is_page)


def _apgem(file: str, drive: str) -> Weights:
    """AP-GeM: code under BSD-3-Clause; its README says nothing of the weights. Some come in a zip."""
    url = f"https://drive.google.com/file/d/{drive}/view"
    return _without_terms(file, url, "github.com/naver/deep-image-retrieval", is_page=True)


def _kornia_glue(file: str) -> Weights:
    """LightGlue as kornia's authors trained it (code under Apache-2.0)."""
    source = "huggingface.co/kornia/lightglue"
    return _without_terms(file, f"https://{source}/resolve/main/{file}", source)


def _loftr(file: str) -> Weights:
    """LoFTR as kornia's authors keep it (the authors' own code under Apache-2.0)."""
    source = "huggingface.co/kornia/loftr"
    return _without_terms(file, f"https://{source}/resolve/main/{file}", source)


def _netvlad(file: str) -> Weights:
    """NetVLAD as hloc keeps it (code under Apache-2.0)."""
    return _without_terms(
        file, f"https://cvg-data.inf.ethz.ch/hloc/netvlad/{file}", "github.com/cvg/Hierarchical-Localization"
    )


PLACES = {
    "CosPlace": {
        "VGG16": (64, 128, 256, 512),
        "ResNet18": (32, 64, 128, 256, 512),
        **dict.fromkeys(("ResNet50", "ResNet101", "ResNet152"), (32, 64, 128, 256, 512, 1024, 2048)),
    },
    "EigenPlaces": {
        "VGG16": (512,),
        "ResNet18": (256, 512),
        **dict.fromkeys(("ResNet50", "ResNet101"), (128, 256, 512, 1024, 2048)),
    },
}
"""method -> backbone -> lengths of the descriptor that there are weights for"""
RELEASES = "releases/download"
GLUE, GLUE_RELEASE = "github.com/cvg/LightGlue", f"{RELEASES}/v0.1_arxiv"
XFEAT, DEDODE = "github.com/verlab/accelerated_features", "github.com/Parskatt/DeDoDe"
KEYNET, HARDNET = "github.com/axelBarroso/Key.Net-Pytorch", "raw/master/pretrained"
SUPERGLUE = "github.com/magicleap/SuperGluePretrainedNetwork"
MAGIC_LEAP = "Magic Leap's licence: academic or non-profit research"
MEGALOC, DELG = "github.com/gmberton/MegaLoc", "github.com/feymanpriv/DELG"
PUBLISHED = (
    _r2d2("r2d2_WASF_N16.pt", "9ae90e02a9a133d100ca7aeaa32f4d4d7736a6dd222a530a25c8f7da5e508528", 1950677),
    _r2d2("r2d2_WAF_N16.pt", "27cebd6608317b35198a76f60f87492110dee3e88ca382586a729dadb1a16b90", 1950677),
    _r2d2("r2d2_WASF_N8_big.pt", "597dc13998e211e827c550bdc8f76dbb4aca32747846f96962c9168586cec418", 4171550),
    _r2d2("faster2d2_WASF_N16.pt", "217daa3a166bfe9bf2b68c05c1607a09dd4d552ae1bbeda885479d504eefc14b", 3251102),
    _aliked("aliked-t16.pth", "56782336919db220144a884e710e2b6af13b3b8f8da15b915a239078ab471085", 794859),
    _aliked("aliked-n16.pth", "5be8704840ed662d9d8c561bf7279c222092674e7eb05fd0feab94899e9d82f2", 2738091),
    _aliked("aliked-n16rot.pth", "ddf3abbf38e86f6a74540d214e1a9712c54b2d8551abc864542199f2347d7332", 2738325),
    _aliked("aliked-n32.pth", "055283fd1624d3ab46a05c3b617b1a79a3f28d1f551737eef2d653e8c8232890", 3946667),
    _unhashed("superpoint_v1.pth", "raw/master/models/weights", SUPERGLUE, MAGIC_LEAP, is_commercial=False),
    _unhashed("superpoint_v6_from_tf.pth", "raw/master/weights", "github.com/rpautrat/SuperPoint", "MIT"),
    *(_unhashed(f"{name}-save.pth", "raw/master", "github.com/cvlab-epfl/disk") for name in ("depth", "epipolar")),
    _unhashed("xfeat.pt", "raw/main/weights", XFEAT),
    _unhashed("dedode_detector_L.pth", f"{RELEASES}/dedode_pretrained_models", DEDODE, "MIT"),
    _unhashed("dedode_detector_L_v2.pth", f"{RELEASES}/v2", DEDODE, "MIT"),
    _unhashed("dedode_descriptor_B.pth", f"{RELEASES}/dedode_pretrained_models", DEDODE, "MIT"),
    _without_terms("keynet_pytorch.pth", f"https://{KEYNET}/raw/main/model/weights/keynet_pytorch.pth", KEYNET),
    *(
        _unhashed(file, "raw/master/pretrained", "github.com/ducha-aiki/affnet", "MIT")
        for file in ("AffNet.pth", "OriNet.pth")
    ),
    _unhashed(
        "checkpoint_liberty_with_aug.pth", f"{HARDNET}/train_liberty_with_aug", "github.com/DagnyT/hardnet", "MIT"
    ),
    *(_unhashed(f"{name}_lightglue.pth", GLUE_RELEASE, GLUE) for name in ("superpoint", "disk", "aliked", "sift")),
    *map(_kornia_glue, ("dedodeb_lightglue.pth", "dedodeg_lightglue.pth")),
    _unhashed("xfeat-lighterglue.pt", "raw/main/weights", XFEAT),
    *map(_loftr, ("loftr_outdoor.ckpt", "loftr_indoor.ckpt", "loftr_indoor_ds_new.ckpt")),
    _apgem("Resnet101-AP-GeM-LM18.pt", "1r76NLHtJsH-Ybfda4aLkUIoW3EEsi25I"),
    _apgem("Resnet-101-AP-GeM.pt", "1UWJGDuHtzaQdFhSMojoYVQjmCXhIwVvy"),
    _apgem("Resnet50-AP-GeM.pt", "1oPtE_go9tnsiDLkWjN4NMpKjh-_md1G5"),
    _without_terms("r50-delg", f"https://{DELG}", DELG, is_page=True),
    _netvlad("Pitts30K_struct.mat"),
    _netvlad("TokyoTM_struct.mat"),
    _without_terms("megaloc.torch", f"https://{MEGALOC}/releases/download/v1.0/megaloc.torch", MEGALOC),
    *(_place(m, backbone, d) for m, lengths in PLACES.items() for backbone, dims in lengths.items() for d in dims),
)
WEIGHTS = {weights.file: weights for weights in PUBLISHED}
"""All known files by name."""


def folders() -> list[Path]:
    """Where weights are looked for, in this order: `$VLOC_WEIGHTS`, then the user's cache."""
    given = [Path(folder) for folder in os.environ.get(VARIABLE, "").split(os.pathsep) if folder]
    return [*given, cache_folder()]


def cache_folder() -> Path:
    """Where downloads go."""
    return user_cache("weights")


def find(file: str) -> Path:
    """The path of weights, checked by their hash where it is known.

    WeightsMissingError says where they belong and how to get them.
    """
    weights = WEIGHTS[file]
    for folder in folders():
        path = folder / file
        if path.is_file():
            if weights.sha256 is not None:
                _check(path, weights.sha256)
            _tell_terms(file)
            return path
    first = "" if weights.is_page else f"run 'vloc weights get {file}', or "
    raise WeightsMissingError(
        f"{file} is in none of {', '.join(map(str, folders()))}: {first}put what is at "
        f"{weights.url} ({weights.megabytes}, {weights.licence}) there or in a folder of ${VARIABLE}"
    )


@runtime_checkable
class Weighted(Protocol):
    """A plugin that loads weights."""

    @property
    def weights(self) -> str | tuple[str, ...]:
        """The published file, or files."""
        ...


def require(plugins: Iterable[object]) -> None:
    """WeightsMissingError for the first of them whose weights are not there: told before any work."""
    for plugin in plugins:
        for file in files_of(plugin):
            find(file)


def files_of(plugin: object) -> tuple[str, ...]:
    """The published files that a plugin loads."""
    if not isinstance(plugin, Weighted):
        return ()
    return (plugin.weights,) if isinstance(plugin.weights, str) else plugin.weights


def get(file: str) -> Path:
    """Download weights into the user's cache, checked by their hash where it is known; what is there already stays."""
    weights = WEIGHTS[file]
    if weights.is_page:
        raise WeightsMissingError(f"{file}: {weights.url} is a page for people: download it there, {_put()}")
    try:
        import pooch
        from requests import RequestException
    except ImportError as error:
        raise ExtraMissingError("downloading weights", "learned", error) from None
    known = None if weights.sha256 is None else f"sha256:{weights.sha256}"
    try:
        return Path(pooch.retrieve(weights.url, known, file, cache_folder()))
    except (RequestException, ValueError) as error:  # no connection, no such page; or another file than was published
        reason = f"{type(error).__name__}: {error}".partition("\n")[0]
        raise WeightsMissingError(
            f"{file}: {weights.url} could not be taken ({reason}): download it by other means {_put()}"
        ) from None


def _put() -> str:
    return f"and put it into {cache_folder()}, or into a folder of ${VARIABLE}"


@cache
def _check(path: Path, sha256: str) -> None:
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != sha256:
        raise WeightsMissingError(f"{path}: its SHA-256 is {found}, expected {sha256}: it is damaged or another file")


@cache
def _tell_terms(file: str) -> None:
    weights = WEIGHTS[file]
    if weights.is_commercial is None:
        log.warning("%s: its authors state no terms of use (%s)", file, weights.source)
    elif not weights.is_commercial:
        log.warning("%s: not for commercial use (%s, %s)", file, weights.licence, weights.source)
