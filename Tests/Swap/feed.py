"""Input that grows while a job reads it, at a steady pace."""

import threading
import time

# Event time between two records, in microseconds.
STEP = 1000


class Feed:
    """Writes records to a file: some at once, then so many each second, until it is stopped.

    A record is {"k": key, "n": its number from 1, "t": its event time}.
    """

    PERIOD = 0.01

    def __init__(self, path, keys=499, first=4000, rate=1500):
        self.path, self.keys, self.rate = path, keys, rate
        self.count = 0
        self._file = open(path, "wb", buffering=0)
        self._is_over = threading.Event()
        self._lock = threading.Lock()
        self.write(first)
        self._thread = threading.Thread(target=self._work, daemon=True)

    def start(self):
        self._thread.start()

    def write(self, count):
        """Adds so many records now."""
        with self._lock:
            lines = []
            for n in range(self.count + 1, self.count + count + 1):
                lines.append(f'{{"k":"k{n * 7919 % self.keys}","n":{n},"t":{n * STEP}}}\n')
            self._file.write("".join(lines).encode())
            self.count += count

    def _work(self):
        began, written = time.monotonic(), 0
        while not self._is_over.wait(self.PERIOD):
            due = int((time.monotonic() - began) * self.rate) - written
            if due > 0:
                self.write(due)
                written += due

    def stop(self):
        """Ends it; the file is complete when this returns."""
        if not self._is_over.is_set():
            self._is_over.set()
            if self._thread.is_alive():
                self._thread.join()
            self._file.close()
