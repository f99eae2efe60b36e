#!/usr/bin/python3 -B
"""Clusters beside each other, and what is left of one that has ended, in whatever way: nothing."""

import glob
import os
import signal
import subprocess
import tempfile
import time
import unittest

import suite
from cluster import LIMIT, PROGRAM, Cluster


def free_indexes():
    """Of clusters that are not there, from the upper end, which nobody takes by hand."""
    return (index for index in range(255, -1, -1) if not os.path.exists(f"/sys/class/net/mirrorfs-k{index}"))


class Places(unittest.TestCase):
    def setUp(self):
        self.parent = tempfile.mkdtemp(prefix="mirrorfs-places-", dir="/var/tmp")
        self.addCleanup(os.rmdir, self.parent)
        self.indexes = free_indexes()
        self.device = ""

    def place(self):
        """A cluster's directory, and the environment with a free INDEX for it. It is ended with the test."""
        index = next(self.indexes)
        self.device = f"mirrorfs-k{index}"
        directory = os.path.join(self.parent, f"c{index}")
        self.addCleanup(self.down, directory)
        return directory, {**os.environ, "INDEX": str(index)}

    def run_cluster(self, command, directory, environment=None):
        return subprocess.run([PROGRAM, command, directory], env=environment, stdin=subprocess.DEVNULL, check=False,
                              capture_output=True, text=True, timeout=5 * LIMIT)

    def down(self, directory):
        result = self.run_cluster("down", directory)
        self.assertEqual(result.returncode, 0, result.stderr)

    def assert_nothing_left(self, directory):
        self.assertFalse(os.path.exists(directory), directory)
        self.assertFalse(os.path.exists(f"/sys/class/net/{self.device}"))
        for pattern in ("/sys/fs/cgroup/mirrorfs-cluster-*", "/sys/fs/cgroup/*/mirrorfs-cluster-*"):
            groups = [group for group in glob.glob(pattern) if os.path.basename(directory) + "-" in group]
            self.assertEqual(groups, [])
        everything = subprocess.run(["ps", "-e", "-o", "args="], check=True, capture_output=True, text=True).stdout
        self.assertNotIn(directory + "/", everything)
        with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
            self.assertNotIn(directory, mounts.read())

    def test_one_lives_beside_another_and_goes_without_a_trace(self):
        first = Cluster.start_or_reuse().directory
        if not first:
            self.skipTest("the cluster that KUBECONFIG names is not ours")
        second, environment = self.place()
        refused = self.run_cluster("up", second, {**environment, "INDEX": self.fact(first, "INDEX")})
        self.assertEqual(refused.returncode, 1)
        self.assertIn("is another cluster's", refused.stderr)
        result = self.run_cluster("up", second, environment)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assert_two_nodes(second)
        self.down(second)
        self.assert_nothing_left(second)
        self.assert_two_nodes(first)

    def fact(self, directory, name):
        return dict(line.split("=", 1) for line in self.run_cluster("env", directory).stdout.splitlines())[name]

    def assert_two_nodes(self, directory):
        cluster = Cluster(self.fact(directory, "KUBECONFIG"), self.fact(directory, "KUBECTL"), directory)
        self.assertEqual(cluster.nodes(), ["node-1", "node-2"])

    def test_a_start_that_fails_cleans_up(self):
        directory, environment = self.place()
        with tempfile.TemporaryDirectory() as programs:
            openssl = os.path.join(programs, "openssl")
            with open(os.open(openssl, os.O_CREAT | os.O_WRONLY, 0o755), "w", encoding="utf-8") as file:
                file.write("#!/bin/sh\necho planted failure >&2\nexit 1\n")
            environment["PATH"] = programs + ":" + environment["PATH"]
            result = self.run_cluster("up", directory, environment)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("planted failure", result.stderr)
        self.assert_nothing_left(directory)

    def test_a_start_that_is_killed_leaves_what_down_removes(self):
        directory, environment = self.place()
        with subprocess.Popen([PROGRAM, "up", directory], env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
            end = time.monotonic() + LIMIT
            while not os.path.exists(os.path.join(directory, "pid", "node-2.init")):
                self.assertLess(time.monotonic(), end, "the start does not get on")
                time.sleep(0.01)
            child.send_signal(signal.SIGKILL)
        self.down(directory)
        self.assert_nothing_left(directory)

    def test_one_that_was_never_there_can_be_ended(self):
        directory, _ = self.place()
        self.down(directory)
        self.assert_nothing_left(directory)


if __name__ == "__main__":
    suite.run()
