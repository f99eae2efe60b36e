"""Private layers of a real container (tests/lab)."""

import errno
import os
import sys
import unittest

import world

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lab"))
from lab_case import LabCase  # noqa: E402


class ContainerLayersTest(LabCase, world.World):

    runtimes = ("docker",)

    def setUp(self):
        super().setUp()
        self.mountpoint = self.directory("mnt")
        self.state = self.directory("state", 0o700)
        self.socket = ("--runtime-socket", self.lab.DOCKER_WEB_SOCKET)

    def environment(self):
        return {**super().environment(), "XDG_STATE_HOME": self.state}

    def inside(self, *words):
        return self.lab.docker("exec", "web", *words)

    def tree(self):
        return self.inside("sh", "-c", "find / -xdev \\( -path /proc -o -path /sys -o -path /dev \\) -prune -o -print | "
                                       "sort | while read -r f; do ls -ldn \"$f\"; [ -f \"$f\" ] && md5sum < \"$f\"; done; true")

    def test_changes_are_private_until_they_are_applied(self):
        before = self.tree()
        self.succeed("mount", "--cow", "--layer", "web", "docker/web", self.mountpoint, *self.socket)
        path = os.path.join(self.mountpoint, "lower/regular.txt")
        with open(path, "a", encoding="utf-8") as file:
            file.write("and mine\n")
        with open(os.path.join(self.mountpoint, "volumes/bind/mine"), "w", encoding="utf-8") as file:
            file.write("private")
        os.rename(os.path.join(self.mountpoint, "lower"), os.path.join(self.mountpoint, "moved"))
        with open(os.path.join(self.mountpoint, "moved/regular.txt"), encoding="utf-8") as file:
            self.assertTrue(file.read().endswith("and mine\n"))
        self.assertEqual(self.tree(), before)
        self.assertIn("private layer web", self.succeed("umount", self.mountpoint))
        self.assert_nothing_left()
        self.assertEqual(self.tree(), before)
        output = self.succeed("apply", "web", *self.socket)
        self.assertIn("R /moved", output)
        self.assertIn("and mine", self.inside("cat", "/moved/regular.txt"))
        self.assertEqual(self.inside("cat", "/volumes/bind/mine"), "private")
        self.assertEqual(self.succeed("layers"), "There are no private layers.\n")
        self.inside("sh", "-c", "mv /moved /lower; rm /volumes/bind/mine")
        self.assert_nothing_left()

    def test_the_agent_is_read_only(self):
        self.succeed("mount", "--cow", "docker/web", self.mountpoint, *self.socket)
        with open(f"/proc/{self.status(self.mountpoint)['agent_pid']}/cmdline", encoding="utf-8") as file:
            self.assertNotIn("--rw", file.read().split("\0"))
        self.assertEqual(self.error_of(os.mkdir, os.path.join(self.mountpoint, "volumes/bind/d")), None)
        self.assertEqual(self.error_of(os.rmdir, os.path.join(self.mountpoint, "nowhere")), errno.ENOENT)
        self.succeed("umount", self.mountpoint)
        self.assertNotIn("d\n", self.inside("ls", "/volumes/bind"))


if __name__ == "__main__":
    world.main()
