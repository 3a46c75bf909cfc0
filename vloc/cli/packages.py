"""The packages that vloc needs or can use: which are there, whether they import, how to get them."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, requires, version

from .. import __version__

MODULES = {"opencv-python-headless": "cv2", "pillow": "PIL"}
"""distribution -> module, where the names differ"""
OPENCV_WHEELS = (
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
    "opencv-python",
    "opencv-python-headless",
)
EXTRAS_OF_USERS = ("learned", "heic", "scan", "cluster", "remote")
"""those that something uses"""
PROBE_SECONDS = 120


@dataclass(frozen=True)
class Package:
    """One requirement of vloc, as found on this machine."""

    name: str
    wanted: str
    """versions that vloc takes"""
    version: str | None
    extra: str = ""
    """the extra it belongs to, empty where it is always needed"""
    problem: str = ""
    remedy: str = ""


def required_packages(*, probe: bool = True) -> list[Package]:
    """What vloc cannot do without, or vloc itself where it is not installed; `probe` imports each of them here."""
    if not (wants := requirements()):
        problem = "imported but not installed, so what it needs is not known"
        return [Package("vloc", "", __version__, "", problem, "pip install . (in its repository)")]
    return [_examine(name, wanted, "", probe) for name, wanted, extra in wants if not extra]


def optional_packages() -> list[Package]:
    """What the extras bring; each is imported in a process of its own, for a broken one may end its process."""
    return [_examine(name, wanted, extra, True) for name, wanted, extra in requirements() if extra in EXTRAS_OF_USERS]


def requirements() -> list[tuple[str, str, str]]:
    """(name, version range, extra) of everything that vloc's metadata names; nothing where vloc is not installed."""
    try:
        texts = requires("vloc") or []
    except PackageNotFoundError:
        return []
    found = []
    for text in texts:
        requirement, _, marker = text.partition(";")
        match = re.match(r"([\w.-]+)\s*(?:\[[^]]*\])?\s*\(?([^)]*)\)?$", requirement.strip())
        extra = re.search(r"extra\s*==\s*['\"]([\w-]+)['\"]", marker)
        if match and match[1] != "vloc":
            found.append((match[1], match[2].strip(), extra[1] if extra else ""))
    return found


def _examine(name: str, wanted: str, extra: str, probe: bool) -> Package:
    install = f"pip install 'vloc[{extra}]'" if extra else f"pip install '{name}{wanted}'"
    try:
        found = version(name)
    except PackageNotFoundError:
        return Package(name, wanted, None, extra, "not installed", install)
    if not satisfies(found, wanted):
        return Package(name, wanted, found, extra, f"expected {wanted}", install)
    module = MODULES.get(name, name.replace("-", "_"))
    problem = (_import_apart(module) if extra else _import_here(module)) if probe else ""
    return Package(name, wanted, found, extra, problem, install if problem else "")


def satisfies(found: str, wanted: str) -> bool:
    """Whether a version lies in a range of `>=` and `<` bounds; other kinds of bounds are not looked at."""
    numbers = _numbers(found)
    for operator, bound in re.findall(r"(>=|<)\s*([\d.]+)", wanted):
        if (numbers < _numbers(bound)) == (operator == ">="):
            return False
    return True


def _numbers(text: str) -> tuple[int, ...]:
    """The leading numbers of a version, trailing zeros left out."""
    match = re.match(r"\d+(\.\d+)*", text)
    numbers = [int(part) for part in match[0].split(".")] if match else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _import_here(module: str) -> str:
    try:
        import_module(module)
    except Exception as error:
        return f"does not import ({type(error).__name__}: {error})"
    return ""


def _import_apart(module: str) -> str:
    try:
        probe = _python(f"import {module}")
    except subprocess.TimeoutExpired:
        return f"does not import within {PROBE_SECONDS} s"
    return f"does not import ({_why(probe)})" if probe.returncode else ""


def cuda_device() -> str:
    """The GPU that torch sees, or why it sees none."""
    code = "import torch; print(torch.cuda.get_device_name() if torch.cuda.is_available() else 'none that torch sees')"
    try:
        probe = _python(code)
    except subprocess.TimeoutExpired:
        return f"no answer from torch within {PROBE_SECONDS} s"
    return f"torch failed when asked ({_why(probe)})" if probe.returncode else probe.stdout.strip()


def _python(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, timeout=PROBE_SECONDS, check=False)


def _why(probe: subprocess.CompletedProcess[str]) -> str:
    """The last line that a failed process wrote of its failure."""
    return (probe.stderr.strip().splitlines() or [f"ended with status {probe.returncode}"])[-1]


def opencv_wheels() -> list[str]:
    """The distributions of OpenCV that are installed; more than one is a conflict."""
    found = []
    for name in OPENCV_WHEELS:
        try:
            version(name)
        except PackageNotFoundError:
            continue
        found.append(name)
    return found
