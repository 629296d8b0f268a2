"""The process is killed: at each failpoint, at random times, while it restarts, while it hangs."""

import random
import signal
import threading
import time

from bench import Bench, reached
from process import Failure, NotReached


# Only a folder of parts has a marker.
FOLDER_ONLY = ("K5",)


def failpoint_cases(world, is_quick):
    """Every failpoint, first and second occurrence, on one and two threads, both kinds of sink."""
    matrix = [("tickets", number, parallelism, sink)
              for number in (1, 2) for parallelism in (1, 2) for sink in ("file", "folder")]
    for index, point in enumerate(world.failpoints):
        if is_quick:
            # Each once; over all points every combination comes up.
            workload, number, parallelism, sink = matrix[index * 3 % len(matrix)]
            sink = "folder" if point in FOLDER_ONLY else sink
            yield _failpoint_case(world, point, 1, workload, parallelism, sink)
            continue
        others = [("flights", 1, 2, "file"), ("unaligned", 2, 2, "folder"),
                  ("small-memory", 1, 2, "file"), ("rules", 1, 2, "file"),
                  ("rules", 2, 1, "folder")]
        for workload, number, parallelism, sink in matrix + others:
            if sink == "folder" or point not in FOLDER_ONLY:
                yield _failpoint_case(world, point, number, workload, parallelism, sink)


# What a job with a plugin at each end passes through: all but the marker of a folder of parts.
def end_cases(world, is_quick):
    """A plugin's source and sink, killed at failpoints and at random times."""
    points = [point for point in world.failpoints if point not in FOLDER_ONLY]
    if is_quick:
        # Those of delivery and of the restart, where plugins are at work.
        points = ["C2", "C3", "C12", "K1", "K3", "K4", "K6", "K7", "K8", "X6"]
    for index, point in enumerate(points):
        for number in (1,) if is_quick else (1, 2):
            parallelism = 1 + (index + number) % 3
            name, body = _failpoint_case(world, point, number, "ends", parallelism, "plugin")
            yield name.replace("failpoint/", "ends/", 1), body
    for index in range(2 if is_quick else 20):
        body = _random_body(world, "ends", "plugin", 3 if is_quick else 6)
        yield f"ends/random-kills/{index}", body


def _failpoint_case(world, point, number, workload, parallelism, sink):
    name = f"failpoint/{point}@{number}/{workload}/p{parallelism}/{sink}"

    def body(rng):
        # What comes late in a job's life needs a longer life, or one that has begun before.
        is_late = point in ("C14", "C15")
        for before in (None, None, "C14@1", "C13@2"):
            size = workload + "-long" if is_late and workload in ("tickets", "rules") else workload
            bench = Bench(world, world.workload(size), rng, sink, parallelism)
            if ((before is None or bench.run_to_kill(before))
                    and _comes_to(bench, rng, point, number)):
                break
            is_late = True
            bench.remove()
        else:
            raise NotReached
        # A fault while the job recovers from the first one.
        if rng.random() < 0.5:
            second = f"{rng.choice(world.failpoints)}@{rng.choice([1, 1, 2, 3])}"
            bench.run_to_kill(second, parallelism=bench.any_parallelism())
        bench.finish()
        return bench

    return name, body


def _comes_to(bench, rng, point, number):
    """Kills a job at the n-th passage of a failpoint; tells whether it came there."""
    if point.startswith("X"):
        # Behind the first complete checkpoint: there must be something to go on from.
        before = rng.choice(["C12@1", "C13@1", "C7@2", "C9@2", "C10@2", "C12@2", "C13@2"])
        return bench.run_to_kill(before) and all(
            bench.run_to_kill(f"{point}@1", parallelism=bench.any_parallelism())
            for _ in range(number))
    is_reached = bench.run_to_kill(f"{point}@{number}")
    if not is_reached:
        bench.check_whole()
    return is_reached


def random_cases(world, count, kills=6):
    """Kills at random times, again and again, with other parallelisms in between."""
    workloads = ["tickets", "tickets", "flights", "unaligned", "small-memory", "rules"]
    for index in range(count):
        workload = workloads[index % len(workloads)]
        sink = ("file", "folder")[index // 2 % 2]
        body = _random_body(world, workload, sink, kills)
        yield f"random-kills/{index}/{workload}/{sink}", body


def _random_body(world, workload, sink, kills):
    def body(rng):
        bench = Bench(world, world.workload(workload), rng, sink, rng.choice([1, 2, 3]))
        length = world.reference(bench.workload).duration
        for _ in range(rng.randint(2, kills)):
            run = bench.start(parallelism=rng.choice([1, 2, 3]))
            # Some of them while the job still restarts.
            _pause(run, rng.uniform(0, 0.3) if rng.random() < 0.3 else rng.uniform(0.1, length))
            if rng.random() < 0.3:
                run.send(signal.SIGSTOP)
                time.sleep(rng.uniform(0.01, 0.4))
                run.send(signal.SIGCONT)
                _pause(run, rng.uniform(0, length / 2))
            run.send(signal.SIGKILL)
            run.wait()
            if not run.was_killed:
                if run.status != 0:
                    raise Failure(f"ended with status {run.status}\n{run.tail}")
                bench.check_whole()
                break
            bench.check_partial()
        bench.finish()
        return bench

    return body


def _pause(run, seconds):
    """Sleeps, but no longer than the process lives."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit and run.is_running():
        time.sleep(0.005)


def zombie_cases(world, count):
    """A stopped process and its replacement: only one of them may write."""
    for index in range(count):
        def body(rng, index=index):
            sink = ("file", "folder")[index % 2]
            bench = Bench(world, world.workload("tickets-long"), rng, sink)
            first = bench.start()
            _pause(first, rng.uniform(0.25, 0.6))
            first.send(signal.SIGSTOP)
            reached(first.is_running())
            second = bench.run()
            if second.status != 2 or "another process" not in second.text:
                raise Failure(f"two writers: the second one ended with status {second.status}\n"
                              f"{second.tail}")
            bench.check_partial()
            if rng.random() < 0.5:
                first.send(signal.SIGCONT)
                first.wait()
                if first.status != 0:
                    raise Failure(f"the first one ended with {first.status}\n{first.tail}")
            else:
                first.send(signal.SIGKILL)
                first.wait()
                bench.check_partial()
            bench.finish()
            return bench
        yield f"stopped/{index}", body


def stop_cases(world, count):
    """The input grows; the job is stopped with Ctrl-C or killed, and goes on, again and again."""
    for index in range(count):
        yield f"followed/{index}", _follow_body(world, ("file", "folder")[index % 2])


def _follow_body(world, sink):
    def body(rng):
        workload = world.workload("followed")
        bench = Bench(world, workload, rng, sink, rng.choice([1, 2]))
        content = workload.input.read_bytes()
        source = bench.folder / "growing.jsonl"
        source.write_bytes(content[:len(content) // 4])
        bench.write_job(source=source)
        is_over = threading.Event()
        writer = threading.Thread(
            target=_grow, args=(source, content, random.Random(rng.random()), is_over))
        writer.start()
        stops = 0
        try:
            while True:
                is_last = not writer.is_alive()
                run = bench.start(parallelism=bench.any_parallelism())
                _pause(run, rng.uniform(0.3, 1.2))
                is_stop = is_last or rng.random() < 0.6
                run.send(signal.SIGINT if is_stop else signal.SIGKILL)
                run.wait()
                if is_stop and run.status != 0:
                    if run.status == -signal.SIGINT:
                        continue  # It was not yet listening.
                    raise Failure(f"stopped with status {run.status}\n{run.tail}")
                stops += is_stop
                bench.check_partial()
                if is_last:
                    break
        finally:
            is_over.set()
            writer.join()
        # The same input, which has an end now.
        bench.workload = world.workload("followed-to-end")
        bench.workload.expected = workload.expected
        bench.write_job(source=source)
        bench.finish()
        return bench

    return body


def _grow(path, content, rng, is_over):
    """Appends the rest in pieces that end in the middle of lines, too."""
    at = len(content) // 4
    # Some 100 pieces, in some 5 s.
    limit = max(2, len(content) * 3 // 200)
    with open(path, "ab", buffering=0) as file:
        while at < len(content) and not is_over.is_set():
            size = rng.randint(1, limit)
            file.write(content[at:at + size])
            at += size
            time.sleep(rng.uniform(0, 0.1))
