# SPDX-License-Identifier: MIT
"""What the tests of berth run share: a folder, which is removed in the end, and
an environment with nothing else in it.

Environment: BERTH and LIBBERTH, the two files under test; STATIC_PROGRAM, and
MUSL_PROGRAM where the compiler is found.
"""

import atexit
import os
import shutil
import subprocess
import tempfile

import fixture
from fixture import BERTH, HANG_SECONDS, Skip

LIBBERTH = os.path.realpath(fixture.LIBBERTH)
tests = []


def test(function):
    tests.append(function)
    return function


def berth(*words, env=None, **more):
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C",
                   "BERTH_DIR": map_file}
    environment.update(env or {})
    return subprocess.run([BERTH, *words], env=environment, text=True,
                          capture_output=True, timeout=HANG_SECONDS, **more)


def run(*words, **more):
    return berth("run", *words, **more)


def expect(result, status, out=None, err=None):
    shown = f"{result.returncode}: {result.stdout!r} {result.stderr!r}"
    assert result.returncode == status, shown
    assert out is None or result.stdout == out, shown
    if err is not None:
        assert result.stderr == "" if err == "" else err in result.stderr, shown


def path(name):
    return os.path.join(work, name)


def write(name, text, mode=0o755):
    with open(path(name), "w") as file:
        file.write(text)
    os.chmod(path(name), mode)
    return path(name)


def copy(name, program, mode=0o755):
    shutil.copy(program, path(name))
    os.chmod(path(name), mode)
    return path(name)


def static():
    program = os.environ.get("STATIC_PROGRAM")
    if not program:
        raise Skip("no static libc here")
    return program


def needs_root():
    if os.geteuid() != 0:
        raise Skip("needs root")


def show(name):
    return "sh", "-c", f"echo ${name}"


def main():
    fixture.main(tests)


work = tempfile.mkdtemp()
atexit.register(shutil.rmtree, work)
os.chmod(work, 0o755)
map_file = path("map")
os.mkdir(map_file)
os.chmod(map_file, 0o1777)
