"""The machine that a figure was measured on, in one line, and the memory that this process takes on it."""

import os
import platform
import threading
from pathlib import Path


def machine() -> str:
    """Name the processor, its cores, how busy they were, and Python's version."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = names[0] if names else platform.processor() or "unknown processor"
    load = os.getloadavg()[0]
    return f"{processor}, {os.cpu_count()} cores, load {load:.1f}, Python {platform.python_version()}"


class OwnMemory(threading.Thread):
    """Watches the process's anonymous pages and keeps the highest, in bytes."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak, self._over = 0, threading.Event()

    def run(self) -> None:
        """Look every few milliseconds until it is stopped."""
        while not self._over.wait(0.005):
            self.look()

    def look(self) -> None:
        """Take the present memory into account."""
        lines = Path("/proc/self/status").read_text().splitlines()
        own = next((int(line.split()[1]) for line in lines if line.startswith("RssAnon")), 0)
        self.peak = max(self.peak, own * 1024)

    def stop(self) -> int:
        """Return the highest so far, and end."""
        self.look()
        self._over.set()
        self.join()
        return self.peak
