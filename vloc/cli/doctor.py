"""`vloc doctor`: what this machine has, what is missing, and how to get it."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from .. import __version__
from ..user_cache import user_cache
from . import options
from .main import OK, WITH_FAILURES
from .packages import Package, cuda_device, opencv_wheels, optional_packages, required_packages
from .settings import parse_flags


@dataclass(frozen=True, kw_only=True)
class DoctorFlags:
    """Versions, devices, optional parts and how to install them."""

    json: options.Switch = False
    """print everything as JSON"""


@dataclass(frozen=True)
class Report:
    """What the doctor found."""

    machine: dict[str, str]
    required: list[Package]
    optional: list[Package]
    codecs: dict[str, list[str]]
    warnings: list[str]

    @property
    def is_healthy(self) -> bool:
        """Whether everything that vloc cannot do without works."""
        return not any(package.problem for package in self.required)


def run(arguments: Sequence[str]) -> int:
    """Examine and tell; status 3 when a required part is broken."""
    flags = parse_flags("doctor", DoctorFlags, arguments)
    report = examine()
    if flags.json:
        options.print_json({**asdict(report), "healthy": report.is_healthy})
    else:
        print(lines(report))
    return OK if report.is_healthy else WITH_FAILURES


def examine() -> Report:
    """Look at everything; takes seconds where torch is installed, for it is imported to be sure."""
    required, optional = required_packages(), optional_packages()
    torch_works = any(package.name == "torch" and not package.problem for package in optional)
    cuda = cuda_device() if torch_works else "unknown without torch"
    machine = {**machine_facts(), "cuda": cuda, "maps": copied_maps()}
    return Report(machine, required, optional, codecs(), warnings())


def machine_facts() -> dict[str, str]:
    """Versions, processors, memory, disk."""
    disk = shutil.disk_usage(Path.cwd())
    return {
        "vloc": __version__,
        "python": f"{platform.python_version()} ({platform.python_implementation()})",
        "system": platform.platform(),
        "cores": f"{len(os.sched_getaffinity(0))} of {os.cpu_count()} usable",
        "memory": f"{_gigabytes(_memory())} GB",
        "disk": f"{_gigabytes(disk.free)} GB free of {_gigabytes(disk.total)} GB, at {Path.cwd()}",
    }


def copied_maps() -> str:
    """What copies of maps at URLs take, which nothing removes."""
    folder = user_cache("maps")
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return f"{_gigabytes(size)} GB, copies of those at URLs, in {folder}"


def _memory() -> int:
    """Bytes of memory, or what the container allows where that is less."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = Path("/sys/fs/cgroup/memory.max")
    text = limit.read_text().strip() if limit.is_file() else "max"
    return min(total, int(text)) if text.isdigit() else total


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f}"


def codecs() -> dict[str, list[str]]:
    """Image formats that OpenCV and Pillow read and write here, tried on a small image."""
    found: dict[str, list[str]] = {}
    for library, works in (("opencv", _opencv_codec), ("pillow", _pillow_codec)):
        try:
            found[library] = [suffix for suffix in ("jpg", "png", "tiff", "webp") if works(suffix)]
        except ImportError:
            found[library] = []
    return found


def _opencv_codec(suffix: str) -> bool:
    import cv2
    import numpy as np

    try:
        encoded, data = cv2.imencode(f".{suffix}", np.zeros((8, 8, 3), np.uint8))
    except cv2.error:
        return False
    return bool(encoded) and cv2.imdecode(data, cv2.IMREAD_COLOR) is not None


def _pillow_codec(suffix: str) -> bool:
    from PIL import features

    name = {"jpg": "jpg", "png": "zlib", "tiff": "libtiff", "webp": "webp"}[suffix]
    return features.check(name) is True


def warnings() -> list[str]:
    """What is no failure yet but will be."""
    found = []
    wheels = opencv_wheels()
    if len(wheels) > 1:
        found.append(
            f"{' and '.join(wheels)} are installed together and overwrite each other's files: "
            f"pip uninstall {' '.join(wheels)}, then pip install opencv-python-headless"
        )
    if shutil.disk_usage(Path.cwd()).free < 2e9:
        found.append("less than 2 GB of disk are free here")
    return found


def installed_versions() -> dict[str, str]:
    """vloc, Python and the required packages with their versions, for those who write down what made a result."""
    facts = machine_facts()
    named = {package.name: package.version or "missing" for package in required_packages(probe=False)}
    return {name: facts[name] for name in ("vloc", "python", "system", "cores")} | named


def lines(report: Report) -> str:
    """The report for people."""
    width = max(len(package.name) for package in (*report.required, *report.optional))
    rows = [f"{name:<{width}}  {value}" for name, value in report.machine.items()]
    rows += ["", "required", *(_line(package, width) for package in report.required)]
    rows += ["", "optional", *(_line(package, width) for package in report.optional)]
    rows += ["", *(f"images by {library}: {', '.join(names) or 'none'}" for library, names in report.codecs.items())]
    rows += [f"warning: {text}" for text in report.warnings]
    return "\n".join([*rows, "", "everything required works" if report.is_healthy else "a required part is broken"])


def _line(package: Package, width: int) -> str:
    state = f"{package.version or 'missing'}" + (f"  {package.problem}: {package.remedy}" if package.problem else "")
    extra = f"  [{package.extra}]" if package.extra else ""
    return f"  {package.name:<{width}}  {state}{extra}"
