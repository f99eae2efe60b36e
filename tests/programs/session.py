"""A shell in the view that runs one command after the other, so that each can be counted; and none for ever."""

import contextlib
import json
import os
import secrets
import select
import signal
import subprocess
import time

COMMAND_LIMIT = 60  # seconds; on a busy machine a runtime or a compiler may take some
# What a session does without being asked for a file.
HOUSEKEEPING = ("Attach", "Detach", "Ping", "Fence", "Reclaim", "Forget", "Release")
REMEMBERED = 1.2  # a little longer than kernel and daemon believe what they were told


def children_of(parent):
    """Process ids of all below a process."""
    parents = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                parents.setdefault(int(file.read().rsplit(")", 1)[1].split()[1]), []).append(int(pid))
        except OSError:
            continue
    found = [parent]
    for pid in found:
        found.extend(parents.get(pid, []))
    return found[1:]


def describe(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as line, open(f"/proc/{pid}/wchan", encoding="utf-8") as where:
            return f"{line.read().decode(errors='replace').split(chr(0))[:3]} in {where.read()}"
    except OSError:
        return "ended"


class Session:
    """Not for several threads."""

    def __init__(self, test, options, **settings):
        self.test = test
        self.child = test.start_exec("sh", options=["--deadline", "1s", *options],
                                     **{"stdin": subprocess.PIPE, **settings})
        self.pending = b""
        self.limit = COMMAND_LIMIT
        self.run_parts = {}
        self.run("true")
        self.run_parts = test.parts(self.child)

    def run(self, command):
        """What it prints, and its exit code."""
        self.child.stdin.write(f"( {command}\n) < /dev/null 2>&1; code=$?; echo; echo \"==end $code\"\n")
        self.child.stdin.flush()
        return self.answer(command)

    def run_together(self, commands):
        """The same for several commands at once, whose outputs are told one after the other."""
        files = [f"{self.test.directory(f'together-{secrets.token_hex(4)}')}/out" for _ in commands]
        self.run("".join(f"{{ ( {command}\n) > {file} 2>&1; echo $? > {file}.code; }} &\n"
                         for command, file in zip(commands, files)) + "wait")
        results = []
        for file in files:
            with open(file, encoding="utf-8", errors="replace") as output, open(f"{file}.code", encoding="utf-8") as code:
                results.append((output.read(), int(code.read())))
        return results

    def answer(self, command):
        deadline = time.monotonic() + self.limit
        descriptor = self.child.stdout.fileno()
        lines = []
        while True:
            *complete, self.pending = self.pending.split(b"\n")
            for number, line in enumerate(complete):
                if line.startswith(b"==end "):
                    self.pending = b"\n".join([*complete[number + 1:], self.pending])
                    return b"".join(lines).decode(errors="replace"), int(line.split()[1])
                lines.append(line + b"\n")
            if not select.select([descriptor], [], [], max(0, deadline - time.monotonic()))[0]:
                self.give_up(command, lines)
            data = os.read(descriptor, 1 << 16)
            self.test.assertNotEqual(data, b"", f"the session has ended: {lines}")
            self.pending += data

    def give_up(self, command, lines):
        """Ends what hangs, so that only this test fails: without its daemon nothing waits for the view any more."""
        left = [pid for pid in children_of(self.child.pid) if pid not in self.run_parts.values()]
        hanging = [describe(pid) for pid in left]
        for pid in (*left, self.run_parts.get("daemon")):
            with contextlib.suppress(TypeError, ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(KeyError):
            self.continue_agent()
        self.test.fail(f"{command!r} did not end in {self.limit} s; it printed {lines}; there were {hanging}")

    def calls(self):
        """How many calls about files have been made to the agent so far."""
        stats = json.loads(self.test.succeed("stats", f"exec/{self.child.pid}", "-o", "json"))
        return sum(count["calls"] for method, count in stats["calls"].items() if method not in HOUSEKEEPING)

    @staticmethod
    def let_all_expire():
        time.sleep(REMEMBERED)

    def stop_agent(self):
        os.kill(self.run_parts["agent"], signal.SIGSTOP)
        self.let_all_expire()

    def continue_agent(self):
        os.kill(self.run_parts["agent"], signal.SIGCONT)

    def end(self):
        self.child.stdin.close()
        self.child.wait(timeout=COMMAND_LIMIT)
