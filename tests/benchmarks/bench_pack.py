"""What a packed map holds against its folder, how long it takes to open, and how far its descriptors could be squeezed.

    python tests/benchmarks/bench_pack.py MAP

MAP is a folder that `vloc map` made. Bits a byte: entropy of the bytes of the packed descriptors, all together and each
of their places for itself, which no lossless code of single bytes goes below.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

import vloc


def megabytes_of(folder: Path) -> Counter[str]:
    """Stage -> MB of its stores."""
    found = Counter[str]()
    for store in folder.glob("*/store.json"):
        found[store.parent.name[:-17]] += sum(file.stat().st_size for file in store.parent.iterdir())
    return Counter({stage: size / 1e6 for stage, size in found.items()})


def bits(counts: np.ndarray) -> float:
    """Entropy of a histogram, bits."""
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log2(shares)).sum())


def main() -> None:
    """One map."""
    folder = Path(sys.argv[1])
    by_stage = megabytes_of(folder)
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "map.vloc"
        vloc.pack(vloc.Map.open(folder), path)
        began = time.perf_counter()
        packed = vloc.Map.open(path)
        opened = time.perf_counter() - began
        in_file = path.stat().st_size / 1e6
        names = packed.sparse.image_names
        descriptors = np.concatenate([packed.features[name].descriptors for name in names])
    print("folder, MB:", ", ".join(f"{stage} {size:.1f}" for stage, size in by_stage.most_common()))
    whole = sum(by_stage.values())
    print(
        f"folder {whole:.1f} MB, file {in_file:.1f} MB: {100 * in_file / whole:.0f} %; opened in {1000 * opened:.0f} ms"
    )
    as_bytes = np.ascontiguousarray(descriptors).view(np.uint8).reshape(len(descriptors), -1)
    each = [bits(np.bincount(column, minlength=256)) for column in as_bytes.T]
    together = bits(np.bincount(as_bytes.ravel(), minlength=256))
    print(
        f"descriptors: {as_bytes.nbytes / 1e6:.1f} MB, {together:.2f} bits a byte, {np.mean(each):.2f} by places: "
        f"at best {as_bytes.nbytes * np.mean(each) / 8e6:.1f} MB"
    )


if __name__ == "__main__":
    main()
