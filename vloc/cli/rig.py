"""`vloc rig estimate CAPTURE RIGS` and `vloc rig check CAPTURE`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import tyro

from ..data.capture import Capture
from ..data.mounts import Mount, check_mounts, estimate_mounts, members_of, poses_by_camera
from ..data.rigs import rig_chains
from ..errors import ConfigError, DataError
from ..formats.kapture.write import write_rigs
from ..formats.results import posed_images, read_truth
from ..geometry.pose_error import pose_errors
from ..geometry.rigid import Rigid
from . import options
from .main import OK
from .messages import read_capture
from .outputs import check_output
from .settings import parse_flags


@dataclass(frozen=True, kw_only=True)
class RigFlags(options.ReadFlags):
    """Find where the cameras of a rig are mounted from poses of their images, or how well a capture's rigs.txt agrees.

    Poses of two cameras at one time say where one is on the other; the median over all times bears up to half of wrong
    ones, and the mean of those near it is taken.
    """

    action: Annotated[Literal["estimate", "check"], tyro.conf.Positional]
    """write rigs.txt, or only tell how far the one that is there is off"""
    capture: options.location("CAPTURE")  # type: ignore[valid-type]
    """FORMAT:PATH or path: which camera took what, and when; poses too, unless --poses"""
    rigs: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="[RIGS]")] = ""
    """file to write, in kapture's form, for the `sensors` folder of a capture"""
    poses: Path | None = None
    """poses of the capture's images: a file as `vloc localize` writes it, or a capture; else the capture's own"""
    reference: str | None = None
    """camera whose axes the rig has; else the one with most poses"""
    overwrite: options.Switch = False
    """replace RIGS"""
    json: options.Switch = False
    """print the mounts as JSON"""


def run(arguments: Sequence[str]) -> int:
    """Estimate or check."""
    flags = parse_flags("rig", RigFlags, arguments)
    if (flags.action == "estimate") != bool(flags.rigs):
        raise ConfigError("expected vloc rig estimate CAPTURE RIGS, or vloc rig check CAPTURE")
    capture = read_capture(flags.capture, quiet=True, **flags.read_options)
    known = posed_images(capture) if flags.poses is None else read_truth(flags.poses)
    poses = poses_by_camera(capture, known)
    try:
        mounts = estimate_mounts(poses, flags.reference) if flags.rigs else _checked(capture, poses)
    except DataError as error:
        raise DataError(f"{flags.poses or flags.capture}: {error}") from None
    if flags.rigs:
        write(Path(flags.rigs), mounts, overwrite=flags.overwrite)
    _print(mounts, {} if flags.rigs else _known(capture), flags)
    return OK


def write(path: Path, mounts: Sequence[Mount], *, overwrite: bool) -> None:
    """A `rigs.txt` that appears whole or not at all; DataError where something is that must not be replaced."""
    check_output(path, lambda path: False, overwrite=overwrite)
    staged = path.with_name(f".{path.name}.tmp")
    write_rigs(staged, members_of(list(mounts)))
    staged.replace(path)


def _known(capture: Capture) -> dict[str, Rigid]:
    """Camera -> `cam_from_rig`, on its outermost rig."""
    return {camera: above[-1][1] for camera, above in rig_chains(capture.rigs).items()}


def _checked(capture: Capture, poses: Mapping[str, Mapping[int, Rigid]]) -> list[Mount]:
    known = _known(capture)
    if poses and not known.keys() & poses.keys():
        raise DataError("rigs.txt places none of the cameras that have poses")
    return check_mounts(poses, known)


def _print(mounts: Sequence[Mount], known: Mapping[str, Rigid], flags: RigFlags) -> None:
    rows = [_row(mount, known.get(mount.camera)) for mount in mounts]
    if flags.json:
        options.print_json({"mounts": rows})
        return
    for row in rows:
        off = f", rigs.txt is {row['off_deg']:.4f} deg and {row['off_m']:.5f} m off" if "off_deg" in row else ""
        print(
            f"{row['camera']}: {row['num_agreeing']} of {row['num_instants']} instants agree, "
            f"median {row['median_deg']:.4f} deg, {row['median_m']:.5f} m{off}"
        )
    if flags.rigs:
        print(f"rig: {flags.rigs}")


def _row(mount: Mount, known: Rigid | None) -> dict[str, Any]:
    """A camera's numbers; with a known mount how far that is from what the poses say."""
    counts = {"camera": mount.camera, "num_instants": mount.num_instants, "num_agreeing": mount.num_agreeing}
    pose = {"quat_wxyz": mount.cam_from_rig.quat_wxyz.tolist(), "translation": mount.cam_from_rig.translation.tolist()}
    made = {**counts, "median_deg": mount.median_deg, "median_m": mount.median_m, **pose}
    if known is None:
        return made
    metres, radians = pose_errors(mount.cam_from_rig, known)
    return {**made, "off_deg": float(np.degrees(radians)), "off_m": float(metres)}
