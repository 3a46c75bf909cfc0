"""HEIC photos, as phones take them; pi-heif decodes them where it is installed."""

from __future__ import annotations

from typing import Any

HEIF_SUFFIXES = frozenset([".heic", ".heif", ".hif"])
INSTALL_HEIF = "pip install 'vloc[heic]'"
# Brands of HEVC-coded images and sequences (ISO/IEC 23008-12, annex B.4); `mif1` says nothing of the codec.
_BRANDS = frozenset([b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"])


def is_heif(start: bytes) -> bool:
    """Whether a file that starts so (64 bytes do) holds an image coded by HEVC."""
    size = int.from_bytes(start[:4], "big")
    brands = {start[place : place + 4] for place in (8, *range(16, min(size, len(start)), 4))}
    return start[4:8] == b"ftyp" and not _BRANDS.isdisjoint(brands)


def heif_image() -> Any | None:
    """Pillow's image class for such files, or None where pi-heif is not installed."""
    try:
        from pi_heif import HeifImageFile
    except ImportError:
        return None
    return HeifImageFile
