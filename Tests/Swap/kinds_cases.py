"""Swaps of operators with asynchronous calls, with broadcast state, with state without keys; of
several operators at once."""

import collections
import json
import time

from bench import Bench
from change_cases import expect
from rig import Failure


class KindBench(Bench):
    """A job with another operator than the subject."""

    def __init__(self, rig, source, component, key=None, more="", sources="", **options):
        self.source, self.component, self.key = source, component, key
        self.more, self.sources = more, sources
        super().__init__(rig, **options)
        self.plugin = self.version(1)
        self.write(follows=True)

    def version(self, number):
        return self.rig.subject(f"{self.source}-{number}", [f"-DV={number}"],
                                source=f"{self.source}.c")

    def write(self, follows):
        self.follows = follows
        if not hasattr(self, "component"):
            return
        key = f"      key: {self.key}\n" if self.key else ""
        sources = self.sources.replace("FOLLOWS", str(follows).lower())
        (self.folder / "job.yaml").write_text(
            "apiVersion: apus/v1\nkind: Job\nmetadata: { name: kinds }\nspec:\n"
            f"  checkpoint: {{ dir: \"{self.checkpoints}\", interval: {self.interval} }}\n"
            f"  sources:\n    - id: records\n      plugin: file\n"
            f"      config: {{ path: \"{self.input}\", follow: {str(follows).lower()} }}\n"
            f"      watermark: {{ field: t, unit: us, idle-after: never }}\n{sources}"
            f"  operators:\n    - id: subject\n      plugin: \"{self.plugin}\"\n"
            f"      component: {self.component}\n      input: records\n{key}{self.more}"
            f"  sinks:\n    - id: out\n      plugin: file\n      input: subject\n"
            f"      config: {{ path: \"{self.output}\" }}\n")

    def end(self):
        """Stops the job, has it go on to the end; returns the lines."""
        self.feed.stop()
        self.stop()
        self.write(follows=False)
        self.start(feed=False)
        result = self.running.wait(90)
        if result.status != 0:
            raise Failure(f"the job does not go on: it {result.how}\n{result.tail}")
        return [json.loads(line) for line in self.lines()]

    def check_all_once(self, numbers):
        counts = collections.Counter(numbers)
        twice = [n for n, count in counts.items() if count > 1]
        missing = [n for n in range(1, self.feed.count + 1) if n not in counts]
        if twice or missing or len(counts) != self.feed.count:
            raise Failure(f"{len(missing)} records are missing, as {missing[:3]}; {len(twice)} "
                          f"came twice, as {twice[:3]}")


def check_versions(codes, expected, what):
    found = [code for index, code in enumerate(codes) if not index or codes[index - 1] != code]
    at = iter(expected)
    if not all(code in at for code in found):
        raise Failure(f"{what}: versions in the order {found}, expected {expected}")


def _async(rig, *options, back=False, order="unordered"):
    bench = KindBench(rig, "waiting", "waiting", key="k", rate=1000,
                      more=f"      async: {{ order: {order}, capacity: 200 }}\n")
    bench.start().until_working()
    bench.swapped(bench.version(2), *options)
    if back:
        time.sleep(0.5)
        rig.run(bench.folder, "swap", "rollback", *bench.where()).expect(0)
        bench.until("it is taken back", lambda: bench.status()["phase"] == "rolled-back")
    else:
        bench.until_written_by(20)
    lines = bench.end()
    bench.check_all_once([line["r"]["n"] for line in lines])
    keys = collections.defaultdict(list)
    for line in lines:
        keys[line["r"]["k"]].append(line)
    for key, own in keys.items():
        if [line["c"] for line in own] != list(range(1, len(own) + 1)):
            raise Failure(f"{key}: counts {[line['c'] for line in own][:20]} ...")
        check_versions([line["v"] for line in own], [10] if back else [10, 20], key)
        numbers = [line["r"]["n"] for line in own]
        if order == "ordered" and numbers != sorted(numbers):
            raise Failure(f"{key}: out of order: {numbers[:20]} ...")


def case_f26_async_boundary(rig, rng):
    """Calls that are under way at the cut are begun again by the new version."""
    _async(rig, "--cut", "boundary")


def case_f26_async_barrier_ordered(rig, rng):
    _async(rig, "--cut", "barrier", order="ordered")


def case_f26_async_guarded(rig, rng):
    _async(rig, "--guard", "500ms")


def case_f27_async_rewind(rig, rng):
    """Answers for a version that was taken back come to nobody."""
    _async(rig, "--guard", "60s", "--detach", back=True)


def _counted(rig, *options, back=False):
    bench = KindBench(rig, "unkeyed", "counted")
    bench.start().until_working()
    bench.swapped(bench.version(2), *options)
    if back:
        time.sleep(0.5)
        rig.run(bench.folder, "swap", "rollback", *bench.where()).expect(0)
        bench.until("it is taken back", lambda: bench.status()["phase"] == "rolled-back")
    else:
        bench.until_written_by(20)
    lines = bench.end()
    bench.check_all_once([line["n"] for line in lines])
    check_counts(lines, [10] if back else [10, 20])


def case_f32_operator_state(rig, rng):
    """Operator state and private snapshot of another schema: at one barrier."""
    _counted(rig)


def case_f32_operator_state_guarded(rig, rng):
    _counted(rig, "--guard", "500ms")


def case_f32_operator_state_rewind(rig, rng):
    _counted(rig, "--guard", "60s", "--detach", back=True)


def case_f32_operator_state_code_only(rig, rng):
    """The same state, other code, again and again, while checkpoints are under way."""
    bench = KindBench(rig, "unkeyed", "counted")
    bench.start().until_working()
    codes, asking = [10], []
    for turn in range(8):
        code = (11, 10)[turn % 2]
        plugin = rig.subject(f"unkeyed-code-{code}", ["-DV=1", f"-DCODE={code}"],
                             source="unkeyed.c")
        asking.append(bench.start_checkpoint())
        bench.swapped(plugin, "--cut", ("boundary", "barrier")[turn % 4 // 2])
        codes.append(code)
        time.sleep(rng.uniform(0, 0.15))
    for run in asking:
        run.wait().expect(0)
    lines = bench.end()
    bench.check_all_once([line["n"] for line in lines])
    check_counts(lines, codes)


def check_counts(lines, codes):
    """Each subtask's count and sum go on without a gap, whichever version counts."""
    subtasks = collections.defaultdict(list)
    for line in lines:
        subtasks[line["u"]].append(line)
    for subtask, own in subtasks.items():
        total = 0
        for index, line in enumerate(own, 1):
            total += line["n"]
            if line["c"] != index or line["s"] != total:
                raise Failure(f"subtask {subtask}: expected count {index} and sum {total}, found "
                              f"{line}")
        check_versions([line["v"] for line in own], codes, subtask)


def ruled(rig):
    """A job with a broadcast state; returns it, and the file of its rules."""
    rules = rig.new_folder() / "rules.jsonl"
    rules.write_text("".join(f'{{"rule":{n},"t":1}}\n' for n in range(1, 21)))
    source = (f"    - id: rules\n      plugin: file\n"
              f"      config: {{ path: \"{rules}\", follow: FOLLOWS }}\n")
    bench = KindBench(rig, "unkeyed", "ruled", key="k", sources=source,
                      more="      broadcast: [rules]\n")
    return bench, rules


def _ruled(rig, *options, back=False):
    bench, rules = ruled(rig)
    bench.start().until_working()
    bench.swapped(bench.version(2), *options)
    with open(rules, "a") as file:
        file.write("".join(f'{{"rule":{n},"t":2}}\n' for n in range(21, 31)))
    if back:
        time.sleep(0.5)
        rig.run(bench.folder, "swap", "rollback", *bench.where()).expect(0)
        bench.until("it is taken back", lambda: bench.status()["phase"] == "rolled-back")
    else:
        bench.until_written_by(20)
    time.sleep(0.3)
    lines = bench.end()
    bench.check_all_once([line["n"] for line in lines])
    keys = collections.defaultdict(list)
    for line in lines:
        keys[line["k"]].append(line)
        if line["s"] != line["rules"] * (line["rules"] + 1) // 2:
            raise Failure(f"rules that are not those that were sent: {line}")
    expect(lines[-1]["rules"] == 30, "30 rules at the end", lines[-1])
    for key, own in keys.items():
        if [line["c"] for line in own] != list(range(1, len(own) + 1)):
            raise Failure(f"{key}: counts {[line['c'] for line in own][:20]} ...")
        rules_seen = [line["rules"] for line in own]
        if rules_seen != sorted(rules_seen):
            raise Failure(f"{key}: rules were forgotten: {rules_seen}")
        check_versions([line["v"] for line in own], [10] if back else [10, 20], key)


def case_f19_broadcast(rig, rng):
    """Broadcast state of another schema: all subtasks at one barrier."""
    _ruled(rig)


def case_f19_broadcast_guarded(rig, rng):
    _ruled(rig, "--guard", "500ms")


def case_f19_broadcast_rewind(rig, rng):
    _ruled(rig, "--guard", "60s", "--detach", back=True)
