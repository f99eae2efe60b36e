"""Real programs in the view of a real container. Each test proves which side its program touched:

* the container's files hold a nonce that was made for the run;
* this machine has the same paths, with poison in them;
* the calls to the agent are counted: some for the container's paths, none for local ones;
* with the agent stopped the same program fails, if it works on the container's paths.
"""

import collections
import contextlib
import ctypes
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../exec"))
sys.path.insert(0, os.path.join(HERE, "../lab"))

import exec_world  # noqa: E402  pylint: disable=wrong-import-position
import world  # noqa: E402  pylint: disable=wrong-import-position
from lab_case import Lab  # noqa: E402  pylint: disable=wrong-import-position
from session import Session  # noqa: E402  pylint: disable=wrong-import-position

ROOT = os.path.dirname(os.path.dirname(HERE))
main = exec_world.main
LIMIT = exec_world.LIMIT
NOBODY = exec_world.NOBODY
texts_of_tree = exec_world.texts_of_tree
POISON = "poison"
TEST_LIMIT = 180  # seconds; what hangs where nothing else limits it fails its test


def need_io_uring(test):
    """Some machines forbid it (kernel.io_uring_disabled)."""
    ring = ctypes.CDLL(None, use_errno=True).syscall(425, 1, ctypes.create_string_buffer(120))
    if ring < 0:
        test.skipTest(f"no io_uring on this machine: {os.strerror(ctypes.get_errno())}")
    os.close(ring)


def empty(directory, mode):
    """Covers the directory until the module ends; the sources and what was built of them stay where they are."""
    kept = [path for path in (ROOT, world.World.binaries) if path.startswith(directory + "/")]
    descriptors = [os.open(path, os.O_PATH) for path in kept]
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"mode={mode}", "poisoned", directory], check=True)
    unittest.addModuleCleanup(subprocess.run, ["umount", "-l", directory], check=True)
    for path, descriptor in zip(kept, descriptors):
        os.makedirs(path, exist_ok=True)
        subprocess.run(["mount", "--no-canonicalize", "--bind", f"/proc/self/fd/{descriptor}", path], check=True, pass_fds=[descriptor])
        os.close(descriptor)


class ProgramWorld(exec_world.ExecWorld):
    """One directory in the container, and its poisoned twin here, for each test."""

    lab = None
    counts = collections.Counter()  # of what has been shown, for a line at the end

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if os.geteuid() != 0:
            raise unittest.SkipTest("needs root")
        if ProgramWorld.lab is None:
            ProgramWorld.lab = Lab("docker")
            unittest.addModuleCleanup(lambda: print(", ".join(f"{n} {what}" for what, n in cls.counts.items()), flush=True))
            unittest.addModuleCleanup(ProgramWorld.lab.down)
            # This machine's /srv and /tmp are empty and ours: the namespace is the test's own.
            empty("/srv", "0755")
            empty("/tmp", "1777")

    def setUp(self):
        def give_up(*_):
            raise AssertionError(f"the test did not end in {TEST_LIMIT} s")
        signal.signal(signal.SIGALRM, give_up)
        signal.alarm(TEST_LIMIT)
        self.addCleanup(signal.alarm, 0)
        self.wrap = ()
        super().setUp()
        self.path = f"/srv/t-{secrets.token_hex(4)}"
        self.start_container()
        self.inside = self.container + self.path
        for directory in (self.path, self.inside):
            os.mkdir(directory)
            self.own(directory, 0o755)
            self.addCleanup(shutil.rmtree, directory)
        self.session = None
        self.before = None

    def start_container(self):
        """Sets where its root is, what names it, and the options that go with that."""
        self.container = f"/proc/{self.lab.DOCKER_WEB_PID}/root"
        self.target = "docker/web"
        self.service = ("--runtime-socket", self.lab.DOCKER_WEB_SOCKET)

    def environment(self):
        # Modules in the user's home would be looked for in the container.
        return {**super().environment(), "PYTHONNOUSERSITE": "1"}

    def exec_command(self, *words, options=()):
        return [*self.wrap, *super().exec_command(*words, options=(*self.service, *options))]

    # --- Files of both sides

    def put(self, name, text, mode=0o644):
        """A file of the container; what stands in it for the nonce is poison on this machine."""
        for directory, content in ((self.inside, text), (self.path, text.replace(self.nonce, POISON))):
            path = os.path.join(directory, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(content)
            self.own(path, mode)

    def put_made(self, name, make):
        """A file or tree that make(path, word) makes, with the nonce or with poison as the word."""
        for directory, word in ((self.inside, self.nonce), (self.path, POISON)):
            made = os.path.join(self.directory(f"made-{secrets.token_hex(4)}"), "made")
            make(made, word)
            target = os.path.join(directory, name)
            subprocess.run(["cp", "-a", made, target], check=True)
            subprocess.run(["chown", "-R", f"{self.user}:{self.user}", target], check=True)

    def put_outside(self, path, text):
        """A file of the container that does not lie in the test's own directory, and is taken away afterwards. Its twin
        is what this machine has there; in /tmp it is made."""
        twins = [(self.container + path, text)]
        if path.startswith("/tmp/"):
            twins.append((path, text.replace(self.nonce, POISON)))
        for twin, content in twins:
            with contextlib.suppress(FileExistsError):
                os.makedirs(os.path.dirname(twin))
                self.addCleanup(shutil.rmtree, os.path.dirname(twin))
            with open(twin, "x", encoding="utf-8") as file:
                self.addCleanup(os.unlink, twin)
                file.write(content)
            self.own(twin, 0o644)
        return self.container + path

    def own(self, path, mode):
        os.chmod(path, mode)
        os.chown(path, self.user, self.user)

    # --- Programs and what they do

    def begin(self, *options, wrap=(), **settings):
        """`wrap`: a command that runs another one, in which all of it lives."""
        self.wrap = wrap
        self.before = self.both_trees()
        self.session = Session(self, options, **settings)
        return self.session

    def both_trees(self):
        return [texts_of_tree(directory) for directory in (self.inside, self.path)]

    def assert_untouched(self):
        """Neither the container nor this machine's twin has been changed since the session has begun."""
        self.assertEqual(self.both_trees(), self.before)

    def remote(self, command, expected=None, code=0):
        """A command that works on the container's files, which `expected` (the nonce) proves."""
        session = self.session or self.begin()
        before = session.calls()
        output, result = session.run(command)
        self.assertIn(self.nonce if expected is None else expected, output)
        self.assertNotIn(POISON, output)
        self.assertEqual(result, code, output)
        self.assertGreater(session.calls(), before, "nothing was asked of the container")
        self.counts["commands on the container's files"] += 1
        return output

    def local(self, command, expected):
        """A command that works on this machine's files alone, which does not wait for the container either."""
        session = self.session or self.begin()
        session.let_all_expire()
        before = session.calls()
        output, result = session.run(command)
        self.assertIn(expected, output)
        self.assertEqual(result, 0, output)
        self.assertEqual(session.calls(), before, "the container was asked")
        self.counts["on this machine's alone"] += 1
        return output

    def fails_without_agent(self, *commands):
        """The same, when nobody answers. Ends the session."""
        session = self.session
        session.stop_agent()
        for command, (output, result) in zip(commands, session.run_together(commands)):
            with self.subTest("without the agent", command=command):
                self.assertNotEqual(result, 0, output)
                self.assertNotIn(self.nonce, output)
                self.assertNotIn(POISON, output)
                self.counts["that fail without the agent"] += 1
        session.continue_agent()
        session.end()
        self.assert_nothing_left()

    def prove(self, command, *options, expected=None):
        """All of it, for a program that reads."""
        self.begin(*options)
        self.remote(command, expected)
        self.fails_without_agent(command)


class UserWorld:
    """The same on a container of an ordinary user's own: the layers of the lab's image as the root of a process of his."""

    user = NOBODY

    def start_container(self):
        place = tempfile.mkdtemp(prefix="mirrorfs-programs-", dir="/var/tmp")
        self.addCleanup(shutil.rmtree, place)
        os.chmod(place, 0o755)
        self.container = os.path.join(place, "root")
        for name in ("root", "upper", "work"):
            os.mkdir(os.path.join(place, name))
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                        f"lowerdir={self.lab.DOCKER_WEB_LOWERDIR},upperdir={place}/upper,workdir={place}/work",
                        self.container], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", self.container], check=True)
        holder = subprocess.Popen(["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", "--",
                                   "unshare", "--user", f"--map-user={self.user}", f"--map-group={self.user}",
                                   f"--root={self.container}", "/bin/sleep", "100000"])
        self.addCleanup(holder.wait)
        self.addCleanup(holder.kill)
        self.wait_for(lambda: os.readlink(f"/proc/{holder.pid}/root") != "/", "the container's process")
        self.target = f"pid/{holder.pid}"
        self.service = ()
