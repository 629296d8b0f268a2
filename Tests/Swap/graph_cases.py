"""Other job files for a running job: refused, committed, taken back, and killed on the way."""

import json
import signal
import time

from bench import Bench
from change_cases import expect, quick
from guard_cases import rolled_back
from oracle import Model, Output
from rig import Failure, Skipped

# Where an upgrade comes by: forwards, when it is committed, and on the way back.
FORWARD = ("S6", "S10", "S11", "S12", "S13", "B4")
BACK = ("B1", "B5", "B6")


def job_two(bench, plugin="v1-code", also=True, follows=True):
    """Writes another job file: another version of the subject, and one more operator."""
    before = bench.plugin, bench.also
    bench.plugin = bench.rig.version(plugin)
    bench.also = bench.rig.version("v1") if also else None
    path = bench.write(follows, "job-2.yaml")
    bench.two = bench.plugin, bench.also
    bench.plugin, bench.also = before
    return path


def stays(bench):
    """The bench goes on with the second file."""
    bench.plugin, bench.also = bench.two


def also_lines(bench):
    path = bench.folder / "also.jsonl"
    return path.read_text().split("\n")[:-1] if path.exists() else []


def detached(bench, file, *options):
    status = bench.upgraded(file, "--guard", "60s", "--detach", *options)
    expect(status["phase"] == "probation", "an upgrade on probation", status)
    time.sleep(0.5)
    return status


def outcome(bench):
    return bench.history()[-1]["outcome"]


def case_upgrade_plan(rig, rng):
    """What would be done, and nothing of it."""
    bench = Bench(rig).start().until_working()
    plan = bench.upgraded(job_two(bench), "--plan")
    fates = {node["id"]: node["fate"] for node in plan["nodes"]}
    expect(fates == {"records": "same", "subject": "changed", "also": "added", "out": "same",
                     "also-out": "added"}, "the fate of each node", plan["nodes"])
    expect([v["operator"] for v in plan["versions"]] == ["subject"], "a version", plan["versions"])
    expect(bench.history_or_none() == [], "no history", bench.history_or_none())
    bench.finish([10])


@quick
def case_upgrade_unguarded(rig, rng):
    """Another version and one more operator; then a start with the file before."""
    bench = Bench(rig).start().until_working()
    status = bench.upgraded(job_two(bench))
    expect(status["phase"] == "committed", "a committed upgrade", status)
    bench.until_written_by(11)
    bench.until("the other operator writes", lambda: also_lines(bench))
    bench.kill()
    # The old file means the new one.
    bench.start(feed=False)
    bench.until("it goes on", lambda: "the job was upgraded" in bench.running.said())
    bench.until("there is a node of the new file", lambda: '"also"' in bench.ask(
        "job", "status", *bench.where(), "--json").output)
    stays(bench)
    bench.finish([10, 11])
    # From the last line of the input that the upgrade has left on.
    counts = {}
    for line in also_lines(bench):
        one = json.loads(line)
        if "c" in one:
            counts[one["k"]] = counts.get(one["k"], 0) + 1
            expect(one["c"] == counts[one["k"]], "each record once, in order", one)
    expect(counts, "records of the other operator", counts)


def case_upgrade_guarded(rig, rng):
    bench = Bench(rig).start().until_working()
    status = bench.upgraded(job_two(bench), "--guard", "700ms")
    expect(status["phase"] == "committed", "a committed upgrade", status)
    bench.until_written_by(11)
    stays(bench)
    bench.finish([10, 11])


@quick
def case_upgrade_taken_back(rig, rng):
    """On request: nobody has seen a line of the new graph, and the old file goes on."""
    bench = Bench(rig).start().until_working()
    detached(bench, job_two(bench))
    rig.run(bench.folder, "swap", "rollback", *bench.where(), "--json").expect(0)
    expect(outcome(bench) == "rolled-back", "a rollback", bench.history())
    expect(not also_lines(bench), "nothing of the new operator", also_lines(bench)[:3])
    time.sleep(0.4)
    bench.kill()
    # Changed in place since; the content counts, not the name.
    (bench.folder / "job.yaml").write_text((bench.folder / "job-2.yaml").read_text())
    bench.start(feed=False)
    bench.until("it says so", lambda: "was taken back" in bench.running.said())
    bench.until("it answers", lambda: bench.ask("job", "status", *bench.where()).status == 0)
    time.sleep(0.3)
    bench.finish([10])
    expect(not also_lines(bench), "nothing of the new operator", also_lines(bench)[:3])


def case_upgrade_breach(rig, rng):
    """The guard sees that an operator of the new graph rejects too much."""
    bench = Bench(rig).start().until_working()
    file = job_two(bench, "v1+REJECTS")
    status = rolled_back(bench.upgrade(file, "--guard", "30s", "--max-error-rate", "1%"),
                         "rejected")
    expect(status["figures"]["rung"] == "rewind", "rung rewind", status["figures"])
    # It may be tried again, mended; and is not by itself.
    bench.finish([10])


def case_upgrade_fails(rig, rng):
    """The new graph gives up: the job goes back by itself."""
    bench = Bench(rig).start().until_working()
    rolled_back(bench.upgrade(job_two(bench, "v1+FATAL"), "--guard", "30s"))
    bench.finish([10])


@quick
def case_upgrade_crashes(rig, rng):
    """The process dies with the new graph: the next one runs the old file, with --restart."""
    bench = Bench(rig).start("--restart").until_working()
    bench.ask("job", "upgrade", *bench.where(), job_two(bench, "v1+RECORD_CRASH"), "--guard",
              "20s")
    bench.until("it was taken back", lambda: [s["outcome"] for s in bench.history_or_none()] ==
                ["rolled-back"])
    bench.until("it runs", lambda: bench.ask("job", "status", *bench.where()).status == 0)
    time.sleep(0.3)
    expect(bench.history()[-1]["cause"] == "crash", "a crash", bench.history())
    bench.finish([10])


def case_upgrade_in_place(rig, rng):
    """The file is changed in place, and the process dies in the probation."""
    bench = Bench(rig).start().until_working()
    text = job_two(bench).read_text()
    (bench.folder / "job.yaml").write_text(text)
    detached(bench, bench.folder / "job.yaml")
    bench.kill()
    bench.start(feed=False)
    bench.until("it is taken back", lambda: bench.history()[-1]["outcome"] == "rolled-back")
    bench.until("it answers", lambda: bench.ask("job", "status", *bench.where()).status == 0)
    time.sleep(0.3)
    bench.finish([10])
    expect(not also_lines(bench), "nothing of the new operator", also_lines(bench)[:3])


def case_upgrade_removes_an_operator(rig, rng):
    """Its state is given up only on request, and is back with the old file."""
    bench = Bench(rig)
    bench.also = rig.version("v1")
    bench.write(True)
    bench.start().until_working()
    bench.until("the other operator writes", lambda: also_lines(bench))
    file = job_two(bench, "v1", also=False)
    refused = bench.upgrade(file)
    refused.expect(2)
    expect("--drop-state also" in refused.errors, "a hint", refused.tail)
    detached(bench, file, "--drop-state", "also")
    rig.run(bench.folder, "swap", "rollback", *bench.where()).expect(0)
    time.sleep(0.5)
    detached(bench, file, "--drop-state", "also")
    rig.run(bench.folder, "swap", "commit", *bench.where()).expect(0)
    before = also_lines(bench)
    time.sleep(0.5)
    bench.kill()
    expect(also_lines(bench) == before, "no line of an operator that is gone", "some")
    stays(bench)
    # The state went on in between as if nothing had been.
    Output(before, Model(bench.input)).check([10], is_whole=False)
    bench.start(feed=False)
    bench.until("it goes on", lambda: "the job was upgraded" in bench.running.said())
    bench.until("it answers", lambda: bench.ask("job", "status", *bench.where()).status == 0)
    bench.finish([10])


def case_upgrade_refused(rig, rng):
    """What cannot be done is said to who asks, and nothing is touched."""
    bench = Bench(rig).start().until_working()
    good = job_two(bench).read_text()
    for what, text, reason in (
            ("missing", None, "no-such.yaml"),
            ("not YAML", "spec: [", "not YAML"),
            ("another job", good.replace("name: swapped", "name: other"), "expected the job"),
            ("another folder", good.replace('checkpoints"', 'elsewhere"'), "checkpoint folder"),
            ("unknown node", good.replace("input: also", "input: alos"), "alos"),
            ("no plugin", good.replace("libv1-code.so", "libnone.so"), "libnone.so"),
            ("parallelism", good.replace("spec:", "spec:\n  max-parallelism: 64"),
             "max-parallelism"),
            ("source gone", good.replace("id: records", "id: recs").replace(
                "input: records", "input: recs"), "--drop-state records")):
        path = bench.folder / "no-such.yaml"
        path.unlink(missing_ok=True)
        if text is not None:
            path.write_text(text)
        for options in (["--plan"], ["--guard", "1s"]):
            result = bench.upgrade(path, *options)
            if result.status != 2 or reason not in result.errors + result.output:
                raise Failure(f"{what}: expected status 2 and {reason!r}; it {result.how}\n"
                              f"{result.tail}")
    expect(bench.history_or_none() == [], "no history", bench.history_or_none())
    bench.finish([10])


def case_upgrade_twice(rig, rng):
    """One operation at a time; and each other file counts from the one before."""
    bench = Bench(rig).start().until_working()
    file = job_two(bench)
    detached(bench, file)
    bench.upgrade(file, "--guard", "1s").expect(2)
    bench.swap("v1-code-2").expect(2)
    expect(bench.ask("job", "rescale", *bench.where(), "3").status == 2, "a refusal", "another")
    rig.run(bench.folder, "swap", "commit", *bench.where()).expect(0)
    bench.until_written_by(11)
    # The operator that runs is swapped as any other, and the next number of subtasks is of the
    # new graph.
    bench.swapped("v1-code-2", "--guard", "300ms")
    bench.ask("job", "rescale", *bench.where(), "3").expect(0)
    expect('"also"' in bench.ask("job", "status", *bench.where(), "--json").output,
           "the graph of the new file", "another")
    bench.parallelism = 3
    bench.until_written_by(12)
    stays(bench)
    bench.plugin = rig.version("v1-code-2")
    bench.finish([10, 11, 12])


def more_cases():
    for point in FORWARD + BACK:
        for is_guarded in (True, False):
            if is_guarded or point not in BACK:
                name = f"upgrade-kill-{point}" + ("" if is_guarded else "-unguarded")
                yield name, (point, is_guarded) == ("S11", True), _body(point, is_guarded)


def _body(point, is_guarded):
    def body(rig, rng):
        bench = Bench(rig)
        # The first relaunch is the way there, the second one back.
        bench.start(failpoint=f"{point}@1").until_working()
        options = [] if not is_guarded else ["--guard", "500ms"]
        if point in BACK:
            options = ["--guard", "20s", "--detach"]
        asking = rig.start(bench.folder, "job", "upgrade", *bench.where(), job_two(bench),
                           *options)
        if point in BACK:
            asking.wait()
            time.sleep(0.3)
            bench.ask("swap", "rollback", *bench.where())
        result = bench.running.wait(8)
        if result.status is None:
            raise Skipped(f"does not come by {point}")
        if result.status != -signal.SIGKILL:
            raise Failure(f"expected SIGKILL at {point}, it {result.how}\n{result.tail}")
        bench.check_part([10, 11])
        if rng.random() < 0.5:
            bench.start(feed=False)
            time.sleep(rng.uniform(0, 0.6))
            bench.kill()
            bench.check_part([10, 11])
        bench.start(feed=False)
        bench.until("it answers", lambda: bench.ask("job", "status", *bench.where()).status == 0)
        expect(outcome(bench) in ("committed", "rolled-back", "abandoned"), "a decision",
               outcome(bench))
        time.sleep(0.3)
        is_new = outcome(bench) == "committed"
        if is_new:
            stays(bench)
        bench.finish([10, 11] if is_new else [10])
        if not is_new:
            expect(not also_lines(bench), "nothing of the new operator", also_lines(bench)[:3])
    return body
