#!/usr/bin/python3
"""The lab itself: labs side by side, and nothing left of one that has ended, failed to start or was killed."""
import glob
import os
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from lab_case import LAB  # noqa: E402


def run(*words, **options):
    return subprocess.run([LAB, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                          **options)


class LabTest(unittest.TestCase):
    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("needs root")
        parent = tempfile.TemporaryDirectory(prefix="mlab", dir="/var/tmp")
        self.addCleanup(parent.cleanup)
        self.parent = parent.name

    def directory(self, name):
        return os.path.join(self.parent, name)

    def up(self, name, *runtimes):
        directory = self.directory(name)
        done = run("up", directory, *runtimes)
        self.addCleanup(run, "down", directory)
        self.assertEqual(done.returncode, 0, done.stderr)
        return dict(line.split("=", 1) for line in run("env", directory).stdout.splitlines())

    def assert_nothing_left(self, name):
        directory = self.directory(name)
        self.assertFalse(os.path.exists(directory))
        with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
            self.assertNotIn(directory, mounts.read())
        self.assertEqual(glob.glob(f"/sys/fs/cgroup/**/mirrorfs-lab-{name}-*", recursive=True), [])
        for command_line in glob.glob("/proc/[0-9]*/cmdline"):
            try:
                with open(command_line, "rb") as text:
                    self.assertNotIn(directory.encode(), text.read())
            except (FileNotFoundError, ProcessLookupError):
                continue

    def test_two_at_the_same_time(self):
        first = self.up("first", "docker")
        second = self.up("second", "docker")
        self.assertNotEqual(first["DOCKER_WEB_ID"], second["DOCKER_WEB_ID"])
        self.assertEqual(run("down", self.directory("first")).returncode, 0)
        self.assert_nothing_left("first")
        # The other one goes on.
        self.assertTrue(os.path.exists(f"/proc/{second['DOCKER_WEB_PID']}/root/keep-running"))
        self.assertEqual(run("down", self.directory("second")).returncode, 0)
        self.assert_nothing_left("second")

    def test_a_failed_start_leaves_nothing(self):
        # A dockerd that ends at once.
        programs = self.directory("programs")
        os.mkdir(programs)
        with open(programs + "/dockerd", "w", encoding="utf-8") as dockerd:
            dockerd.write("#!/bin/sh\necho out of order\nexit 1\n")
        os.chmod(programs + "/dockerd", 0o755)
        environment = {**os.environ, "PATH": programs + ":" + os.environ["PATH"], "LAB_PATIENCE": "2"}
        done = run("up", self.directory("failed"), "docker", env=environment)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("out of order", done.stderr)
        self.assert_nothing_left("failed")

    def test_an_unknown_runtime_is_refused(self):
        done = run("up", self.directory("unknown"), "rkt")
        self.assertEqual(done.returncode, 2)
        self.assert_nothing_left("unknown")

    def test_a_killed_start_is_cleaned_up_by_down(self):
        directory = self.directory("killed")
        with subprocess.Popen([LAB, "up", directory, "docker"], stdin=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as up:
            deadline_reached = subprocess.run(
                ["timeout", "30", "sh", "-c", 'until [ -s "$1/namespace.pid" ]; do sleep 0.02; done', "sh", directory],
                check=False).returncode
            up.send_signal(signal.SIGKILL)
        self.assertEqual(deadline_reached, 0)
        self.assertEqual(run("down", directory).returncode, 0)
        self.assert_nothing_left("killed")


if __name__ == "__main__":
    unittest.main(verbosity=2)
