"""Calls agents on a node of the lab and tells what each call cost. Reads steps as JSON, one list; writes a list of the same length.

A step: {"argv": [...], "env": {...}, "code": n or absent for any, "times": n, "trace": bool}
Its answer: {"calls": [[wall ms, cpu ms, peak KiB, exit code], ...], "trace": text of strace or ""}
"""
import json, os, sys, time

null = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in (0, 1)]
stderr = [(os.POSIX_SPAWN_OPEN, 2, "/tmp/bench-stderr", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)]


def call(argv, env):
    began = time.monotonic()
    pid = os.posix_spawnp(argv[0], argv, env, file_actions=null + stderr)
    _, status, usage = os.wait4(pid, 0)
    wall = time.monotonic() - began
    cpu = usage.ru_utime + usage.ru_stime
    return [wall * 1000, cpu * 1000, usage.ru_maxrss, os.waitstatus_to_exitcode(status)]


def perform(step):
    argv, env = step["argv"], step["env"]
    calls = [call(argv, env) for _ in range(step.get("times", 1))]
    codes = {code for *_, code in calls}
    if "code" in step and codes != {step["code"]}:
        said = open("/tmp/bench-stderr", errors="replace").read()[-600:]
        raise SystemExit(f"{' '.join(argv)} answered {codes}, not {step['code']}: {said}")
    trace = ""
    if step.get("trace"):
        kinds = "trace=execve,execveat,clone,clone3,fork,vfork"
        call(["strace", "-f", "-qq", "-e", kinds, "-o", "/tmp/bench-strace", *argv], env)
        trace = open("/tmp/bench-strace", errors="replace").read()
    return {"calls": calls, "trace": trace}


print(json.dumps([perform(step) for step in json.load(sys.stdin)]))
