#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# berth run, and the words of berth itself. Prints TAP. The whole runs in a
# network namespace and a folder of its own, which it removes.
#
# Environment: BERTH and LIBBERTH, the two files under test; STATIC_PROGRAM, and
# MUSL_PROGRAM where the compiler is found. Edge cases 35, 52 and 70.

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import traceback

from fixture import HANG_SECONDS, Tap, skip_all

BERTH = os.environ["BERTH"]
LIBBERTH = os.path.realpath(os.environ["LIBBERTH"])
NOBODY = 65534
tests = []


class Skip(Exception):
    pass


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
    result = run(*words, sys.executable, "-c",
                 "import socket; s = socket.socket(); s.bind(('', 0));"
                 "print(s.getsockname()[1] // 10)", env=env)
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


# --- programs out of reach --------------------------------------------------

def expect_gap(program, reason, status=0, named=None, **more):
    line = f"berth: {named or program}: {reason}: the kernel "
    result = run(program, **more)
    expect(result, status, err=line)
    assert result.stderr.count("\n") == 1, result.stderr
    expect(run("--strict", program, **more), 126, "", "refused by --strict")


@test
def a_dynamic_program_is_covered():
    expect(run("--strict", "true"), 0, "", "")
    expect(run("--strict", write("ok", "#!/bin/sh\necho ok\n")), 0, "ok\n", "")


@test
def a_static_program_is_told():
    expect_gap(copy("static", static()), "statically linked")


@test
def the_interpreters_of_scripts_are_looked_at():
    program = copy("static", static())
    reason = f"its interpreter {program}: statically linked"
    one = write("one", f"#! {program} -x\n")
    expect_gap(one, reason)
    expect_gap(write("two", f"#!{one}\n"), reason)
    env = {"PATH": work + ":" + os.environ["PATH"]}
    expect_gap(write("by-env", "#!/usr/bin/env static\n"), reason, env=env)
    expect_gap(write("by-env-s", "#!/usr/bin/env -S A=1 static -x\n"), reason,
               env=env)


@test
def explain_names_a_program_as_the_kernel_does():
    print_name = "cat /proc/$$/comm\n"
    write("inner", "#!/bin/sh\n" + print_name)
    write("outer", "#!/usr/bin/env inner\n")
    write("plain", print_name)
    write("round", f"#!{path('outer')}\n")
    env = {"PATH": work + ":" + os.environ["PATH"]}
    for script in "inner", "outer", "plain", "round":
        started = run(path(script), env=env)
        explained = berth("explain", "--json", "--", path(script), env=env)
        expect(started, 0)
        expect(explained, 0)
        name = json.loads(explained.stdout)["program"]["name"]
        assert name + "\n" == started.stdout, (script, name, started.stdout)


@test
def a_script_that_names_itself_ends():
    expect(run(write("loop", f"#!{path('loop')}\n")), 126)


@test
def a_script_whose_interpreter_is_berth_run_is_refused():
    def script(name, line):
        return subprocess.run([write(name, f"#!{line}\necho ok\n")], text=True,
                              capture_output=True, timeout=60,
                              env={"PATH": os.environ["PATH"],
                                   "BERTH_DIR": map_file,
                                   "BERTH_LIBRARY": LIBBERTH})

    message = "its interpreter is berth run"
    for name, line in (
            ("run1", f"{BERTH} run"),
            ("run2", f"/usr/bin/env -S {BERTH} run"),
            ("run3", f"/usr/bin/env -S {BERTH} run --range 40000 --strict"),
            ("run4", f"/usr/bin/env -S {BERTH} run --"),
            ("run5", path("run1"))):
        expect(script(name, line), 126, "", message)
    expect(run(path("run1")), 126, "", message)
    expect(script("run6", f"/usr/bin/env -S {BERTH} run --range 40000 -- sh"),
           0, "ok\n")
    expect(run(path("run6")), 0, "ok\n")
    expect(script("run7", f"/usr/bin/env -S {BERTH} run sh"), 0, "ok\n")


@test
def the_dynamic_linker_itself_is_covered():
    text = subprocess.run(["readelf", "-l", BERTH], capture_output=True,
                          text=True).stdout
    linker = re.search(r"interpreter: (.*)]", text).group(1)
    expect(run("--strict", linker, "/bin/true"), 0, "", "")


@test
def a_setuid_program_is_told():
    needs_root()
    program = copy("setuid", "/bin/true")
    os.chown(program, NOBODY, NOBODY)
    os.chmod(program, 0o4755)
    expect_gap(program, "setuid")
    os.chmod(program, 0o2755)
    expect_gap(program, "setgid")


@test
def a_setuid_program_of_ones_own_is_covered():
    program = copy("setuid-own", "/bin/true")
    os.chmod(program, 0o4755)
    expect(run("--strict", program), 0, "", "")


@test
def a_program_with_capabilities_is_told():
    needs_root()
    setcap = shutil.which("setcap", path="/usr/sbin:/sbin:/usr/bin")
    if not setcap:
        raise Skip("no setcap here")
    program = copy("capable", "/bin/true")
    done = subprocess.run([setcap, "cap_net_raw+ep", program],
                          capture_output=True)
    if done.returncode != 0:
        raise Skip("this file system keeps no capabilities")
    expect_gap(program, "has file capabilities", user=NOBODY, group=NOBODY)
    expect(run("--strict", program), 0, "", "")


@test
def another_libc_is_told():
    musl = os.environ.get("MUSL_PROGRAM")
    if not musl:
        raise Skip("no musl-gcc here")
    expect_gap(musl, "linked with another libc")


def patched(name, offset, value):
    program = copy(name, "/bin/true")
    with open(program, "r+b") as file:
        file.seek(offset)
        file.write(value)
    return program


# What the kernel, or the shell, makes of these two is of no interest here.

@test
def another_word_size_is_told():
    expect(run("--strict", patched("narrow", 4, b"\1")), 126, "",
           "narrow: of another word size: the kernel will choose its ports; "
           "refused by --strict")


@test
def another_machine_is_told():
    expect(run("--strict", patched("foreign", 18, b"\x08\0")), 126, "",
           "foreign: for another machine: the kernel")


@test
def a_go_program_is_told():
    program = patched("go", 0, b"")
    with open(program, "r+b") as file:
        head = file.read()
        note = head.index(b"\4\0\0\0\x14\0\0\0\3\0\0\0GNU\0")
        file.seek(note + 12)
        file.write(b"Go\0\0")
    if not starts_note(program, note):
        raise Skip("the build id is not the first note here")
    expect_gap(program, "a Go program, which does not use libc")


@test
def a_go_program_linked_with_c_is_told_by_any_note_or_its_build_information():
    for kind in "NOTE", "DATA":
        expect_gap(os.environ[f"GO_{kind}_PROGRAM"],
                   "a Go program, which does not use libc")
    expect(berth("explain", "--", os.environ["GO_NOTE_PROGRAM"]), 0)
    assert "a Go program" in berth(
        "explain", "--", os.environ["GO_NOTE_PROGRAM"]).stdout


@test
def a_program_made_by_go_is_told_with_and_without_c():
    if shutil.which("go") is None:
        raise Skip("no go here")
    write("pure.go", "package main\nfunc main() {}\n")
    write("with_c.go", "package main\nimport \"C\"\nfunc main() {}\n")
    for name, cgo in ("pure", "0"), ("with_c", "1"):
        subprocess.run(["go", "build", "-ldflags=-s -w", "-o", path(name),
                        path(name + ".go")], check=True, capture_output=True,
                       timeout=300,
                       env={"PATH": os.environ["PATH"], "HOME": path("."),
                            "GO111MODULE": "off", "CGO_ENABLED": cgo,
                            "GOCACHE": path("go-cache")})
        expect_gap(path(name), "a Go program, which does not use libc")


def expect_cleaned(words, named=None, cleaner=None, **more):
    """The names that Berth knows stand for programs of this test's own."""
    where = ": its interpreter " + cleaner if cleaner else ""
    line = (f"berth: {named or path(words[0])}{where}: starts programs without "
            "LD_PRELOAD: the kernel may choose their ports, unless berth run "
            "is put behind it")
    env = {"PATH": work + ":" + os.environ["PATH"]}
    result = run(*words, env=env, **more)
    expect(result, 0, err=line + "\n")
    assert result.stderr.count("\n") == 1, result.stderr
    expect(run("--strict", *words, env=env), 126, "",
           line + "; refused by --strict\n")


def expect_kept(*words):
    env = {"PATH": work + ":" + os.environ["PATH"]}
    expect(run("--strict", *words, env=env), 0, err="")


@test
def commands_that_clean_the_environment_are_told_by_their_names():
    for name in ("sudo", "doas", "pkexec", "run0", "systemd-run", "cron",
                 "crond", "atd"):
        copy(name, "/bin/true")
        expect_cleaned([name, "anything"])
        os.remove(path(name))
    write("by-sudo", f"#!{copy('sudo', '/bin/true')} sh\n")
    expect_cleaned(["by-sudo"], cleaner=path("sudo"))
    explained = berth("explain", "--porcelain", "--", path("sudo"))
    expect(explained, 0)
    assert "\tstarts programs without LD_PRELOAD\n" in explained.stdout
    os.remove(path("sudo"))


@test
def a_login_by_su_or_runuser_is_told():
    for name in "su", "runuser":
        copy(name, "/bin/true")
        for words in (["-"], ["-", "root"], ["-l"], ["--login", "root"],
                      ["root", "-l"], ["-s", "/bin/sh", "-"], ["-plc", "x"]):
            expect_cleaned([name, *words])
        for words in ([], ["root"], ["-c", "-l"], ["--command", "-", "root"],
                      ["root", "--", "-l"], ["-w", "-l", "root"]):
            expect_kept(name, *words)
        os.remove(path(name))
    copy("runuser", "/bin/true")
    expect_kept("runuser", "-u", "root", "--", "ls", "-l")
    os.remove(path("runuser"))


@test
def su_and_runuser_hand_on_what_berth_says_they_do():
    needs_root()
    for command in "su", "runuser":
        if shutil.which(command) is None:
            raise Skip(f"no {command} here")
        where = shutil.which(command)
        words = [command, "root", "-c", "echo -$LD_PRELOAD"]
        expect(run("--strict", *words), 0, f"-{LIBBERTH}\n", "")
        words[1:1] = ["-"]
        expect(run(*words), 0, "-\n", f"berth: {where}: starts programs")


@test
def an_environment_that_env_cleans_is_told():
    env = shutil.which("env")
    command = "sh", "-c", "echo -$LD_PRELOAD"
    cleaning = (["-i"], ["-"], ["--ignore-environment"], ["-vi"],
                ["-u", "LD_PRELOAD"], ["-uLD_PRELOAD"],
                ["--unset=LD_PRELOAD"], ["-i", "A=1"], ["LD_PRELOAD="],
                ["-u", "LD_PRELOAD", "A=1"], ["env", "-i"], ["-S", "-i"],
                ["-S-u LD_PRELOAD A=1"], ["-u", "A", "env", "-"])
    for words in cleaning:
        line = f"berth: {env}: starts programs without LD_PRELOAD: "
        result = run("env", *words, *command)
        assert line in result.stderr, (words, result)
        assert result.stdout == "-\n", (words, result)
        expect(run("--strict", "env", *words, *command), 126, "", line)
    for words in (["A=1"], ["-u", "A"], ["-C", "/", "A=1"], ["--", "A=1"],
                  ["-i", f"LD_PRELOAD={LIBBERTH}"], ["-S", "A=1 B=2"]):
        expect(run("--strict", "env", *words, *command), 0,
               f"-{LIBBERTH}\n", "")
    expect(run("--strict", "env", "-i"), 0, "", "")
    script = write("cleaned", f"#!{env} -S -i sh\necho -$LD_PRELOAD\n")
    expect(run(script), 0, "-\n", f"berth: {script}: its interpreter {env}: "
           "starts programs")
    expect(run("--strict", script), 126, "", "refused by --strict")


@test
def what_a_known_command_starts_is_looked_at():
    program = copy("static", static())
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin:" + work}
    starters = (["env", "A=1"], ["env", "-u", "A", "--"], ["nice"],
                ["nice", "-n", "5"], ["nice", "-5"], ["nohup"],
                ["timeout", "-k", "9", "60"], ["timeout", "--signal", "9", "60"],
                ["stdbuf", "-o", "L"], ["setsid", "-w"], ["env", "nice"],
                ["nice", "env", "A=1", "nohup"], ["busybox", "nice"],
                ["busybox", "env", "A=1"], ["taskset", "-c", "0"],
                ["chrt", "-o", "0"], ["setpriv", "--reuid", "0"])
    for words in starters:
        if shutil.which(words[0]) is None:
            continue
        if words[0] == "busybox" and "statically" in run(
                "busybox", "true", env=env).stderr:
            continue
        for name in "static", program:
            expect(run("--strict", *words, name, "-x", env=env), 126, "",
                   f": it starts {program}: statically linked: the kernel will "
                   "choose its ports; refused by --strict")
        expect(run("--strict", *words, "true", "static", env=env), 0)
    script = write("starts", f"#!{program}\n")
    expect(run("--strict", "env", script), 126, "",
           f"it starts {program}: statically linked")
    expect(run("env", "A=1", program), 0, err=f"it starts {program}")
    # Of what they cannot know nothing is told.
    for words in (["env", "PATH=/nowhere", "static"], ["env", "-C", work,
                  "./static"], ["nice", "nosuch"], ["timeout"], ["nice"]):
        result = run("--strict", *words, env=env)
        assert "it starts" not in result.stderr, (words, result)


@test
def an_applet_of_busybox_that_cleans_the_environment_is_told():
    copy("busybox", "/bin/true")
    for words in ["su", "-"], ["env", "-i", "sh"], ["crond"]:
        expect_cleaned(["busybox", *words])
        line = f"it starts {path('busybox')}: starts programs without"
        env = {"PATH": work + ":" + os.environ["PATH"]}
        expect(run("--strict", "nice", "busybox", *words, env=env), 126, "",
               line)
    for words in [], ["su"], ["ls", "-"], ["true", "su", "-"]:
        expect_kept("busybox", *words)
    os.remove(path("busybox"))


@test
def other_options_that_clean_the_environment_are_told():
    for name, option in ("setpriv", "--reset-env"), ("bwrap", "--clearenv"):
        copy(name, "/bin/true")
        expect_cleaned([name, option, "true"])
        expect_kept(name, "true")
        os.remove(path(name))


def starts_note(program, offset):
    text = subprocess.run(["readelf", "-lW", program], capture_output=True,
                          text=True).stdout
    return any(int(at, 16) == offset for at in
               re.findall(r"NOTE +(0x[0-9a-f]+)", text))


# --- all --------------------------------------------------------------------

def run_test(tap, function):
    name = function.__name__.replace('_', ' ')
    try:
        function()
    except Skip as reason:
        tap.skip(f"{name}: {reason}")
    except Exception:
        tap.ok(False, name, traceback.format_exc().splitlines())
    else:
        tap.ok(True, name)


def enter_namespace():
    if "RUN_PY_INSIDE" in os.environ:
        return
    inside = ["unshare", "--net"]
    if not shutil.which("unshare") or subprocess.run(
            inside + ["true"], capture_output=True).returncode != 0:
        skip_all("needs a network namespace of its own")
        sys.exit(0)
    os.environ["RUN_PY_INSIDE"] = "1"
    os.execvp("unshare", inside + [sys.executable, os.path.abspath(__file__)])


enter_namespace()
with tempfile.TemporaryDirectory() as work:
    os.chmod(work, 0o755)
    map_file = path("map")
    os.mkdir(map_file)
    os.chmod(map_file, 0o1777)
    tap = Tap()
    for each in tests:
        run_test(tap, each)
sys.exit(tap.end())
