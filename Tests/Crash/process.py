"""Starts the program under test, and sees to it that nothing of it stays behind."""

import os
import pathlib
import signal
import subprocess
import threading
import time


class Failure(Exception):
    """A case has failed; the text says what was expected and what was found."""


class Skipped(Exception):
    """A case cannot be run on this machine."""


class NotReached(Exception):
    """The job ended before it came to the failpoint or fault that the case is about."""


class SweepEnded(NotReached):
    """There are no more calls that could fail: the case shows that a sweep is complete."""


# Signals that mean a broken invariant or a memory error, and never a user's mistake.
TRAPS = {signal.SIGILL, signal.SIGTRAP, signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS,
         signal.SIGFPE}

_children = set()
_lock = threading.Lock()
_is_over = threading.Event()


def end_all():
    """Kills what still runs; nothing is started afterwards."""
    _is_over.set()
    with _lock:
        running = list(_children)
    for child in running:
        _kill(child)


def _kill(child):
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Run:
    """One process of the program: at work, or ended."""

    def __init__(self, command, environment, log):
        self.log_path = pathlib.Path(log)
        self.started_at = time.monotonic()
        with open(log, "wb") as errors, _lock:
            if _is_over.is_set():
                raise KeyboardInterrupt
            self.child = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=errors,
                stderr=subprocess.STDOUT, start_new_session=True)
            _children.add(self.child)

    def wait(self, limit=60):
        """Waits for the end; a process that does not end is a failure."""
        try:
            self.child.wait(limit)
        except subprocess.TimeoutExpired:
            where = self._where()
            _kill(self.child)
            self.child.wait()
            raise Failure(f"hangs: no end after {limit} s\n{where}\n{self.tail}") from None
        finally:
            with _lock:
                _children.discard(self.child)
            self.duration = time.monotonic() - self.started_at
        if self.status < 0 and -self.status in TRAPS:
            name = signal.Signals(-self.status).name
            raise Failure(f"trapped with {name}\n{self.tail}")
        return self

    def send(self, number):
        """Sends a signal, if the process has not ended."""
        if self.child.poll() is None:
            self.child.send_signal(number)

    def is_running(self):
        return self.child.poll() is None

    @property
    def status(self):
        return self.child.returncode

    @property
    def was_killed(self):
        return self.status == -signal.SIGKILL

    @property
    def text(self):
        return self.log_path.read_text(errors="replace")

    @property
    def tail(self):
        return "\n".join("    " + line for line in self.text.splitlines()[-12:])

    def _where(self):
        lines = []
        for task in pathlib.Path(f"/proc/{self.child.pid}/task").glob("*"):
            try:
                name = (task / "comm").read_text().strip()
                state = (task / "stat").read_text().rsplit(")", 1)[1].split()[0]
                waits = (task / "wchan").read_text().strip()
                lines.append(f"    thread {name}: {state} {waits}")
            except OSError:
                continue
        return "\n".join(lines)
