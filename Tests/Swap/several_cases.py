"""Several operators at once: no record is handled by a mixture of versions.

A diamond: `top` sends each record to `left` and `right`, which meet in `bottom`. Each writes its
version into the record. A checker that finds mixtures is only worth something if it can find them:
the control case swaps one by one, and must find some.
"""

import collections
import json
import time

from change_cases import expect, quick
from guard_cases import rolled_back
from kinds_cases import KindBench
from rig import Failure

NAMES = ("top", "left", "right", "bottom")


class Diamond(KindBench):
    """The job."""

    def __init__(self, rig, **options):
        super().__init__(rig, "stamp", "stamp", **options)

    def write(self, follows):
        if not hasattr(self, "component"):
            return
        plugin = self.version(1)

        def operator(name, inputs):
            return (f"    - {{ id: {name}, plugin: \"{plugin}\", inputs: [{inputs}], "
                    "key: k }\n")
        (self.folder / "job.yaml").write_text(
            "apiVersion: apus/v1\nkind: Job\nmetadata: { name: diamond }\nspec:\n"
            f"  checkpoint: {{ dir: \"{self.checkpoints}\", interval: {self.interval} }}\n"
            f"  sources:\n    - id: records\n      plugin: file\n"
            f"      config: {{ path: \"{self.input}\", follow: {str(follows).lower()} }}\n"
            f"      watermark: {{ field: t, unit: us, idle-after: never }}\n"
            f"  operators:\n{operator('top', 'records')}{operator('left', 'top')}"
            f"{operator('right', 'top')}{operator('bottom', 'left, right')}"
            f"  sinks:\n    - id: out\n      plugin: file\n      input: bottom\n"
            f"      config: {{ path: \"{self.output}\" }}\n")

    def handled(self):
        status = json.loads(self.ask("job", "status", *self.where(), "--json").output)
        return next(node["recordsIn"] for node in status["nodes"] if node["id"] == "top")

    def swap_all(self, names, *options, plugin=None):
        plugin = plugin or {}
        change = self.folder / "change.yaml"
        change.write_text("changes:\n" + "".join(
            f"  - {{ operator: {name}, to: {plugin.get(name, self.version(2))} }}\n"
            for name in names))
        return self.ask("swap", "run", *self.where(), "--file", change, *options, "--json")

    def mixtures(self, lines):
        """How many records different versions have handled; looks at the rest, too."""
        counts = collections.Counter((line["n"], "left" in line) for line in lines)
        if set(counts.values()) != {1} or len(counts) != 2 * self.feed.count:
            raise Failure(f"expected {self.feed.count} records on both ways, each once, found "
                          f"{sum(counts.values())} lines of {len(counts)}")
        mixed = 0
        for line in lines:
            versions = {line[name] for name in NAMES if name in line}
            mixed += len(versions) > 1
        return mixed


@quick
def case_f28_diamond(rig, rng):
    bench = Diamond(rig).start().until_working()
    bench.swap_all(NAMES).expect(0)
    time.sleep(0.5)
    lines = bench.end()
    expect(bench.mixtures(lines) == 0, "no mixtures", bench.mixtures(lines))
    expect(any(line["bottom"] == 20 for line in lines), "lines of the new version", "none")


def case_f28_diamond_guarded(rig, rng):
    bench = Diamond(rig, parallelism=3).start().until_working()
    bench.swap_all(NAMES, "--guard", "500ms").expect(0)
    time.sleep(0.5)
    lines = bench.end()
    expect(bench.mixtures(lines) == 0, "no mixtures", bench.mixtures(lines))


def case_f28_diamond_taken_back(rig, rng):
    bench = Diamond(rig).start().until_working()
    bench.swap_all(NAMES, "--guard", "60s", "--detach").expect(0)
    time.sleep(0.5)
    rig.run(bench.folder, "swap", "rollback", *bench.where()).expect(0)
    bench.until("it is taken back", lambda: bench.status()["phase"] == "rolled-back")
    lines = bench.end()
    expect(bench.mixtures(lines) == 0, "no mixtures", bench.mixtures(lines))
    expect(all(line["bottom"] == 10 for line in lines), "lines of the old version", "others")


def case_f28_one_of_them_fails(rig, rng):
    """One cannot be made: none is swapped."""
    bench = Diamond(rig).start().until_working()
    bad = rig.subject("stamp-bad", ["-DV=2", "-DFAULT_CREATE_FAILS"], source="stamp.c")
    bench.swap_all(NAMES, plugin={"right": bad}).expect(1, "does not want to be made")
    time.sleep(0.3)
    lines = bench.end()
    expect(all(line["bottom"] == 10 for line in lines), "lines of the old version", "others")


def case_f28_control_one_by_one(rig, rng):
    """The negative control: operators that are swapped one after the other do mix."""
    bench = Diamond(rig).start().until_working()
    for name in NAMES:
        bench.swapped(bench.version(2), operator=name)
        time.sleep(0.1)
    lines = bench.end()
    expect(bench.mixtures(lines) > 0, "mixtures, which the checker must find", 0)
