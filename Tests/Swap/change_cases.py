"""Swaps that go well: of code, of schemas, of several at once; and jobs without any."""

import re
import time

from bench import Bench
from oracle import Model, Output, check_state
from rig import Failure, Skipped


def quick(body):
    """Marks a case of `make test`."""
    body.is_quick = True
    return body


# Without a swap: that the oracle and the versions agree.

@quick
def case_control_v1_alone(rig, rng):
    """No swap: the first version."""
    bench = Bench(rig).start().until_working()
    time.sleep(1)
    bench.finish([10])


def case_control_v2_alone(rig, rng):
    bench = Bench(rig, "v2").start().until_working()
    time.sleep(1)
    bench.finish([20])


def case_control_v3_alone(rig, rng):
    bench = Bench(rig, "v3").start().until_working()
    bench.finish([30])


@quick
def case_control_checker(rig, rng):
    """The checker finds what it is there for: each kind of damage to an output that is right."""
    bench = Bench(rig, keys=53, first=3000).start().until_working()
    bench.swapped("v2")
    bench.until_swept()
    bench.finish([10, 20])
    lines, model = bench.lines(), Model(bench.input)
    at = rng.randrange(len(lines) // 2, len(lines))
    new = [i for i, line in enumerate(lines) if '"n":' in line and '"v":20}' in line]
    old = [i for i, line in enumerate(lines) if '"n":' in line and '"v":10}' in line]
    timer = rng.choice([i for i, line in enumerate(lines) if '"d":' in line])
    key = lines[new[-1]].split(",")[0]
    same = [i for i in new if lines[i].startswith(key + ",")][-2:]
    damages = {
        "lost": lambda text: text.pop(at),
        "twice": lambda text: text.insert(at, text[at]),
        "order": lambda text: text.insert(same[0], text.pop(same[1])),
        "old behind new": lambda text: text.__setitem__(
            new[-1], text[new[-1]].replace('"v":20}', '"v":10}')),
        "new before the swap": lambda text: text.__setitem__(
            old[0], text[old[0]].replace('"v":10}', '"v":20}')),
        "timer lost": lambda text: text.pop(timer),
        "timer twice": lambda text: text.append(text[timer]),
        "timer at another time": lambda text: text.__setitem__(
            timer, text[timer].replace('"at":', '"at":1')),
        "another sum": lambda text: text.__setitem__(
            new[-1], text[new[-1]].replace('"s":', '"s":1')),
        "new state reset": lambda text: text.__setitem__(
            new[-1], re.sub('"x":[0-9]+', '"x":0', text[new[-1]])),
    }
    for what, damage in damages.items():
        text = list(lines)
        damage(text)
        try:
            Output(text, model).check([10, 20], is_whole=True)
        except Failure:
            continue
        raise Failure(f"the checker has not found: {what}")
    export = bench.export()
    for what, wrong in {
            "another value": export.replace('"number":', '"number":1', 1),
            "a value lost": "\n".join(export.splitlines()[:3] + export.splitlines()[4:]),
            "another version": export.replace('"schemaVersion":2', '"schemaVersion":1', 1),
            "another operator": export.replace('"subject"', '"subject@1"', 1)}.items():
        try:
            check_state(wrong, model, 2)
        except Failure:
            continue
        raise Failure(f"the checker has not found in the state: {what}")


# Code alone

@quick
def case_code_only(rig, rng):
    """Another code over the same state: each subtask at its next pass."""
    bench = Bench(rig).start().until_working()
    status = bench.swapped("v1-code")
    expect(status["phase"] == "committed", "a committed swap", status)
    bench.until_written_by(11)
    bench.finish([10, 11])


def case_code_only_guarded(rig, rng):
    bench = Bench(rig).start().until_working()
    bench.swapped("v1-code", "--guard", "1s")
    bench.until_written_by(11)
    bench.finish([10, 11])


def case_code_only_barrier(rig, rng):
    bench = Bench(rig).start().until_working()
    bench.swapped("v1-code", "--cut", "barrier")
    bench.until_written_by(11)
    bench.finish([10, 11])


def case_code_only_many(rig, rng):
    """Forwards and back again, ten times: the old code is just another version."""
    bench = Bench(rig).start().until_working()
    order = [10]
    for turn in range(10):
        bench.swapped(("v1-code", "v1-code-2", "v1")[turn % 3])
        order.append((11, 12, 10)[turn % 3])
        time.sleep(rng.uniform(0, 0.2))
    bench.finish(order)


def case_code_only_without_checkpoints(rig, rng):
    """State in memory alone, no journal, no way back but by the pointer."""
    bench = Bench(rig, checkpoints=False).start().until_working()
    bench.swapped("v1-code")
    bench.until_written_by(11)
    bench.until_caught_up()
    bench.stop()
    bench.check_part([10, 11])
    if len([line for line in bench.lines() if '"n":' in line]) != bench.feed.count:
        raise Failure("the output is not complete")


# Another schema

@quick
def case_schema(rig, rng):
    """All states and the timer get another schema; one has another name, one is new."""
    bench = Bench(rig).start().until_working()
    bench.swapped("v2")
    bench.until_written_by(20)
    bench.until_swept()
    bench.finish([10, 20])


def case_f19_time_to_live(rig, rng):
    """States that expire some day, and do not yet."""
    # Not by event time, which goes to its end when the input does.
    ttl = "{ ttl: 90d, refresh: read-and-write }"
    bench = Bench(rig, operator=f"      state: {{ sum: {ttl}, log: {ttl}, seen: {{ ttl: 30d }} }}\n")
    bench.start().until_working()
    bench.swapped("v2", "--guard", "300ms")
    bench.until_swept()
    bench.finish([10, 20])


def case_f19_time_to_live_of_renamed(rig, rng):
    """The job file knows the state by its old name; the next process has the new version."""
    bench = Bench(rig, operator="      state: { text: { ttl: 90d } }\n")
    bench.start().until_working()
    bench.swapped("v2")
    bench.until_swept()
    bench.finish([10, 20])


def case_schema_guarded(rig, rng):
    bench = Bench(rig).start().until_working()
    bench.swapped("v2", "--guard", "1s")
    bench.until_written_by(20)
    bench.until_swept()
    bench.finish([10, 20])


def case_schema_barrier(rig, rng):
    bench = Bench(rig).start().until_working()
    bench.swapped("v2", "--cut", "barrier")
    bench.until_written_by(20)
    bench.until_swept()
    bench.finish([10, 20])


def case_schema_boundary_guarded(rig, rng):
    bench = Bench(rig).start().until_working()
    bench.swapped("v2", "--cut", "boundary", "--guard", "500ms")
    bench.until_written_by(20)
    bench.until_swept()
    bench.finish([10, 20])


def case_schema_without_checkpoints(rig, rng):
    bench = Bench(rig, checkpoints=False).start().until_working()
    bench.swapped("v2")
    bench.until_written_by(20)
    bench.until_swept()
    bench.until_caught_up()
    bench.stop()
    bench.check_part([10, 20])
    if len([line for line in bench.lines() if '"n":' in line]) != bench.feed.count:
        raise Failure("the output is not complete")


def case_f18_chain(rig, rng):
    """The third version, while rows of the first one are still there: several origins at once.

    One that cannot read the first one's has to wait: the next process would have it alone.
    """
    bench = Bench(rig, keys=20011, first=30000).start().until_working()
    bench.swapped("v2")
    bench.swap("v3-from-v2").expect(1, "rows of an older version", "min_readable")
    bench.swapped("v3")
    bench.until_written_by(30)
    bench.until_swept()
    bench.finish([10, 20, 30])


def case_skips_a_version(rig, rng):
    """The third version reads the first one's bytes."""
    bench = Bench(rig).start().until_working()
    bench.swapped("v3")
    bench.until_written_by(30)
    bench.until_swept()
    bench.finish([10, 30])


def case_schema_then_code(rig, rng):
    bench = Bench(rig).start().until_working()
    bench.swapped("v1-code")
    bench.swapped("v2")
    bench.until_swept()
    bench.swapped("v3", "--guard", "500ms")
    bench.until_swept()
    bench.finish([10, 11, 20, 30])


@quick
def case_f17_untouched_rows(rig, rng):
    """A job is stopped before its rows are moved: they are moved when it goes on."""
    bench = Bench(rig, keys=9001, first=12000, rate=300).start().until_working()
    bench.swapped("v2")
    bench.finish([10, 20], older=(1,))


def case_f10_idle(rig, rng):
    """Nobody sends a record: the swap comes into force all the same, in both ways of cutting."""
    for cut in ("boundary", "barrier"):
        bench = Bench(rig, first=2000, rate=0).start().until_working()
        bench.until_caught_up()
        status = bench.swapped("v2", "--cut", cut)
        expect(status["phase"] == "committed", "a committed swap", status)
        bench.until_swept()
        bench.finish([10, 20])


def case_f25_timer_at_the_cut(rig, rng):
    """Swaps while timers fire all the time: each fires once, before or behind the cut."""
    bench = Bench(rig, keys=97, rate=4000).start().until_working()
    for version in ("v1-code", "v1-code-2", "v2", "v3"):
        time.sleep(rng.uniform(0.1, 0.4))
        bench.swapped(version)
    bench.until_swept()
    bench.finish([10, 11, 12, 20, 30])


def case_f22_small_memory(rig, rng):
    """Rows that are not in memory when the sweep comes to them."""
    bench = Bench(rig, keys=60013, first=150000, rate=500,
                  spec="  memory: { budget: 32MiB }\n").start().until_working()
    bench.swapped("v2")
    bench.until_swept()
    bench.finish([10, 20])


def case_unaligned(rig, rng):
    """The barrier of a cut may not overtake records, whatever others may."""
    bench = Bench(rig, parallelism=3, interval="100ms, alignment-timeout: 0s")
    bench.start().until_working()
    bench.swapped("v2", "--cut", "barrier", "--guard", "300ms")
    bench.until_swept()
    bench.swapped("v3", "--cut", "barrier")
    bench.until_swept()
    bench.finish([10, 20, 30])


def case_f17_untouched_rows_rescaled(rig, rng):
    """The same, and the job goes on with more and then with fewer subtasks."""
    bench = Bench(rig, keys=9001, first=12000, rate=300).start().until_working()
    bench.swapped("v2")
    bench.feed.stop()
    bench.stop()
    for bench.parallelism in (3, 1):
        bench.start(feed=False)
        bench.until("it answers", lambda: bench.ask("job", "status", *bench.where()).status == 0)
        time.sleep(rng.uniform(0, 0.1))
        bench.kill()
        bench.check_part([10, 20])
    bench.finish([10, 20], stop=False, older=(1,))


def case_f18_in_between(rig, rng):
    """Swept, and part of a checkpoint: then a version that reads its predecessor alone may come,
    and a kill right behind it does no harm."""
    bench = Bench(rig).start().until_working()
    bench.swapped("v2")
    bench.until_swept()
    bench.until("it can be swapped", lambda: bench.swap("v3-from-v2").status == 0)
    bench.kill()
    bench.check_part([10, 20, 30])
    bench.start(feed=False)
    bench.until("it answers", lambda: bench.ask("job", "status", *bench.where()).status == 0)
    bench.finish([10, 20, 30], older=(2,))


def case_f18_chain_over_restarts(rig, rng):
    """Rows of two older versions in one checkpoint."""
    bench = Bench(rig, keys=9001, first=12000, rate=300).start().until_working()
    bench.swapped("v2")
    bench.swapped("v3")
    bench.kill()
    bench.check_part([10, 20, 30])
    bench.start(feed=False)
    bench.until("it answers", lambda: bench.ask("job", "status", *bench.where()).status == 0)
    bench.finish([10, 20, 30], older=(1, 2))


def case_f09_backlog(rig, rng):
    """More comes than the operator can take: a cut waits for what is queued, or gives up."""
    for cut in ("boundary", "barrier"):
        bench = Bench(rig, config={"pause": 30_000}, first=30_000, rate=1000).start()
        bench.until("it answers", lambda: bench.handled() > 0)
        result = bench.swap("v2", "--cut", cut, "--deadline", "3s")
        result.expect((0, 1))
        bench.finish([10, 20] if result.status == 0 else [10], older=(1,))


def expect(condition, what, found):
    if not condition:
        raise Failure(f"expected {what}, found {str(found)[:600]}")
