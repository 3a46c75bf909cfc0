"""The error tree: each branch says who is at fault, and with which exit status the command line ends."""

from __future__ import annotations

LONGEST_MESSAGE = 2000
"""characters: a name or a line of megabytes in a broken file is not printed whole"""


def shortened(text: str, longest: int = LONGEST_MESSAGE) -> str:
    """The text itself, or its begin and end with how much is left out between them."""
    if len(text) <= longest:
        return text
    half = longest // 2
    return f"{text[:half]} ... ({len(text) - 2 * half:,} characters) ... {text[-half:]}"


class VlocError(Exception):
    """Something vloc refuses to do, told in one line: what, where, expected, found, what to do."""

    exit_status = 2

    def __init__(self, message: str = "") -> None:
        super().__init__(shortened(message))


class DataError(VlocError):
    """Input that is broken or inconsistent. The message begins with the file (and line) or the item."""


class ConfigError(VlocError):
    """A setting that does not exist or is out of its range."""


class StoreError(VlocError):
    """A stored result is missing or not what was written; the message names the file and what to do."""


class StageError(VlocError):
    """A step that cannot go on with the (valid) values it was given, such as an SfM that registers nothing."""


class ExtraMissingError(VlocError):
    """A command needs an optional part of vloc; the message says which one and how to install it."""

    def __init__(self, feature: str, extra: str, cause: ImportError) -> None:
        super().__init__(f"{feature} needs the '{extra}' extra: pip install 'vloc[{extra}]' ({cause})")


class WeightsMissingError(VlocError):
    """Trained weights are not on this machine, or not those that were published; the message says how to get them."""


class FrameError(VlocError):
    """The frame that a map had cannot be kept; the map stays as it was."""

    exit_status = 3


class ResourceError(VlocError):
    """Disk or memory ran out, or a disk cannot be read now; what was finished is kept."""

    exit_status = 4


class LockedError(VlocError):
    """Another run is writing this output."""

    exit_status = 5
