"""A place for tests of `mirrorfs exec`: a container's tree beside this machine's, and programs run in the view of both.

Builds on the world of the launcher's tests; programs of tests are run as on any machine, from a directory of the test's
own, which is local in the view.
"""

import contextlib
import hashlib
import json
import os
import pty
import secrets
import select
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import termios
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../launcher"))

import world  # pylint: disable=wrong-import-position

main = world.main
LIMIT = world.LIMIT
NOBODY = world.NOBODY
LAYERS = "/var/lib/mirrorfs"


def texts_of_tree(root, times=True):
    """A line for each file: name, type, mode, owner, times, link, attributes, and a digest of the content."""
    lines = []
    for directory, names, files in os.walk(root):
        for name in names + files:
            path = os.path.join(directory, name)
            info = os.lstat(path)
            content = b""
            if os.path.islink(path):
                content = os.fsencode(os.readlink(path))
            elif os.path.isfile(path):
                with open(path, "rb") as file:
                    content = file.read()
            size = 0 if stat.S_ISDIR(info.st_mode) else info.st_size
            lines.append(ascii((os.path.relpath(path, root), oct(info.st_mode), info.st_uid, info.st_gid, size, info.st_nlink,
                                times and info.st_mtime_ns, sorted(os.listxattr(path, follow_symlinks=False)),
                                hashlib.sha256(content).hexdigest())))
    return sorted(lines)


class ExecWorld(world.World):
    """A directory that stands for a container, with a nonce in files that only it has."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Where root's private layers are: none of the machine's.
        os.makedirs(LAYERS, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0700", "layers", LAYERS], check=True)

    @classmethod
    def tearDownClass(cls):
        subprocess.run(["umount", "-l", LAYERS], check=True)
        with contextlib.suppress(OSError):
            os.rmdir(LAYERS)
        super().tearDownClass()

    def environment(self):
        return {**super().environment(), "HOME": self.home}

    def setUp(self):
        # Not in the test's own place: rules hide credentials below it, so a tree around it is not bound as a whole.
        self.home = tempfile.mkdtemp(prefix="mirrorfs-home-", dir="/var/tmp")
        self.addCleanup(shutil.rmtree, self.home)
        os.chown(self.home, self.user, self.user)
        super().setUp()
        self.nonce = secrets.token_hex(8)
        self.container = self.make_container("container", self.nonce)
        self.target = f"dir:{self.container}"

    def tearDown(self):
        """Whatever a test did: when its programs have ended, nothing is left of their runs."""
        for child in self.children:
            child.kill()
        self.assert_nothing_left()

    def assert_nothing_left(self):
        # Not all processes of a run name the test's own place; the state directory goes last.
        self.wait_for(lambda: not self.state_directories(), f"the end of {self.state_directories()}")
        super().assert_nothing_left()

    def make_container(self, name, nonce):
        """A tree that has `nonce` in files that this machine does not have."""
        root = self.directory(name)
        for directory in ("srv", "var", "data"):
            self.directory(f"{name}/{directory}")
        self.write(f"{name}/srv/nonce", nonce + "\n")
        self.write(f"{name}/srv/program", f"#!/bin/sh\necho {nonce} \"$@\"\n")
        os.chmod(os.path.join(root, "srv/program"), 0o755)
        self.write(f"{name}/srv/not-a-program", nonce)
        return root

    # --- Running programs

    def exec_command(self, *words, options=()):
        return self.command("exec", "--target", self.target, *options, "--", *words)

    def run_exec(self, *words, options=(), **settings):
        """Runs a program to its end, in the view."""
        settings = {"cwd": self.place, "stdin": subprocess.DEVNULL, **settings}
        return subprocess.run(self.exec_command(*words, options=options), env=self.environment(), capture_output=True,
                              text=True, timeout=LIMIT, check=False, **settings)

    def output_of(self, *words, **settings):
        result = self.run_exec(*words, **settings)
        self.assertEqual(result.returncode, 0, f"{words}: {result.stdout}{result.stderr}")
        return result.stdout

    def shell(self, text, **settings):
        return self.output_of("sh", "-c", text, **settings)

    def start_exec(self, *words, options=(), **settings):
        """Starts a program that goes on; its output is a pipe."""
        settings = {"cwd": self.place, "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                    "stderr": subprocess.STDOUT, **settings}
        child = subprocess.Popen(self.exec_command(*words, options=options), env=self.environment(), text=True,
                                 **settings)
        self.children.append(child)
        return child

    def start_shell(self, text, **settings):
        """Starts a shell and waits until it has said "ready"."""
        child = self.start_exec("sh", "-c", f"echo ready; {text}", **settings)
        self.assertEqual(child.stdout.readline(), "ready\n", child.poll())
        return child

    def discard_all(self):
        for layer in json.loads(self.succeed("layers", "-o", "json")):
            self.succeed("discard", layer["name"])

    # --- Looking at runs

    def parts(self, child):
        """Process ids of a run: keeper, the process behind it, agent, daemon."""
        run = self.status(f"exec/{child.pid}")
        self.assertIsNotNone(run, self.state_directories())
        with open(f"/proc/{run['pid']}/stat", encoding="utf-8") as file:
            warden = int(file.read().rsplit(")", 1)[1].split()[1])
        return {"keeper": run["pid"], "warden": warden, "agent": run["agent_pid"], "daemon": run["daemon_pid"],
                "state": run["state"]}

    def kill_part(self, pid):
        os.kill(pid, signal.SIGKILL)
        self.wait_for(lambda: pid not in self.processes(), f"the end of {pid}")


class Terminal:
    """A shell on a terminal of its own, as a person has it."""

    def __init__(self, command, environment, directory):
        self.seen = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(directory)
            os.execvpe(command[0], command, environment)

    def send(self, text):
        os.write(self.fd, text.encode())

    def resize(self, rows, columns):
        termios.tcsetwinsize(self.fd, (rows, columns))

    def expect(self, text):
        """Waits until `text` has come, and gives all before it; what follows is kept for the next time."""
        end = time.monotonic() + LIMIT
        while text not in self.seen:
            if not self.take_in(max(0, end - time.monotonic())):
                raise AssertionError(f"{text!r} did not come, but {self.seen!r}")
        before, self.seen = self.seen.split(text, 1)
        return before

    def has(self, text):
        """Whether `text` has come so far."""
        self.take_in(0)
        return text in self.seen

    def take_in(self, limit):
        """What the terminal says next; whether it did within `limit` seconds."""
        ready, _, _ = select.select([self.fd], [], [], limit)
        if not ready:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError as error:
            raise AssertionError(f"the terminal ended; seen {self.seen!r}") from error
        self.seen += data.decode(errors="replace")
        return True

    def close(self):
        """Hangs up, and waits for the end of the shell."""
        if self.fd is None:
            return
        os.close(self.fd)
        self.fd = None
        end = time.monotonic() + LIMIT
        while os.waitpid(self.pid, os.WNOHANG) == (0, 0):
            if time.monotonic() > end:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                raise AssertionError("the shell did not end when its terminal did")
            time.sleep(0.01)
