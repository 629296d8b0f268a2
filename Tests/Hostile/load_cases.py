"""Rows 14 to 20: what goes wrong while a file is loaded, and files that change under the host."""

import os
import shutil
import time

from elf import Elf
from rig import Failure, Job, Neighbour


def _refused_by_scan(rig, macro, *says, limit=60, environment=None, ends=2):
    """The child that scans it dies of it, and the process of the job never loads it."""
    marker = rig.folder / f"loaded-{macro}"
    plugin = rig.build("load.cpp", f"-D{macro}", f'-DMARKER="{marker}"')
    if marker.exists():
        marker.unlink()
    neighbour = Neighbour(rig)
    job = Job(rig, plugin, checkpoints=False, records=200)
    described = rig.run(job.folder, "plugin", "describe", "plugin.so", limit=limit)
    described.expect(2, "plugin.so", *says)
    result = job.run(limit=limit)
    result.expect(2, "plugin.so", *says)
    if "job" in marker.read_text():
        raise Failure("the process of the job has loaded it")
    if job.output.exists():
        raise Failure("the job has written output although its plugin was refused")
    neighbour.check()


# Row 14

def row_14_constructor_aborts(rig):
    _refused_by_scan(rig, "LOAD_ABORT", "SIGABRT")


def row_14_constructor_segfaults(rig):
    _refused_by_scan(rig, "LOAD_SEGV", "SIGSEGV")


def row_14_constructor_throws(rig):
    _refused_by_scan(rig, "LOAD_THROW", "thrown by a constructor")


def row_14_constructor_exits(rig):
    _refused_by_scan(rig, "LOAD_EXIT", "exit() was called")


# Row 15

def row_15_constructor_sleeps(rig):
    marker = rig.folder / "loaded-sleeps"
    plugin = rig.build("load.cpp", "-DLOAD_SLEEP", f'-DMARKER="{marker}"')
    neighbour = Neighbour(rig)
    job = Job(rig, plugin, checkpoints=False, records=200,
              spec="  plugins: { call-timeout: 1s }\n")
    job.run(limit=30).expect(2, "within 5 s")
    if "job" in marker.read_text():
        raise Failure("the process of the job has loaded it")
    neighbour.check()


# Row 16

def _told(rig, macro, *says):
    """The constructor changes the process: told, put back, and the job is right."""
    plugin = rig.build("load.cpp", f"-D{macro}")
    neighbour = Neighbour(rig)
    job = Job(rig, plugin, checkpoints=False, records=2_000)
    result = job.run()
    result.expect((0, 2), *says)
    if result.status == 0:
        job.check_whole()
    neighbour.check()
    return result


def row_16_handler(rig):
    _told(rig, "LOAD_HANDLER", "SIGSEGV")


def row_16_floating_point(rig):
    _told(rig, "LOAD_FLOAT", "floating-point")


def row_16_locale(rig):
    _told(rig, "LOAD_LOCALE", "locale")


def row_16_umask(rig):
    _told(rig, "LOAD_UMASK", "umask")


def row_16_folder(rig):
    _told(rig, "LOAD_CHDIR", "working directory")


def _scanned(rig, macro, *says):
    """The scan says it; what cannot be put back is a matter of the list's strictness."""
    plugin = rig.build("load.cpp", f"-D{macro}")
    neighbour = Neighbour(rig)
    job = Job(rig, plugin, checkpoints=False, records=2_000)
    rig.run(job.folder, "plugin", "scan", "plugin.so").expect((0, 1), "warning: ", *says)
    job.run().expect(0)
    job.check_whole()
    neighbour.check()


def row_16_thread(rig):
    _scanned(rig, "LOAD_THREAD", "number of threads from 1 to 2")


def row_16_open_file(rig):
    _scanned(rig, "LOAD_FILE", "number of open files")


def row_16_environment(rig):
    _told(rig, "LOAD_ENVIRONMENT", "HOME")


# Row 17

def row_17_banner(rig):
    _scanned(rig, "LOAD_BANNER", "printed to standard output")


# Row 18

def row_18_two_runtimes(rig):
    """Two plugins whose notes say that a process holds one such runtime: Go is like that."""
    paths = []
    for salt in (1, 2):
        elf = Elf(rig.build("tripwire.cpp", '-DMARKER="/dev/null"', f"-DSALT={salt}"))
        elf.put(elf.note() + 16, "I", 1)
        elf.put(elf.note() + 10, "H", 5)
        paths.append(elf.save(rig.new_folder() / f"go{salt}.so"))
    neighbour = Neighbour(rig)
    job = Job(rig, paths[0], checkpoints=False, records=200)
    text = (job.folder / "job.yaml").read_text()
    text = text.replace("  sinks:\n", f"    - {{ id: second, plugin: \"{paths[1]}\", input: count, "
                        "key: k }\n  sinks:\n").replace("input: count\n      config",
                                                        "input: second\n      config")
    (job.folder / "job.yaml").write_text(text)
    job.run().expect(2, "go2.so")
    neighbour.check()


# Rows 19 and 20

def _running(rig, records=24_000):
    """A job that is in the middle of its work, slowed down by its plugin."""
    plugin = rig.build("process.cpp")
    job = Job(rig, plugin, dict(act="none", at=0, pause=30_000), records=records)
    return job, job.start()


def _wait_for_output(job, running):
    for _ in range(500):
        if job.output.exists() and job.output.stat().st_size:
            return
        if running.child.poll() is not None:
            break
        time.sleep(0.01)
    raise Failure("the job has ended before it could be disturbed")


def row_19_overwritten_in_place(rig):
    neighbour = Neighbour(rig)
    job, running = _running(rig)
    _wait_for_output(job, running)
    size = job.plugin.stat().st_size
    with open(job.plugin, "r+b") as file:
        file.write(b"\xcc" * size)
        file.truncate(100)
    running.wait().expect(0)
    job.check_whole()
    neighbour.check()


def row_19_deleted(rig):
    neighbour = Neighbour(rig)
    job, running = _running(rig)
    _wait_for_output(job, running)
    job.plugin.unlink()
    running.wait().expect(0)
    job.check_whole()
    neighbour.check()


def row_20_same_path_new_content(rig):
    """What runs keeps its code; a job that starts gets the new one."""
    neighbour = Neighbour(rig)
    job, running = _running(rig)
    _wait_for_output(job, running)
    refusing = rig.build("load.cpp", "-DENTRY_REFUSES")
    shutil.copyfile(refusing, job.folder / "new.so")
    os.replace(job.folder / "new.so", job.plugin)
    second = Job(rig, refusing, checkpoints=False, records=200)
    second.plugin = job.plugin
    second.write()
    second.run(APUS_CACHE=str(job.folder / "cache")).expect(2, "I do not like this host")
    running.wait().expect(0)
    job.check_whole()
    neighbour.check()
