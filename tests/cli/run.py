#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""berth run, and the words of berth itself."""

import os
import re
import signal
import subprocess
import sys

from fixture import BIND
from run_fixture import (berth, copy, expect, LIBBERTH, main, path, run, show,
                         test, work, write)


# --- berth ------------------------------------------------------------------

@test
def berth_alone_prints_its_usage_on_stderr():
    expect(berth(), 2, "", "Usage: berth COMMAND")


@test
def help_and_version_go_to_stdout():
    for words in ["help"], ["-h"], ["--help"]:
        result = berth(*words)
        expect(result, 0, err="")
        assert result.stdout.startswith("Usage: berth COMMAND")
    for words in ["run", "--help"], ["run", "-h"], ["help", "run"]:
        result = berth(*words)
        expect(result, 0, err="")
        assert result.stdout.startswith("Usage: berth run")
    result = berth("--version")
    expect(result, 0, err="")
    assert re.fullmatch(r"berth \d+\.\d+\.\d+\n", result.stdout)


@test
def an_unknown_command_is_quoted():
    expect(berth("frobnicate"), 2, "", 'unknown command "frobnicate"')
    expect(berth("help", "frobnicate"), 2, "", '"frobnicate"')


@test
def an_unknown_option_is_quoted():
    expect(berth("--frobnicate"), 2, "", 'unknown option "--frobnicate"')
    expect(run("--frobnicate", "true"), 125, "",
           'unknown option "--frobnicate"')
    expect(run("-x", "true"), 125, "", 'unknown option "-x"')
    expect(run("--strict=no", "true"), 125, "", '"--strict=no"')
    expect(run("--range"), 125, "", 'no value for "--range"')


# --- words and status -------------------------------------------------------

@test
def run_without_a_command_fails():
    expect(run(), 125, "", "no COMMAND")
    expect(run("--strict", "--"), 125, "", "no COMMAND")


@test
def options_end_at_two_dashes_or_the_first_word():
    expect(run("--", "echo", "--range", "x"), 0, "--range x\n", "")
    expect(run("echo", "--range", "x"), 0, "--range x\n", "")
    expect(run("echo", "--", "x"), 0, "-- x\n", "")


@test
def the_status_is_that_of_the_command():
    expect(run("sh", "-c", "exit 7"), 7, "", "")
    assert run("sh", "-c", "kill -9 $$").returncode == -9


@test
def the_signals_that_are_blocked_or_ignored_stay_so():
    signals = {signal.SIGBUS, signal.SIGPIPE, signal.SIGUSR1}

    def set_up():
        signal.signal(signal.SIGBUS, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, signals)

    command = ["grep", "^Sig[BI]", "/proc/self/status"]
    bare = subprocess.run(command, preexec_fn=set_up, text=True,
                          capture_output=True)
    expect(run(*command, preexec_fn=set_up), 0, bare.stdout, "")


@test
def no_process_is_left_between():
    result = run("sh", "-c", "echo $PPID")
    expect(result, 0, f"{os.getpid()}\n", "")


@test
def a_command_that_is_not_there_is_127():
    expect(run("no-such-command"), 127, "", '"no-such-command"')
    expect(run("./no-such-command"), 127, "", '"./no-such-command"')
    expect(run(""), 127, "", '""')


@test
def a_command_that_cannot_be_run_is_126():
    expect(run(write("plain", "x", 0o644)), 126, "", "plain")
    expect(run(work), 126, "", "Permission denied")
    expect(run(write("lost", "#!/no/such/interpreter\n")), 126, "",
           "interpreter")


@test
def path_is_searched_as_execvp_does():
    os.makedirs(path("bin1"), exist_ok=True)
    os.makedirs(path("bin2"), exist_ok=True)
    write("bin1/tool", "#!/bin/sh\necho 1\n", 0o644)
    write("bin2/tool", "#!/bin/sh\necho 2\n")
    env = {"PATH": path("bin1") + ":" + path("bin2") + ":/usr/bin:/bin"}
    expect(run("tool", env=env), 0, "2\n", "")
    expect(run("tool", env={"PATH": path("bin1")}), 126)
    expect(run("tool", env={"PATH": ""}, cwd=path("bin2")), 0, "2\n", "")


@test
def a_script_without_an_interpreter_line_is_run_by_the_shell():
    expect(run(write("bare", "echo $((40 + 2))\n")), 0, "42\n", "")


# --- policy -----------------------------------------------------------------

@test
def options_reach_the_environment():
    expect(run("--range", "4000,5000-5999", *show("BERTH_RANGE")), 0,
           "4000,5000-5999\n", "")
    expect(run("--range=rfc6056", *show("BERTH_RANGE")), 0, "rfc6056\n", "")
    expect(run("--reserve", "50000", *show("BERTH_RESERVE")), 0,
           "50000\n", "")
    expect(run("--algorithm", "hash", *show("BERTH_ALGORITHM")), 0,
           "hash\n", "")


@test
def a_refused_option_is_named_and_its_word_quoted():
    expect(run("--range", "70000", "true"), 125, "", '--range="70000": "70000"')
    expect(run("--range", "4000,x", "true"), 125, "", '"x"')
    expect(run("--range", "80-90", "true"), 125, "", "--range")
    expect(run("--reserve", "9-8", "true"), 125, "", '--reserve="9-8"')
    expect(run("--algorithm", "best", "true"), 125, "", '--algorithm="best"')
    expect(run("--range", "4000", "--reserve", "4000", "true"), 125, "",
           "--range")


@test
def the_callers_environment_is_checked_too():
    for name, value in (("BERTH_RANGE", "70000"), ("BERTH_RESERVE", "x"),
                        ("BERTH_ALGORITHM", "best"), ("BERTH_PIN", "perhaps"),
                        ("BERTH_ON_ERROR", "panic"), ("BERTH_LOG", "loud")):
        expect(run("true", env={name: value}), 125, "", f'{name}="{value}"')


def fresh(name):
    """The environment of a folder in which nothing is in force."""
    os.makedirs(path(name), exist_ok=True)
    return {"BERTH_DIR": path(name)}


def bound_port(env, *words):
    """The first three digits of the port that a bind to 0 gets."""
    result = run(*words, sys.executable, "-c", BIND, env=env)
    assert result.returncode == 0, result
    return int(result.stdout)


@test
def a_named_file_is_put_in_force_once():
    env = fresh("named")
    file = write("named.conf", 'range = "40000-40009"\n')
    assert bound_port(env, "--config", file) == 4000
    assert bound_port(env) == 4000
    assert bound_port(env, "--config", file) == 4000
    other = write("other.conf", 'range = "41000-41009"\n')
    result = run("--config", other, "true", env=env)
    expect(result, 125, "", "another policy is in force")
    assert file in result.stderr and "berth load" in result.stderr
    assert bound_port(env) == 4000


@test
def a_named_file_excludes_options_and_goes_before_the_environment():
    env = fresh("excludes")
    file = write("excludes.conf", 'range = "40000-40009"\n')
    for option in (["--range", "41000"], ["--reserve", "1"],
                   ["--algorithm", "hash"]):
        expect(run("--config", file, *option, "true", env=env), 125, "",
               f"{option[0]} cannot be combined with --config")
    env["BERTH_RANGE"] = "41000-41009"
    assert bound_port(env, "--config", file) == 4000
    del env["BERTH_RANGE"]


@test
def what_is_wrong_in_a_file_is_named_with_its_line():
    env = fresh("wrong")
    for text, line, word in (
            ('range = "70000"\n', 1, '"70000"'),
            ('# one\n\nrange = "x"\n', 3, '"x"'),
            ('/* one\ntwo */ range = "5-4"\n', 2, '"5-4"'),
            ('algorithm = best\n', 1, '"best"'),
            ('range = "4000"\nrnge = "1"\n', 2, '"rnge"'),
            ('range = "4000"\n{\n', 2, "")):
        file = write("wrong.conf", text)
        result = run("--config", file, "true", env=env)
        expect(result, 125, "", f"{file}:{line}: ")
        assert word in result.stderr, result.stderr
    expect(run("--config", path("none.conf"), "true"), 125, "", "none.conf")
    expect(run("--config", work, "true"), 125, "", "irectory")
    assert not os.listdir(path("wrong")), "something was made"


@test
def a_profile_needs_a_policy_that_has_it():
    env = fresh("profile")
    expect(run("--profile", "ci", "true", env=env), 125, "", '"ci"')
    file = write("profile.conf",
                 'process a { profile = {"ci"} range = "42000-42009" }\n')
    assert bound_port(env, "--config", file, "--profile", "ci") == 4200
    expect(run("--profile", "cd", "true", env=env), 125, "", '"cd"')


@test
def the_arguments_of_a_rule_are_appended():
    env = fresh("arguments")
    file = write("arguments.conf", """
listen = "4000,5000-5009,6000-6004"
process a {
    name = {"echo"}
    arguments = {"-omin=%lo", "-omax=%hi", "50%", "%"}
}
""")
    expect(run("--config", file, "echo", "x", env=env), 0,
           "x -omin=5000 -omax=5009 50% %\n", "")
    expect(run("printf", "%s", "x", env=env), 0, "x", "")


@test
def the_library_is_put_first_in_ld_preload():
    words = show("LD_PRELOAD")
    library = {"BERTH_LIBRARY": LIBBERTH}
    expect(run(*words), 0, LIBBERTH + "\n", "")
    for old in "libm.so.6", "libm.so.6:libdl.so.2", "libm.so.6 libdl.so.2":
        expect(run(*words, env={"LD_PRELOAD": old, **library}), 0,
               f"{LIBBERTH}:{old}\n")


@test
def the_library_is_not_put_there_twice():
    for old in LIBBERTH, f"libm.so.6 {LIBBERTH}", f"{LIBBERTH}:libm.so.6":
        expect(run(*show("LD_PRELOAD"), env={"LD_PRELOAD": old}), 0,
               old + "\n", "")


@test
def a_library_that_is_missing_is_an_error():
    expect(run("true", env={"BERTH_LIBRARY": "/no/libberth.so"}), 125, "",
           "/no/libberth.so")


@test
def a_library_that_ld_preload_cannot_name_is_an_error():
    os.makedirs(path("a b"), exist_ok=True)
    library = copy("a b/libberth.so", LIBBERTH)
    expect(run("true", env={"BERTH_LIBRARY": library}), 125, "", "blank")
    for name in "a$LIB", "a${ORIGIN}", "a$", "a:b":
        os.makedirs(path(name), exist_ok=True)
        library = copy(f"{name}/libberth.so", LIBBERTH)
        expect(run("true", env={"BERTH_LIBRARY": library}), 125, "",
               "dollar sign")


@test
def a_relative_library_becomes_absolute():
    where, name = os.path.split(LIBBERTH)
    expect(run(*show("LD_PRELOAD"), env={"BERTH_LIBRARY": "./" + name},
               cwd=where), 0, LIBBERTH + "\n", "")


# --- the shared map ---------------------------------------------------------

@test
def the_shared_map_is_there_before_the_command():
    folder = path("new-map")
    os.makedirs(folder)
    result = run("find", folder, "-name", "map", env={"BERTH_DIR": folder})
    expect(result, 0, err="")
    assert result.stdout.endswith("/map\n"), result.stdout


@test
def no_shared_map_is_told_once():
    file = write("no-folder", "", 0o644)
    result = run("sh", "-c", "true; /bin/true; echo ran",
                 env={"BERTH_DIR": file})
    expect(result, 0, "ran\n",
           f"{file}): the program does not see other programs' ports")
    assert result.stderr.count("\n") == 1, result.stderr


@test
def no_shared_map_is_refused_where_the_environment_says_so():
    file = write("no-folder", "", 0o644)
    expect(run("echo", "ran", env={"BERTH_DIR": file,
                                   "BERTH_ON_ERROR": "refuse"}),
           125, "", "no shared map")


main()
