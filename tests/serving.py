"""A web server of a folder, which does what servers and networks do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any


@dataclass
class Served:
    """Where it is served, what was asked for, and what goes wrong.

    `faults`: end of a path -> a status to answer with, 'cut' (half of the file, and no word of its length) or 'stall'
    (half of it, and then nothing until `go_on` is set).
    """

    url: str
    asked: list[str] = field(default_factory=list)
    faults: dict[str, int | str] = field(default_factory=dict)
    go_on: Event = field(default_factory=Event)
    tells_dates: bool = True


@contextmanager
def serving(folder: Path, port: int = 0) -> Iterator[Served]:
    """Serve a folder on this machine, with no ranges and no lists of checksums."""

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, *_: object) -> None:
            pass

        def send_header(self, keyword: str, value: str) -> None:
            if served.tells_dates or keyword != "Last-Modified":
                super().send_header(keyword, value)

        def do_GET(self) -> None:
            served.asked.append(self.path)
            fault = next((what for end, what in served.faults.items() if self.path.endswith(end)), None)
            if isinstance(fault, int):
                self.send_error(fault)
            elif fault is None:
                super().do_GET()
            else:
                self._send_half(stalling=fault == "stall")

        def _send_half(self, *, stalling: bool) -> None:
            data = Path(self.translate_path(self.path)).read_bytes()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(data[: len(data) // 2])
            self.wfile.flush()
            if stalling:
                served.go_on.wait(30)

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        served = Served(f"http://127.0.0.1:{server.server_address[1]}")
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield served
        finally:
            served.go_on.set()
            server.shutdown()
            thread.join()
