"""Commands one after the other, as a user would type them."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

from .main import OK


class Steps:
    """Runs commands one after the other, and remembers them, how long they took and how they ended."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.seconds: dict[str, float] = {}
        self.status = OK

    def command(self, name: str, *arguments: str) -> None:
        """A vloc command as typed; one that cannot go on raises, and so ends all of them."""
        line = f"vloc {name} {shlex.join(arguments)}"
        print(f"\n$ {line}", flush=True)
        self.lines.append(line)
        status = self.timed(name, lambda: import_module(f".{name}", __package__).run(arguments))
        self.status = max(self.status, status)

    def timed(self, name: str, work: Callable[[], Any]) -> Any:
        """The result of some work whose time is wanted."""
        began = time.monotonic()
        result = work()
        self.seconds[name] = time.monotonic() - began
        return result
