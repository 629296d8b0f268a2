"""The ways in which cases go: refused, crashed, failed, survived."""

import re
import signal

from rig import AT, PAUSE, Failure, Job, Neighbour, blamed


def _config(act, where="process", at=AT, pause=PAUSE, **more):
    return dict(act=act, where=where, at=at, pause=pause, **more)


def crashes(rig, source, act, by, *says, where="process", options=(), spec="", restart=True,
            checkpoints=True, blame=None, preexec=None, compiler=None, links=(), limit=60,
            callback=None, **more):
    """The process of the job ends by a signal or status 3, with a report that blames rightly."""
    plugin = rig.build(source, *options, compiler=compiler, links=links)
    neighbour = Neighbour(rig)
    job = Job(rig, plugin, _config(act, where, **more), checkpoints=checkpoints, spec=spec)
    result = job.run(preexec=preexec, limit=limit)
    statuses = by if isinstance(by, tuple) else (by,)
    result.expect(statuses, "apus: crash: ", blame or blamed(callback or where), *says)
    if len(re.findall(r"^apus: crash: ", result.errors, re.M)) != 1:
        raise Failure(f"expected one report, found\n{result.tail}")
    neighbour.check()
    if restart:
        job.mend(f"a crash ({result.how})")
    return job, result


def fails(rig, source, act, *says, where="process", options=(), spec="", status=1,
          checkpoints=True, blame=None, restart=True, callback=None, but_not=(), links=(),
          compiler=None, **more):
    """The job fails with a message that names plugin, version and callback."""
    plugin = rig.build(source, *options, links=links, compiler=compiler)
    neighbour = Neighbour(rig)
    job = Job(rig, plugin, _config(act, where, **more), checkpoints=checkpoints, spec=spec)
    result = job.run()
    result.expect(status, blame or blamed(callback or where), *says,
                  but_not=("apus: crash: ", *but_not))
    neighbour.check()
    if restart:
        job.mend("a failure")
    return job, result


def survives(rig, source, act, *says, where="process", options=(), spec="", checkpoints=True,
             but_not=(), blame=True, check=True, compiler=None, links=(), preexec=None,
             callback=None, **more):
    """The job goes on, its output is right; what the plugin did is told."""
    plugin = rig.build(source, *options, compiler=compiler, links=links)
    neighbour = Neighbour(rig)
    job = Job(rig, plugin, _config(act, where, **more), checkpoints=checkpoints, spec=spec)
    result = job.run(preexec=preexec)
    result.expect(0, *((blamed(callback or where),) if blame and says else ()), *says,
                  but_not=("apus: crash: ", *but_not))
    if check:
        job.check_whole()
    neighbour.check()
    return job, result


def refused(rig, plugin, *says, marker=None, status=2, limit=60, inspect=None, name=None,
            preexec=None, config=None, scan=True, ends=None, environment=None):
    """Nothing of the file runs in the job: it is refused before, with the reason.

    `inspect` is the id of the check of `apus plugin inspect` that says no; None: the file is right.
    `ends`: how `apus run` may end when it is not the file but its code that is wrong.
    """
    neighbour = Neighbour(rig)
    job = Job(rig, plugin, config, checkpoints=False)
    environment = environment or {}
    if marker is not None and marker.exists():
        marker.unlink()
    if inspect is not None:
        result = rig.run(job.folder, "plugin", "inspect", str(job.plugin), limit=limit,
                         **environment)
        result.expect((1, 2), inspect)
        check_marker(marker)
    result = job.run(limit=limit, preexec=preexec, **environment)
    result.expect(ends if ends is not None else status, *says)
    if job.output.exists():
        raise Failure("the job has written output although its plugin was refused")
    check_marker(marker)
    if scan:
        described = rig.run(job.folder, "plugin", "describe", str(job.plugin), limit=limit,
                            preexec=preexec, **environment)
        described.expect(2, *says)
    neighbour.check()
    return job, result


def check_marker(marker):
    if marker is not None and marker.exists():
        raise Failure("code of the file has run before it was refused")


def kills(*names):
    return tuple(-getattr(signal, name) for name in names)
