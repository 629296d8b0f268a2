"""A job in a folder of its own: runs of it, faults, and what must hold after each."""

import collections
import errno
import json
import os
import pathlib
import re
import shutil
import subprocess

from process import Failure, NotReached, Run
from workloads import sealed


class Bench:
    """One job under test."""

    def __init__(self, world, workload, rng, sink="file", parallelism=2, interval="100ms",
                 extra="", checkpoints=None, outputs=None):
        workload.prepare()
        self.world = world
        self.workload = workload
        self.rng = rng
        self.sink = sink
        self.parallelism = parallelism
        self.folder = world.new_folder()
        self.checkpoints = pathlib.Path(checkpoints or self.folder / "checkpoints")
        self.output_folder = pathlib.Path(outputs or self.folder / "output")
        self.output_folder.mkdir(exist_ok=True)
        self.outputs = {
            name: self.output_folder / (name + "-parts" if sink == "folder" else file)
            for name, file in workload.sinks.items()}
        self.rejected = self.output_folder / "rejected.jsonl"
        self.job = self.folder / "job.yaml"
        self.interval, self.extra = interval, extra
        self.write_job()
        self.runs = 0
        self.seen = {name: None for name in self.outputs}
        self.history = []

    def write_job(self, **changes):
        suffix = "/" if self.sink == "folder" else ""
        outputs = {name: f"{path}{suffix}" for name, path in self.outputs.items()}
        self.job.write_text(self.workload.job_text(
            self.checkpoints, outputs, self.rejected, self.interval, self.extra, **changes))

    # Running

    def start(self, failpoint=None, faults=None, parallelism=None, start="latest-or-new",
              options=()):
        """Starts the job and returns at once."""
        self.runs += 1
        environment = dict(os.environ)
        for name in list(environment):
            if name.startswith("APUS_") or name == "LD_PRELOAD":
                del environment[name]
        environment["APUS_CACHE"] = str(self.world.cache)
        if failpoint:
            environment["APUS_FAILPOINT"] = failpoint
        if faults:
            environment["LD_PRELOAD"] = str(self.world.shim())
            environment.update(faults)
        parallelism = parallelism or self.parallelism
        what = f"p{parallelism}" + (f" {failpoint}" if failpoint else "")
        if faults:
            what += " " + " ".join(
                f"{k[11:].lower()}={v}" for k, v in faults.items()
                if k.startswith("APUS_FAULT_") and "/" not in v)
        self.history.append(what)
        return Run(
            [str(self.world.apus), "run", str(self.job), "--from", start, "--parallelism",
             str(parallelism), *options],
            environment, self.folder / f"log.{self.runs}")

    def run(self, limit=60, **arguments):
        """Runs the job to its end, whatever that is."""
        return self.start(**arguments).wait(limit)

    def run_to_kill(self, failpoint, **arguments):
        """Runs the job to a failpoint; tells whether it came there."""
        run = self.run(failpoint=failpoint, **arguments)
        if run.was_killed:
            self.check_partial()
            return True
        if run.status != 0:
            raise Failure(f"at {failpoint}: expected a kill or success, found exit status "
                          f"{run.status}\n{run.tail}")
        return False

    def any_parallelism(self):
        """As a rule the job's own; at times another, because a restart may change it."""
        return self.parallelism if self.rng.random() < 0.7 else self.rng.choice([1, 2, 3])

    def finish(self, parallelism=None, start="latest-or-new"):
        """Runs the job without faults to its end, and compares everything."""
        run = self.run(parallelism=parallelism or self.any_parallelism(), start=start)
        if run.status != 0:
            raise Failure(f"the restart failed with exit status {run.status}\n{run.tail}")
        self.check_whole(run)
        return run

    # Output

    def committed(self):
        """What readers of the output see: by sink, a file's bytes or those of all parts by name."""
        found = {}
        for name, path in self.outputs.items():
            if self.sink in ("folder", "plugin"):
                pattern = "part-*.jsonl" if self.sink == "folder" else "epoch-*.txt"
                parts = sorted(path.glob(pattern)) if path.is_dir() else []
                found[name] = {part.name: part.read_bytes() for part in parts}
            else:
                found[name] = path.read_bytes() if path.exists() else b""
        return found

    def check_partial(self, is_power_cut=False):
        """After a crash: nothing doubled, nothing made up, nothing that was there is gone."""
        for name, found in self.committed().items():
            self._check_history(name, found, is_power_cut)
            self._compare(name, found, is_whole=False)
        self.check_newest()

    def _check_history(self, name, found, is_power_cut):
        before, self.seen[name] = self.seen[name], found
        if before is None or is_power_cut:
            return
        if isinstance(found, bytes):
            if not found.startswith(before):
                raise Failure(f"{name}: bytes that were visible have changed or gone: had "
                              f"{len(before)}, has {len(found)}")
        else:
            for part, content in before.items():
                if found.get(part) != content:
                    raise Failure(f"{name}: {part} was visible and has changed or gone")

    def _compare(self, name, found, is_whole):
        expected = self.workload.expected[name]
        content = found if isinstance(found, bytes) else b"".join(found.values())
        lines = content.split(b"\n")
        last = lines.pop()
        if last and (is_whole or self.sink in ("folder", "plugin")):
            raise Failure(f"{name}: the last line is cut off: {last[:80]!r}")
        if last and not any(line.startswith(last) for line in expected):
            raise Failure(f"{name}: ends with what belongs nowhere: {last[:80]!r}")
        counts = collections.Counter(lines)
        surplus = counts - expected
        missing = expected - counts if is_whole else {}
        if surplus or missing:
            example = next(iter(surplus or missing)).decode(errors="replace")
            raise Failure(
                f"{name}: {sum(surplus.values())} lines too many, "
                f"{sum(missing.values()) if missing else 0} missing of {sum(expected.values())}; "
                f"first: {example[:120]}")

    def check_whole(self, run=None):
        """At the end: exactly the expected output, the same state, and no litter."""
        for name, found in self.committed().items():
            self._check_history(name, found, is_power_cut=True)
            self._compare(name, found, is_whole=True)
        self.check_newest()
        if run is not None and "from the end" not in run.text:
            self.check_litter()
        reference = self.world.reference(self.workload)
        if reference:
            reference.compare(self)

    # Checkpoints

    def manifest(self):
        """The current checkpoint's; nil when there is none."""
        current = self.checkpoints / "CURRENT"
        if not current.exists():
            return None
        return sealed(self.checkpoints / "manifests" / sealed(current)["manifest"])

    def check_newest(self):
        """The checkpoint that CURRENT names is there, with all files in their lengths."""
        try:
            manifest = self.manifest()
        except (OSError, ValueError) as error:
            raise Failure(f"CURRENT leads nowhere: {error}") from None
        for file in (manifest or {}).get("files", []):
            path = self.checkpoints / "files" / file["contentName"]
            if not path.exists() or path.stat().st_size != file["byteCount"]:
                raise Failure(f"the current checkpoint lacks {path.name}")

    def check_litter(self):
        """Behind a complete checkpoint no file lies around that no manifest names."""
        names = set()
        for path in (self.checkpoints / "manifests").glob("*.json"):
            names |= {file["contentName"] for file in sealed(path)["files"]}
        found = {path.name for path in (self.checkpoints / "files").iterdir()}
        temporary = [path for path in self.checkpoints.rglob("*.tmp")]
        if found - names:
            raise Failure(f"litter in files/: {sorted(found - names)[:3]}")
        if temporary:
            raise Failure(f"litter: {temporary[:3]}")

    def verify(self):
        """Has the program read every byte of the current checkpoint."""
        result = subprocess.run([str(self.world.apus), "checkpoint", "verify",
                                 str(self.checkpoints)], capture_output=True, timeout=60)
        if result.returncode != 0:
            raise Failure("apus checkpoint verify: " + result.stdout.decode()[-400:]
                          + result.stderr.decode()[-400:])

    def state_digest(self):
        """What the state of the last checkpoint comes to, whatever the parallelism."""
        manifest = self.manifest()
        digest = {op["id"]: sum(s["keyCount"] for s in op["subtasks"])
                  for op in manifest["operators"] if op.get("subtasks")}
        exported = self.world.exported_state(self.workload, self.checkpoints)
        return {"isFinal": manifest["isFinal"], "keys": digest, "export": exported}

    def reject_set(self):
        if not self.rejected.exists():
            return set()
        return {line for line in self.rejected.read_bytes().splitlines()}

    # Faults

    def faults(self, call, at, error, count=1, is_torn=False, switch=None):
        """The environment for the shim; see faults.c."""
        self.fault_log = self.folder / f"faults.{self.runs + 1}"
        roots = [str(self.checkpoints), str(self.output_folder)]
        result = {
            "APUS_FAULT_ROOTS": ":".join(roots), "APUS_FAULT_CALL": call,
            "APUS_FAULT_AT": str(at), "APUS_FAULT_COUNT": str(count),
            "APUS_FAULT_ERROR": str(getattr(errno, error)), "APUS_FAULT_TORN": str(int(is_torn)),
            "APUS_FAULT_LOG": str(self.fault_log)}
        if switch:
            result["APUS_FAULT_SWITCH"] = str(switch)
        return result

    def fired(self):
        """The calls that failed in the last run, as (call, path below the job's folder)."""
        if not self.fault_log.exists():
            return []
        pairs = [line.split(" ", 1) for line in self.fault_log.read_text().splitlines()]
        return [(call, path.replace(str(self.folder) + "/", "")) for call, path in pairs]

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def names_a_file(text, bench):
    """Whether an error names a file of the job."""
    paths = [str(bench.checkpoints), str(bench.output_folder)]
    return any(path in text for path in paths) or re.search(r"(CURRENT|FOLDER|manifests/)", text)


def reached(is_reached):
    if not is_reached:
        raise NotReached
