import ctypes
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest
import threadpoolctl

from vloc.errors import ConfigError
from vloc.runtime import Runtime, give_memory_back, one_blas_thread, one_thread_per_worker


def test_no_number_of_workers_means_one_per_core() -> None:
    assert Runtime().num_workers >= 1 and Runtime(workers=3).num_workers == 3


def test_fewer_than_no_workers_are_refused() -> None:
    with pytest.raises(ConfigError, match="workers"):
        Runtime(workers=-1)


def test_work_spread_over_the_workers_comes_back_in_order() -> None:
    together = Barrier(3, timeout=10)

    def meet(number: int) -> int:
        together.wait()
        return -number

    with Runtime(workers=3).mapping() as each:
        assert list(each(meet, range(6))) == [0, -1, -2, -3, -4, -5]


def test_workers_compute_on_one_thread_each_and_others_are_as_before() -> None:
    def threads() -> list[int]:
        return [pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]

    np.ones((4, 4)) @ np.ones((4, 4))
    before = threads()
    with one_thread_per_worker():
        assert set(threads()) == {1}
    assert set(threads()) == set(before)


def test_blas_has_one_thread_until_the_last_of_several_callers_leaves() -> None:
    def threads() -> set[int]:
        return {pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"}

    with one_thread_per_worker():
        pass  # loads every BLAS there is
    before = threads()
    with ThreadPoolExecutor(1) as first, ThreadPoolExecutor(1) as second:
        first.submit(one_blas_thread.__enter__).result()
        second.submit(one_blas_thread.__enter__).result()
        assert threads() == {1}
        first.submit(one_blas_thread.__exit__).result()
        assert threads() == {1}
        second.submit(one_blas_thread.__exit__).result()
        assert threads() == before


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_freed_memory_goes_back_to_the_system() -> None:
    def held() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")

    blocks = [bytearray(100_000) for _ in range(1000)]  # below the size that is mapped by itself
    kept, most = blocks[-1], held()
    del blocks
    give_memory_back()
    assert held() < most - 50_000_000 and len(kept) == 100_000


NEW_PAGES = """
import resource
from vloc.runtime import keep_memory
from sys import argv

def new_pages():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    blocks = [bytearray(b"1") * 5_000_000 for _ in range(8)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

if "keep" in argv:
    keep_memory()
print(new_pages(), new_pages(), new_pages())
"""


@pytest.mark.skipif(sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "mallopt"), reason="asks glibc")
def test_memory_that_is_kept_serves_the_next_image():
    def pages(*how: str) -> list[int]:
        told = subprocess.run([sys.executable, "-c", NEW_PAGES, *how], capture_output=True, text=True, check=True)
        return [int(count) for count in told.stdout.split()]

    assert pages("keep")[2] < 100 < pages()[2]
