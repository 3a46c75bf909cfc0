"""What Humenberger et al. 2020 chose, as flags of `vloc map`."""

from __future__ import annotations

R2D2_20K = ("--features", "r2d2:network=wasf_n8_big,max_keypoints=20000")
R2D2_40K = ("--features", "r2d2:network=wasf_n8_big,max_keypoints=40000")
APGEM = ("--retrieval", "apgem")
GHARM = ("--retrieval", "apgem", "delg", "netvlad", "densevlad", "--fusion", "gharm")
CONFIG1 = ("--preset", "config1", "--num-pairs", "20")
