#!/usr/bin/env python3
"""What `apus new operator` writes builds, passes its tests, is a plugin, and runs.

    new_operator.py --apus APUS LANGUAGE...

Makes a project for each language in a temporary folder, has its own Makefile do all it offers, and
compares what its job prints.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

EXPECTED = ["ann,2", "bob,1", "bob,1"]


def run(what, command, folder, environment):
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=540,
        check=False)
    if done.returncode != 0:
        sys.exit(f"new_operator: {what}: {' '.join(map(str, command))} ended with "
                 f"{done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--apus", required=True)
    parser.add_argument("languages", nargs="+")
    options = parser.parse_args()
    apus = str(pathlib.Path(options.apus).resolve())
    environment = dict(os.environ, APUS=apus, CARGO_NET_OFFLINE="true")
    environment.pop("MAKEFLAGS", None)  # of the make that has called this
    environment.pop("MAKELEVEL", None)
    with tempfile.TemporaryDirectory() as name:
        for language in options.languages:
            run(language, [apus, "new", "operator", "count-visits", "--lang", language,
                           "--directory", language], name, environment)
            project = pathlib.Path(name) / language
            for target in ["test", "all", "check"]:
                run(language, ["make", target], project, environment)
            output = run(language, ["make", "--silent", "run"], project, environment)
            found = sorted(line for line in output.splitlines() if "," in line)
            if found != EXPECTED:
                sys.exit(f"new_operator: {language}: the job printed {found}, not {EXPECTED}")
            print(f"new_operator: {language}: builds, tests, is a plugin, runs", flush=True)


if __name__ == "__main__":
    main()
