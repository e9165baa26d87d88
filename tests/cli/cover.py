#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""berth run: programs that cannot be covered, or start others that are not.

Edge cases 35, 52 and 70.
"""

import json
import os
import re
import shutil
import subprocess

from run_fixture import (berth, BERTH, copy, expect, LIBBERTH, main, map_file,
                         needs_root, path, run, Skip, static, test, work,
                         write)

NOBODY = 65534


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


main()
