"""A place of its own for tests of the command: real binaries, a private mount namespace, and a check that nothing is left.

The test programs here are run as root and start themselves again in a mount namespace of their own, in which
/dev/fuse and /dev/null have the modes that they have on other machines (0666), and /run is empty: `umount --all` must
not meet anybody else's mounts.
"""

import contextlib
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

NOBODY = 65534
# Programs of Debian, and nothing in directories of the user's own: those would be the container's.
os.environ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

LIMIT = 60  # seconds that anything may take on a busy machine


def enter_namespace():
    """Starts the program again in a private mount namespace, unless it is there already."""
    if os.environ.get("MIRRORFS_TEST_NAMESPACE") != "1":
        os.environ["MIRRORFS_TEST_NAMESPACE"] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv])
    devices = tempfile.mkdtemp(prefix="mirrorfs-dev-")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755,dev", "devices", devices], check=True)
    for name, major, minor in (("fuse", 10, 229), ("null", 1, 3)):
        node = os.path.join(devices, name)
        subprocess.run(["mknod", "-m", "0666", node, "c", str(major), str(minor)], check=True)
        subprocess.run(["mount", "--bind", node, f"/dev/{name}"], check=True)
    subprocess.run(["umount", "-l", devices], check=True)
    os.rmdir(devices)
    # All of /run, not /run/mirrorfs: a mount on that would vanish when somebody else's last mount removes it.
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "state", "/run"], check=True)


def main():
    """Of a test program: PROGRAM BINARIES [unittest's arguments]."""
    enter_namespace()
    World.binaries = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)


class World(unittest.TestCase):
    """Base of the tests. Everything made by a test lies in self.place, and is looked for there afterwards."""

    binaries = ""
    user = 0
    has_runtime_directory = True

    def setUp(self):
        self.place = tempfile.mkdtemp(prefix="mirrorfs-launcher-")
        os.chmod(self.place, 0o755)
        self.bin = self.install()
        self.source = self.directory("source")
        self.write("source/file", "content\n")
        os.mkdir(os.path.join(self.source, "sub"))
        self.children = []
        self.addCleanup(self.clear_away)

    def install(self):
        """The binaries, where any user can run them."""
        place = os.path.join(self.place, "bin")
        os.mkdir(place)
        for name in ("mirrorfs", "mirrorfsd", "mirrorfs-agent"):
            shutil.copy(os.path.join(self.binaries, name), place)
        return place

    def directory(self, name, mode=0o755):
        path = os.path.join(self.place, name)
        os.mkdir(path)
        os.chown(path, self.user, self.user)
        os.chmod(path, mode)
        return path

    def write(self, name, text):
        path = os.path.join(self.place, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chown(path, self.user, self.user)
        return path

    # --- Running the command

    def command(self, *words):
        line = [os.path.join(self.bin, "mirrorfs"), *words]
        if self.user:
            line = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", "--inh-caps=-all",
                    "--", *line]
        return line

    def environment(self):
        environment = {**os.environ, "LC_ALL": "C"}
        environment.pop("XDG_RUNTIME_DIR", None)
        if self.user and self.has_runtime_directory:
            runtime = os.path.join(self.place, "run")
            if not os.path.isdir(runtime):
                self.directory("run", 0o700)
            environment["XDG_RUNTIME_DIR"] = runtime
        return environment

    def state_base(self):
        if not self.user:
            return "/run/mirrorfs"
        return os.path.join(self.place, "run/mirrorfs") if self.has_runtime_directory else f"/tmp/mirrorfs-{self.user}"

    def run_command(self, *words):
        """Runs it to its end. Its output is a pipe: a background process that kept it open would show as a hang."""
        return subprocess.run(self.command(*words), env=self.environment(), capture_output=True, text=True,
                              timeout=LIMIT, check=False, cwd=self.place)

    def succeed(self, *words):
        result = self.run_command(*words)
        self.assertEqual(result.returncode, 0, f"{words}: {result.stdout}{result.stderr}")
        return result.stdout

    def fail_with(self, code, message, *words):
        result = self.run_command(*words)
        self.assertIn(message, result.stderr, words)
        self.assertEqual(result.returncode, code, f"{words}: {result.stderr}")
        self.assertTrue(result.stderr.startswith("mirrorfs: "), result.stderr)

    def start(self, *words):
        child = subprocess.Popen(self.command(*words), env=self.environment(), stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True, cwd=self.place)
        self.children.append(child)
        return child

    def status(self, mountpoint):
        mounts = json.loads(self.succeed("status", "-o", "json"))
        return next((mount for mount in mounts if mount["mountpoint"] == mountpoint), None)

    # --- Looking at the machine

    def wait_for(self, condition, what):
        end = time.monotonic() + LIMIT
        while not condition():
            self.assertLess(time.monotonic(), end, f"did not come about: {what}")
            time.sleep(0.01)

    def mounts(self):
        """Types of what is mounted in our place, by mount point, the topmost last."""
        found = {}
        with open("/proc/self/mounts", encoding="utf-8") as table:
            for line in table:
                _, mountpoint, kind, *_ = line.split()
                if mountpoint.startswith(self.place):
                    found.setdefault(mountpoint, []).append(kind)
        return found

    def processes(self):
        """Command lines of our processes that are alive, by process id."""
        found = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    line = file.read().replace(b"\0", b" ").decode(errors="replace")
                with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                    state = file.read().rsplit(")", 1)[1].split()[0]
            except OSError:
                continue
            if "mirrorfs" in line and self.place in line and state != "Z" and int(pid) != os.getpid():
                found[int(pid)] = line
        return found

    def kill(self, pid):
        os.kill(pid, signal.SIGKILL)
        self.wait_for(lambda: pid not in self.processes(), f"the end of {pid}")

    def state_directories(self):
        with contextlib.suppress(FileNotFoundError):  # the last mount takes it with it
            return os.listdir(self.state_base())
        return []

    def assert_nothing_left(self):
        self.wait_for(lambda: not self.processes(), f"the end of {self.processes()}")
        self.assertEqual(self.mounts(), {})
        self.assertEqual(self.state_directories(), [])

    def error_of(self, call, *arguments):
        """The errno that a call gives, or None."""
        try:
            call(*arguments)
        except OSError as error:
            return error.errno
        return None

    def assert_dead(self, path):
        # While the daemon's last threads end, a request that has reached it is aborted.
        self.wait_for(lambda: self.error_of(os.listdir, path) != errno.ECONNABORTED, "the end of the connection")
        self.assertEqual(self.error_of(os.listdir, path), errno.ENOTCONN)

    @contextlib.contextmanager
    def opened(self, path):
        """A descriptor of the file, whose daemon may have died when it is closed."""
        descriptor = os.open(path, os.O_RDONLY)
        try:
            yield descriptor
        finally:
            self.assertIn(self.error_of(os.close, descriptor), (None, errno.ENOTCONN, errno.ECONNABORTED))

    # --- Afterwards, also of a test that failed

    def clear_away(self):
        left = []
        for child in self.children:
            child.kill()
            child.wait()
            child.stdout.close()
        for pid, line in self.processes().items():
            left.append(line)
            os.kill(pid, signal.SIGKILL)
        for mountpoint, kinds in self.mounts().items():
            left.append(mountpoint)
            for _ in kinds:
                subprocess.run(["umount", "-l", mountpoint], check=False)
        for name in self.state_directories():
            left.append(name)
            shutil.rmtree(os.path.join(self.state_base(), name), ignore_errors=True)
        shutil.rmtree(self.place, ignore_errors=True)
        self.assertEqual(left, [], "left behind")
