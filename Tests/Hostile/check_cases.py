"""What `apus plugin check` must find: the named check, and no other verdict than "not passed"."""

import json

from rig import Failure, Neighbour

BAD = {"fail", "crash", "hang", "warn"}

# A record without a number counts as 0: made-up records have none.
# Row of the table, plugin, options of its compiler, configuration, the check that finds it.
PINNED = [
    (22, "load.cpp", ["-DENTRY_CHANGES"], None, "C29"),
    (26, "contract.cpp", [], {"act": "code-12345", "at": 0}, "E47"),
    (27, "contract.cpp", [], {"act": "yield-forever", "at": 0}, "E47"),
    (28, "contract.cpp", [], {"act": "message-not-utf8", "where": "create"}, "D44"),
    (30, "contract.cpp", [], {"act": "state-on-own-thread", "at": 0}, "G77"),
    (32, "crash.cpp", [], {"act": "null-pointer", "at": 0}, "E47"),
    (33, "crash.cpp", [], {"act": "recursion", "at": 0}, "E47"),
    (35, "memory.cpp", [], {"act": "arena-overrun", "at": 0}, "E54"),
    (35, "memory.cpp", [], {"act": "state-overrun", "at": 0}, "F67"),
    (36, "memory.cpp", [], {"act": "write-input", "at": 0}, "E53"),
    (37, "memory.cpp", [], {"act": "double-free", "where": "create"}, "D35"),
    (38, "memory.cpp", [], {"act": "keep-state-pointer", "at": 0}, "F66"),
    (42, "crash.cpp", [], {"act": "throw", "at": 0}, "E47"),
    (46, "crash.cpp", [], {"act": "exit", "where": "open"}, "H85"),
    (48, "crash.cpp", [], {"act": "loop", "at": 0}, "E47"),
    (50, "crash.cpp", [], {"act": "fork-and-exit", "at": 0}, "H85"),
    (53, "process.cpp", [], {"act": "locale", "where": "open"}, "H85"),
    (59, "data.cpp", ["-DDEPENDS_ON_BATCHES"], None, "E48"),
    (59, "data.cpp", ["-DCHANGES_KEYS"], None, "E61"),
    (63, "threads.cpp", [], {"act": "log-for-ever", "where": "open"}, "D45"),
    (68, "migrate.cpp", ["-DIMPURE"], None, "F71"),
    (68, "migrate.cpp", ["-DCRASHES"], None, "F71"),
]


def _check(rig, source, options, config, check):
    plugin = rig.build(source, *options, links=["-lpthread"])
    path, _ = rig.input(500)
    folder = rig.new_folder()
    neighbour = Neighbour(rig)
    arguments = ["plugin", "check", str(plugin), "--only", f"^{check} ", "--json",
                 "--strictness", "10", "--sample", str(path)]
    if config:
        arguments += ["--config", json.dumps(config, separators=(",", ":"))]
    result = rig.run(folder, *arguments, limit=120)
    neighbour.check()
    try:
        results = json.loads(result.output)["results"]
    except (ValueError, KeyError):
        raise Failure(f"expected a report as JSON, it {result.how}\n{result.tail}") from None
    found = [one for one in results if one.get("id", one.get("check")) == check]
    if not found:
        raise Failure(f"check {check} is not in the report\n{result.output[-500:]}")
    if not any(one["verdict"] in BAD for one in found):
        raise Failure(f"check {check} has let it pass: {found}")


def _bind(source, options, config, check):
    return lambda rig: _check(rig, source, options, config, check)


for _row, _source, _options, _config, _id in PINNED:
    _what = (_config or {}).get("act") or _options[0][2:]
    _name = f"row_{_row:02}_check_{_id}_{_what}".lower().replace("-", "_")
    globals()[_name] = _bind(_source, _options, _config, _id)
