#!/usr/bin/python3
"""What the running agent is left with: every thread's capabilities, no_new_privs and seccomp mode under load, read from
the kernel, and system calls that it must not be able to make, tried in its own threads.

agent_confined_test.py DIRECTORY_OF_PROGRAMS (mirrorfs-agent, mirrorfsd, mirrorfs, inject_call)
"""
import glob
import os
import platform
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lab"))
from lab_case import LabCase  # noqa: E402

PROGRAMS = ""
EPERM = "1"

# Numbers of include/uapi/linux/capability.h.
CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER, FSETID, SETGID, SETUID, SYS_PTRACE, MKNOD, SETFCAP = (
    0, 1, 2, 3, 4, 6, 7, 19, 27, 31)
READING = {SYS_PTRACE, DAC_READ_SEARCH, SETUID, SETGID}
WRITING = READING | {DAC_OVERRIDE, CHOWN, FOWNER, FSETID, SETFCAP}


def bits(capabilities):
    return sum(1 << capability for capability in capabilities)


class Agent:
    """mirrorfs-agent for docker/web of a lab, and a mount of it."""

    def __init__(self, lab, *options):
        self.mount_point = os.path.join(lab.parent, "m")
        socket = os.path.join(lab.parent, "agent.sock")
        ready, ready_end = os.pipe()
        os.set_inheritable(ready_end, True)
        self.process = subprocess.Popen(
            [PROGRAMS + "/mirrorfs-agent", "--target", "docker/web", "--runtime-socket", lab.LAB_DOCKER_SOCKET,
             "--listen", "unix:" + socket, "--ready-fd", str(ready_end), *options], close_fds=False)
        os.close(ready_end)
        with os.fdopen(ready) as line:
            assert line.readline().startswith("ready"), "the agent does not serve"
        mode = ["--rw"] if "--rw" in options else []
        mode += ["-o", "dev"] if "--devices" in options else []
        subprocess.run([PROGRAMS + "/mirrorfs", "mount", "--mkdir", *mode, "unix:" + socket, self.mount_point],
                       check=True)

    def end(self):
        subprocess.run([PROGRAMS + "/mirrorfs", "umount", "--force", self.mount_point], check=False)
        self.process.terminate()
        self.process.wait()

    def load(self, writing):
        """Programs at work on the mount, each twice."""
        repeat = "for round in 1 2; do %s; done"
        commands = ["tar -cf - lower | wc -c", "find . -path ./proc -prune -o -type f -print | wc -l",
                    "cat lower/many/* | wc -c", "ls -lR lower | wc -l"]
        if writing:
            commands += ["mkdir srv/d$round && cp -r lower/many srv/d$round && rm -r srv/d$round",
                         "dd if=/dev/zero of=srv/big bs=1M count=16 2> /dev/null; chown 1000:50 srv/big; rm srv/big"]
        return [subprocess.Popen(["sh", "-c", repeat % command], cwd=self.mount_point, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL) for command in commands]

    def thread_states(self):
        """The lines of interest of each thread."""
        states = []
        for path in glob.glob(f"/proc/{self.process.pid}/task/*/status"):
            try:
                with open(path, encoding="utf-8") as status:
                    fields = dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)
            except (FileNotFoundError, ProcessLookupError):
                continue
            states.append(fields)
        return states


class AgentConfinedTest(LabCase):
    def check_under_load(self, permitted, *options):
        agent = Agent(self.lab, *options)
        try:
            working = agent.load("--rw" in options)
            samples = most_threads = 0
            while not self.ended(working, within=0.02):
                states = agent.thread_states()
                for state in states:
                    self.check_thread(state, bits(permitted))
                samples += len(states)
                most_threads = max(most_threads, len(states))
            print(f"\n{' '.join(options) or 'read-only'}: up to {most_threads} threads, {samples} samples, permitted "
                  f"{bits(permitted):016x}", flush=True)
            self.assertGreater(most_threads, 4)
            self.assertIsNone(agent.process.poll())
            for program in working:
                self.assertEqual(program.returncode, 0, program.args)
        finally:
            agent.end()

    @staticmethod
    def ended(working, within):
        """Whether all have ended; looked at no more often than every `within` seconds, to leave the machine to them."""
        for program in working:
            try:
                program.wait(within)
            except subprocess.TimeoutExpired:
                return False
        return True

    def check_thread(self, state, permitted):
        self.assertEqual(int(state["CapPrm"], 16), permitted)
        # A thread that acts for somebody has less for that time.
        self.assertEqual(int(state["CapEff"], 16) & ~permitted, 0)
        for empty in ("CapInh", "CapBnd", "CapAmb"):
            self.assertEqual(int(state[empty], 16), 0, empty)
        self.assertEqual((state["NoNewPrivs"], state["Seccomp"]), ("1", "2"))

    def test_read_only(self):
        self.check_under_load(READING)

    def test_read_write(self):
        self.check_under_load(WRITING, "--rw")

    def test_read_write_with_devices(self):
        self.check_under_load(WRITING | {MKNOD}, "--rw", "--devices")

    @unittest.skipUnless(platform.machine() == "x86_64", "inject_call knows x86-64 only")
    def test_forbidden_calls_are_refused_in_every_thread(self):
        agent = Agent(self.lab, "--rw")
        try:
            working = agent.load(writing=True)
            done = subprocess.run([PROGRAMS + "/inject_call", str(agent.process.pid)], check=True, capture_output=True,
                                  text=True)
            print("\n" + done.stdout, flush=True)
            answers = [line.split("\t") for line in done.stdout.splitlines()]
            allowed = [answer for answer in answers if answer[0] == "getpid"]
            refused = [answer for answer in answers if answer[0] != "getpid"]
            self.assertEqual(len(refused), 13)
            for name, error, count in refused:
                self.assertEqual((name, error, count), (name, EPERM, allowed[0][2]))
            self.assertEqual(allowed, [["getpid", "0", allowed[0][2]]])
            self.assertGreater(int(allowed[0][2]), 4)
            # It goes on as if nothing had been.
            for program in working:
                self.assertEqual(program.wait(), 0, program.args)
            self.assertIsNone(agent.process.poll())
        finally:
            agent.end()


if __name__ == "__main__":
    PROGRAMS = os.path.realpath(sys.argv.pop(1))
    unittest.main(verbosity=2)
