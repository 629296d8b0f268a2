"""Compiles what the crash tests need in C."""

import os
import shutil
import subprocess

from process import Failure, Skipped


def shared_library(source, to, *options):
    """Makes a shared library of one file."""
    compilers = [os.environ.get("CC"), "cc", "gcc", "clang"]
    compiler = next(filter(None, map(shutil.which, filter(None, compilers))), None)
    if compiler is None:
        raise Skipped(f"needs a C compiler, for {source.name}")
    command = [compiler, "-O1", "-fPIC", "-shared", *options, str(source), "-o", str(to), "-ldl"]
    result = subprocess.run(command, capture_output=True)
    if result.returncode != 0:
        raise Failure(f"{' '.join(command)}: {result.stderr.decode()[-400:]}")
    return to
