"""The power fails: what was not on the disk is gone, and the process with it."""

import fcntl
import os
import signal
import struct
import time

from bench import Bench
from disk_cases import Mount
from kill_cases import FOLDER_ONLY
from process import Failure, NotReached, Skipped

# EXT4_IOC_SHUTDOWN of fs/ext4/ext4.h in Linux: _IOR('X', 125, __u32); 2 does not flush the log.
SHUTDOWN = 0x8004587D
NO_LOG_FLUSH = 2


def cut(path):
    """Ends a file system: nothing that is not on the disk will ever be."""
    folder = os.open(path, os.O_RDONLY)
    try:
        fcntl.ioctl(folder, SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
    except OSError as error:
        raise Skipped(f"the file system cannot be shut down: {error}") from None
    finally:
        os.close(folder)


def power_cases(world, is_quick):
    """At failpoints and at random times."""
    points = [p for p in world.failpoints if not p.startswith("X")]
    points += ["X1", "X5", "X6", "X8"]
    if is_quick:
        points = ["C9", "C11", "C13", "K4"]
    for index, point in enumerate(points):
        for number in ((1,) if is_quick else (1, 2)):
            sink = ("file", "folder")[(index + number) % 2]
            sink = "folder" if point in FOLDER_ONLY else sink
            yield f"power/{point}@{number}/{sink}", _cut_at(world, point, number, sink)
    for index in range(1 if is_quick else 30):
        sink = ("file", "folder")[index % 2]
        yield f"power/random/{index}/{sink}", _cut_at_random(world, sink)


def _bench(world, disk, rng, sink, job="tickets"):
    return Bench(world, world.workload(job), rng, sink, rng.choice([1, 2]),
                 checkpoints=disk.path / "ck", outputs=disk.path / "out")


def _after(bench, disk):
    cut(disk.path)
    disk.remount()
    bench.check_partial(is_power_cut=True)


def _cut_at(world, point, number, sink):
    def body(rng):
        # What comes late in a job's life needs a longer one, or one that has begun before.
        for job, before in (("tickets", None), ("tickets-long", None), ("tickets-long", "C13@2")):
            with Mount(world, "ext4") as disk:
                bench = _bench(world, disk, rng, sink, job)
                if (before and not _is_cut(bench, disk, before)
                        or not _comes_to(bench, disk, rng, point, number)):
                    bench.remove()
                    continue
                if rng.random() < 0.4:
                    _is_cut(bench, disk, f"{rng.choice(world.failpoints)}@1")
                bench.finish()
                return bench
        raise NotReached

    return body


def _comes_to(bench, disk, rng, point, number):
    """Cuts the power at a failpoint; tells whether the job came there."""
    before = f"{rng.choice(['C9', 'C12', 'C13'])}@1"
    if point.startswith("X"):
        # Each start passes it once.
        return _is_cut(bench, disk, before) and all(
            _is_cut(bench, disk, f"{point}@1") for _ in range(number))
    return _is_cut(bench, disk, f"{point}@{number}")


def _is_cut(bench, disk, failpoint):
    """Runs the job to a failpoint and cuts the power there, if it comes there."""
    if not bench.run_to_kill(failpoint):
        return False
    _after(bench, disk)
    return True


def _cut_at_random(world, sink):
    def body(rng):
        with Mount(world, "ext4") as disk:
            bench = _bench(world, disk, rng, sink)
            for _ in range(rng.randint(1, 3)):
                run = bench.start()
                time.sleep(rng.uniform(0.2, world.reference(bench.workload).duration))
                # The process is still there: it sees calls that fail, as on a dying disk.
                cut(disk.path)
                time.sleep(rng.choice([0, 0, 0.3]))
                run.send(signal.SIGKILL)
                run.wait()
                is_done = run.status == 0
                disk.remount()
                bench.check_partial(is_power_cut=True)
                if is_done:
                    # It said that it was done: then everything must be there.
                    bench.check_whole()
                    return bench
                if not run.was_killed and run.status not in (1, 2):
                    raise Failure(f"ended with status {run.status}\n{run.tail}")
            bench.finish()
            return bench

    return body
