"""Real programs in the view of a real container. Each test proves which side its program touched:

* the container's files hold a nonce that was made for the run;
* this machine has the same paths, with poison in them;
* the calls to the agent are counted: some for the container's paths, none for local ones;
* with the agent stopped the same program fails, if it works on the container's paths.
"""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../exec"))
sys.path.insert(0, os.path.join(HERE, "../lab"))

import exec_world  # noqa: E402  pylint: disable=wrong-import-position
from lab_case import LabCase  # noqa: E402  pylint: disable=wrong-import-position

main = exec_world.main
LIMIT = exec_world.LIMIT
NOBODY = exec_world.NOBODY
POISON = "poison"
# What a session does without being asked for a file.
HOUSEKEEPING = ("Attach", "Forget", "Release", "Heartbeat", "Detach")


class Session:
    """A shell in the view that runs one command after the other, so that each can be counted."""

    def __init__(self, test, options):
        self.test = test
        self.child = test.start_exec("sh", options=["--deadline", "1s", *options], stdin=subprocess.PIPE)
        self.run("true")

    def run(self, command):
        """What it prints, and its exit code."""
        self.child.stdin.write(f"( {command}\n) < /dev/null 2>&1; code=$?; echo; echo \"==end $code\"\n")
        self.child.stdin.flush()
        lines = []
        while True:
            line = self.child.stdout.readline()
            self.test.assertNotEqual(line, "", f"the session has ended: {lines}")
            if line.startswith("==end "):
                return "".join(lines), int(line.split()[1])
            lines.append(line)

    def calls(self):
        """How many calls about files have been made to the agent so far."""
        stats = json.loads(self.test.succeed("stats", f"exec/{self.child.pid}", "-o", "json"))
        return sum(count["calls"] for method, count in stats["calls"].items() if method not in HOUSEKEEPING)

    def stop_agent(self):
        os.kill(self.test.parts(self.child)["agent"], signal.SIGSTOP)
        time.sleep(1.2)  # what the kernel was told holds for a second

    def continue_agent(self):
        os.kill(self.test.parts(self.child)["agent"], signal.SIGCONT)

    def end(self):
        self.child.stdin.close()
        self.child.wait(timeout=LIMIT)


class ProgramWorld(LabCase, exec_world.ExecWorld):
    """One directory in the container, and its poisoned twin here, for each test."""

    runtimes = ("docker",)
    options = ()  # for the sessions

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # This machine's /srv is empty and ours: the namespace is the test's own.
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "poisoned", "/srv"], check=True)

    @classmethod
    def tearDownClass(cls):
        subprocess.run(["umount", "-l", "/srv"], check=True)
        super().tearDownClass()

    def setUp(self):
        super().setUp()
        self.path = f"/srv/t-{secrets.token_hex(4)}"
        self.root = f"/proc/{self.lab.DOCKER_WEB_PID}/root"
        self.target = "docker/web"
        self.service = ("--runtime-socket", self.lab.DOCKER_WEB_SOCKET)
        self.inside = self.root + self.path
        for directory in (self.path, self.inside):
            os.mkdir(directory)
            os.chmod(directory, 0o755)
            os.chown(directory, self.user, self.user)
        self.addCleanup(shutil.rmtree, self.path)
        self.addCleanup(shutil.rmtree, self.inside)
        self.session = None

    def exec_command(self, *words, options=()):
        return super().exec_command(*words, options=(*self.service, *options))

    def put(self, name, text, mode=0o644):
        """A file of the container; what stands in it for the nonce is poison on this machine."""
        for directory, content in ((self.inside, text), (self.path, text.replace(self.nonce, POISON))):
            path = os.path.join(directory, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(content)
            self.own(path, mode)

    def put_tree(self, source, name):
        """A tree that a program has made; its twin here is empty."""
        target = os.path.join(self.inside, name)
        shutil.copytree(source, target, symlinks=True)
        subprocess.run(["chown", "-R", f"{self.user}:{self.user}", target], check=True)
        os.mkdir(os.path.join(self.path, name))

    def own(self, path, mode):
        os.chmod(path, mode)
        os.chown(path, self.user, self.user)

    def begin(self, *options):
        self.session = Session(self, [*self.options, *options])
        return self.session

    def remote(self, command, expected=None, code=0):
        """A command that works on the container's files, which `expected` (the nonce) proves."""
        expected = self.nonce if expected is None else expected
        session = self.session or self.begin()
        before = session.calls()
        output, result = session.run(command)
        self.assertIn(expected, output)
        self.assertNotIn(POISON, output)
        self.assertEqual(result, code, output)
        self.assertGreater(session.calls(), before, "nothing was asked of the container")
        return output

    def local(self, command, expected):
        """A command that works on this machine's files alone."""
        session = self.session or self.begin()
        session.run(command)  # programs and libraries may be looked for in the container before
        before = session.calls()
        output, result = session.run(command)
        self.assertIn(expected, output)
        self.assertEqual(result, 0, output)
        self.assertEqual(session.calls(), before, "the container was asked")
        return output

    def fails_without_agent(self, command, expected=None):
        """The same command, when nobody answers. Ends the session."""
        expected = self.nonce if expected is None else expected
        session = self.session
        session.stop_agent()
        output, result = session.run(command)
        self.assertNotIn(expected, output)
        self.assertNotIn(POISON, output)
        self.assertNotEqual(result, 0, output)
        session.continue_agent()
        session.end()
        self.assert_nothing_left()

    def prove(self, command, *options, expected=None):
        """All of it, for a program that reads."""
        self.begin(*options)
        self.remote(command, expected)
        self.fails_without_agent(command, expected)


class UserWorld:
    """The same on a container of an ordinary user's own: the layers of the lab's image as the root of a process of his."""

    user = NOBODY

    def setUp(self):
        super().setUp()
        self.container = self.directory("mine")
        work = [self.directory(name) for name in ("upper", "work")]
        layers = self.lab.DOCKER_WEB_LOWERDIR
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                        f"lowerdir={layers},upperdir={work[0]},workdir={work[1]}", self.container], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", self.container], check=True)
        shutil.rmtree(self.inside)
        self.inside = self.container + self.path
        os.makedirs(self.inside)
        self.own(self.inside, 0o755)
        holder = subprocess.Popen(["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", "--",
                                   "unshare", "--user", f"--map-user={self.user}", f"--map-group={self.user}",
                                   f"--root={self.container}", "/bin/sleep", "100000"])
        self.addCleanup(holder.wait)
        self.addCleanup(holder.kill)
        self.wait_for(lambda: os.readlink(f"/proc/{holder.pid}/root") != "/", "the container's process")
        self.target = f"pid/{holder.pid}"
        self.service = ()
