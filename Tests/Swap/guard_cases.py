"""Swaps on probation that are taken back, committed, refused; and what is said of them."""

import json
import time

from bench import Bench
from change_cases import expect, quick


def rolled_back(result, *texts):
    """A swap that was taken back; returns the status."""
    result.expect(1)
    status = json.loads(result.output)
    expect(status["phase"] == "rolled-back", "phase rolled-back", status)
    for text in texts:
        expect(text in status.get("reason", ""), f"a reason with {text!r}", status.get("reason"))
    return status


def detached(bench, to, *options):
    bench.swapped(to, "--guard", "60s", "--detach", *options)
    status = bench.status()
    expect(status["phase"] == "probation", "a swap on probation", status["phase"])
    return status


def asked_back(bench, order, version=None, **more):
    """Takes a swap back on request, and looks whether the job goes on as if nothing had been."""
    bench.rig.run(bench.folder, "swap", "rollback", *bench.where(), "--json").expect(0)
    bench.until("it is taken back", lambda: bench.status()["phase"] == "rolled-back")
    status = bench.status()
    time.sleep(0.3)
    bench.finish(order, version, **more)
    return status


@quick
def case_f03_rewind_schema(rig, rng):
    """Taken back on request: no line of the new version was ever visible."""
    bench = Bench(rig).start().until_working()
    detached(bench, "v2")
    time.sleep(1)
    status = asked_back(bench, [10])
    expect(status["figures"]["rung"] == "rewind", "rung rewind", status["figures"])
    expect(bench.history()[-1]["outcome"] == "rolled-back", "history", bench.history())


def case_f08_purge_on_probation(rig, rng):
    """Keys are not purged beside a swap: going back would bring them back."""
    # Most keys are not written meanwhile.
    bench = Bench(rig, keys=4001, rate=200).start().until_working()
    purge = ["state", "purge", "--checkpoint", bench.checkpoints, "--live", *bench.where(),
             "--operator", "subject", "--where", "key like \"k*\"", "--yes"]
    detached(bench, "v1-code")
    # Whether a key was written since is known to the second.
    time.sleep(2.5)
    bench.ask(*purge).expect(1, "is under way")
    rig.run(bench.folder, "swap", "rollback", *bench.where()).expect(0)
    bench.ask(*purge).expect(0)
    last = bench.history()[-1]
    expect((last["kind"], last["outcome"]) == ("purge", "committed"), "a purge", last)
    bench.feed.stop()
    bench.stop()


def case_start_that_fails_decides_nothing(rig, rng):
    """The job file's version cannot read what the newer one has written: nothing changes."""
    bench = Bench(rig).start().until_working()
    bench.swapped("v2")
    bench.until_swept()
    bench.feed.stop()
    bench.stop()
    before = bench.history()
    bench.start("--forget-swaps", feed=False)
    bench.until_dead().expect(2, "does not fit checkpoint")
    expect(bench.history() == before, "the same history", bench.history())
    bench.start(feed=False)
    bench.until("it answers", lambda: bench.ask("job", "status", *bench.where()).status == 0)
    bench.finish([10, 20])


def case_limits_need_a_guard(rig, rng):
    """Limits that nobody would look at are refused, and so is a way back that there is not."""
    bench = Bench(rig).start().until_working()
    for limit in (["--max-error-rate", "1%"], ["--max-p99", "5ms"], ["--max-counter", "n=1"]):
        bench.swap("v2", *limit).expect(64, "--guard")
        bench.upgrade(bench.folder / "job.yaml", *limit).expect(64, "--guard")
    bench.swap("v2", "--guard", "1s", "--cut", "boundary", "--min-rung", "rewind").expect(
        2, "--min-rung")
    expect(bench.history_or_none() == [], "no history", bench.history_or_none())
    bench.finish([10])


def case_rewind_code(rig, rng):
    bench = Bench(rig).start().until_working()
    detached(bench, "v1-code")
    time.sleep(0.5)
    asked_back(bench, [10])


def case_rewind_idle_flips(rig, rng):
    """Nobody has called the new version: the pointer goes back."""
    bench = Bench(rig, first=2000, rate=0).start().until_working()
    bench.until_caught_up()
    detached(bench, "v2")
    status = asked_back(bench, [10])
    expect(status["figures"]["rung"] == "flip", "rung flip", status["figures"])


def case_f47_commit_on_request(rig, rng):
    bench = Bench(rig).start().until_working()
    detached(bench, "v2")
    time.sleep(0.5)
    expect('"v":20}' not in bench.output.read_text(), "output that is held back", "a line of it")
    rig.run(bench.folder, "swap", "commit", *bench.where()).expect(0)
    bench.until_written_by(20)
    bench.until_swept()
    bench.finish([10, 20])


def case_f13_downgrade(rig, rng):
    """The new version brings its state back: what it has emitted stays."""
    bench = Bench(rig).start().until_working()
    timers = {25: 1}
    bench.swapped("v2-back", "--guard", "60s", "--cut", "boundary", "--detach")
    bench.until_written_by(25)
    rig.run(bench.folder, "swap", "rollback", *bench.where()).expect(0)
    bench.until("it is taken back", lambda: bench.status()["phase"] == "rolled-back")
    figures = bench.status()["figures"]
    expect(figures["rung"] == "downgrade", "rung downgrade", figures)
    bench.until_swept()
    bench.finish([10, 25, 10], 1, timer_versions=timers, timer_version=1)


def case_f13_downgrade_without_checkpoints(rig, rng):
    """State in memory alone: the rows are brought back where they are."""
    bench = Bench(rig, checkpoints=False).start().until_working()
    bench.swapped("v2-back", "--guard", "60s", "--cut", "boundary", "--detach")
    bench.until_written_by(25)
    rig.run(bench.folder, "swap", "rollback", *bench.where()).expect(0)
    bench.until("it is taken back", lambda: bench.status()["phase"] == "rolled-back")
    figures = bench.status()["figures"]
    expect(figures["rung"] == "downgrade", "rung downgrade", figures)
    bench.until_swept()
    bench.until_caught_up()
    bench.stop()
    bench.check_part([10, 25, 10], {25: 1})
    found = len([line for line in bench.lines() if '"n":' in line])
    expect(found == bench.feed.count, f"{bench.feed.count} lines", found)


def case_f13_back_stays(rig, rng):
    """The same version, and it stays."""
    bench = Bench(rig).start().until_working()
    bench.swapped("v2-back")
    bench.until_swept()
    bench.finish([10, 25], 2, timer_versions={25: 1}, timer_version=1)


def case_rewind_then_again(rig, rng):
    """Taken back on request, and tried again: that is no quarantine."""
    bench = Bench(rig).start().until_working()
    detached(bench, "v2")
    time.sleep(0.3)
    rig.run(bench.folder, "swap", "rollback", *bench.where()).expect(0)
    bench.until("it is taken back", lambda: bench.status()["phase"] == "rolled-back")
    bench.swapped("v2", "--guard", "300ms")
    bench.until_swept()
    bench.finish([10, 20])


def case_f05_ends_on_probation(rig, rng):
    """The job is stopped while a swap is on probation: what is held back is decided."""
    bench = Bench(rig).start().until_working()
    detached(bench, "v2")
    time.sleep(0.5)
    bench.feed.stop()
    bench.stop()
    outcome = bench.history()[-1]["outcome"]
    expect(outcome in ("committed", "rolled-back"), "a decided swap", outcome)
    is_new = outcome == "committed"
    bench.finish([10, 20] if is_new else [10], stop=False, older=(1,))


# Refused before anything is touched

@quick
def case_f19_plan_refuses(rig, rng):
    """A schema without migrate, one too new, a file that is none: the job does not notice."""
    bench = Bench(rig).start().until_working()
    bench.swap("v2+NO_MIGRATE").expect(2, "schema version", "migrate")
    bench.swap("v3-from-v2").expect(2, "reads versions from 2")
    bench.swap(bench.input).expect(2)
    bench.swap(bench.folder / "missing.so").expect(2, "missing.so")
    bench.swap("v2", operator="nobody").expect(2, "nobody")
    bench.swap("v2", "--min-rung", "rewind").expect(2, "way back")
    bench.finish([10])
    expect(bench.history_or_none() == [], "no swap in the journal", bench.history_or_none())


def case_f50_expectation(rig, rng):
    """The version that runs is another than the one that is expected; the same swap twice."""
    bench = Bench(rig).start().until_working()
    import hashlib
    right = hashlib.sha256(bench.plugin.read_bytes()).hexdigest()
    bench.swap("v2", "--expect", "0123abcd").expect(2, "expected")
    bench.swapped("v2", "--expect", right[:16])
    bench.swap("v2", "--expect", right[:16]).expect(2, "expected")
    bench.until_swept()
    bench.finish([10, 20])


def case_f50_same_version(rig, rng):
    """The version that runs already: nothing to do, or done without harm."""
    bench = Bench(rig).start().until_working()
    bench.swapped("v2")
    bench.swap("v2").expect((0, 2))
    bench.until_swept()
    bench.finish([10, 20])


def case_f07_second_swap(rig, rng):
    """Another swap while one is on probation."""
    bench = Bench(rig).start().until_working()
    detached(bench, "v2")
    bench.swap("v3").expect(2, "under way")
    bench.swap("v3-from-v2", "--guard", "1s").expect(2, "under way")
    asked_back(bench, [10])


def case_f08_checkpoint_at_once(rig, rng):
    """Checkpoints are asked for all the time while swaps come."""
    bench = Bench(rig, interval="1h").start()
    bench.until("it answers", lambda: bench.handled() > 0)
    asking = []
    for version in ("v1-code", "v2", "v3"):
        asking += [bench.start_checkpoint() for _ in range(2)]
        bench.swapped(version, "--cut", rng.choice(("boundary", "barrier")))
    for run in asking:
        run.wait().expect(0)
    bench.until_swept()
    bench.finish([10, 11, 20, 30])


@quick
def case_f09_deadline(rig, rng):
    """A callback that does not come back in time: the swap is given up, the old version goes on."""
    bench = Bench(rig, config={"pause": 1_500_000}, rate=20, first=40).start()
    bench.until("it answers", lambda: bench.handled() > 0)
    result = bench.swap("v2", "--deadline", "200ms")
    result.expect(1)
    status = json.loads(result.output)
    expect(status["phase"] == "abandoned", "an abandoned swap", status["phase"])
    expect("in time" in status["reason"], "a reason", status["reason"])
    bench.finish([10])


def case_f34_old_version_goes(rig, rng):
    """When no row of the old version is left, nothing keeps it."""
    bench = Bench(rig).start().until_working()
    bench.swapped("v2")
    bench.until_swept()

    def is_gone():
        users = [one["users"] for one in bench.status()["resident"] if one["version"] == "1.0.0"]
        return not any(users)
    bench.until("nobody uses the old version", is_gone, limit=5)
    bench.finish([10, 20])


# Rescales, which share the lock of swaps

def case_f08_rescale(rig, rng):
    """More subtasks, fewer, and swaps in between: rows of both versions move with their groups."""
    bench = Bench(rig, keys=4001, first=8000).start().until_working()
    for version, parallelism in (("v1-code", 3), ("v2", 1), ("v3", 2)):
        bench.swapped(version)
        bench.ask("job", "rescale", str(parallelism), *bench.where()).expect(0)
        bench.check_part([10, 11, 20, 30])
    bench.until_swept()
    bench.finish([10, 11, 20, 30])


def case_f08_rescale_on_probation(rig, rng):
    """One operation at a time."""
    bench = Bench(rig).start().until_working()
    detached(bench, "v2")
    bench.ask("job", "rescale", "3", *bench.where()).expect(
        (1, 2), "under way")
    asked_back(bench, [10])


def case_f08_kill_while_rescaled(rig, rng):
    bench = Bench(rig, keys=4001, first=8000).start().until_working()
    bench.swapped("v2")
    asking = rig.start(bench.folder, "job", "rescale", "3", *bench.where())
    time.sleep(rng.uniform(0, 0.4))
    bench.kill()
    # Done, cut off, or the job was gone before it was asked; never one that was not understood.
    asking.wait().expect((0, 1, 2))
    bench.check_part([10, 20])
    bench.start(feed=False)
    bench.until("it answers", lambda: bench.ask("job", "status", *bench.where()).status == 0)
    bench.finish([10, 20], older=(1,))
