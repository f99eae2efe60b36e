"""mirrorfs mount of real containers (tests/lab)."""

import errno
import os
import subprocess
import sys
import unittest

import world

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lab"))
from lab_case import LabCase  # noqa: E402


class ContainersTest(LabCase, world.World):

    runtimes = ("docker", "rootless")

    def setUp(self):
        super().setUp()
        self.mountpoint = self.directory("mnt")
        self.socket = ("--runtime-socket", self.lab.DOCKER_WEB_SOCKET)

    def read(self, name):
        with open(os.path.join(self.mountpoint, name), encoding="utf-8") as file:
            return file.read()

    def test_docker(self):
        self.succeed("mount", "docker/web", self.mountpoint, *self.socket)
        self.assertEqual(self.read("lower/regular.txt").strip(), "from the first layer")
        self.assertEqual(self.read("volumes/bind/file"), "on the bind volume\n")
        self.assertEqual(self.read("volumes/readonly/file"), "on the read-only volume\n")
        self.assertEqual(self.status(self.mountpoint)["target"], "docker/web")
        self.succeed("umount", self.mountpoint)
        self.assert_nothing_left()

    def test_write_into_it(self):
        self.succeed("mount", "--rw", "docker/web", self.mountpoint, *self.socket)
        with open(os.path.join(self.mountpoint, "volumes/bind/by-mirrorfs"), "w", encoding="utf-8") as file:
            file.write("x")
        seen = self.lab.docker("exec", "web", "cat", "/volumes/bind/by-mirrorfs")
        self.assertEqual(seen, "x")
        os.unlink(os.path.join(self.mountpoint, "volumes/bind/by-mirrorfs"))
        self.succeed("umount", self.mountpoint)
        self.assert_nothing_left()

    def test_as_the_container(self):
        self.succeed("mount", "--rw", "--as", "container", "docker/app", self.mountpoint, *self.socket)
        path = os.path.join(self.mountpoint, "tmp/made")
        with open(path, "w", encoding="utf-8") as file:
            file.write("x")
        self.assertEqual((os.stat(path).st_uid, os.stat(path).st_gid), (1000, 1000))
        self.assertEqual(self.error_of(os.mkdir, os.path.join(self.mountpoint, "etc/x")), errno.EACCES)
        os.unlink(path)
        self.succeed("umount", self.mountpoint)
        self.assert_nothing_left()

    def test_no_such_container(self):
        for target, message in ((self.lab.DOCKER_STOPPED_TARGET, "stopped"), ("docker/nowhere", "nowhere")):
            self.fail_with(3, message, "mount", target, self.mountpoint, *self.socket)
            self.assert_nothing_left()

    def test_a_container_that_ends(self):
        name = self.lab.docker("run", "-d", "--network", "none", "mirrorfs-lab:1")
        self.succeed("mount", "--rw", f"docker/{name}", self.mountpoint, *self.socket)
        descriptor = os.open(os.path.join(self.mountpoint, "lower/regular.txt"), os.O_RDONLY)
        self.lab.docker("kill", name)
        gone = (errno.ESTALE, errno.EHOSTDOWN)
        self.wait_for(lambda: self.error_of(os.stat, os.path.join(self.mountpoint, "etc/hosts")) in gone, "an error")
        self.assertIn(self.error_of(os.mkdir, os.path.join(self.mountpoint, "new")), gone)
        self.wait_for(lambda: self.status(self.mountpoint)["state"] == "target gone", "the state")
        self.assertIn(self.error_of(os.pread, descriptor, 10, 1 << 20), (None, *gone))
        self.error_of(os.close, descriptor)
        self.lab.docker("rm", name)
        self.succeed("umount", self.mountpoint)
        self.assert_nothing_left()

    def test_an_ordinary_user_is_told_what_is_missing(self):
        os.chown(self.mountpoint, world.NOBODY, world.NOBODY)
        self.user = world.NOBODY
        self.fail_with(4, "docker", "mount", "docker/web", self.mountpoint, *self.socket)
        self.assert_nothing_left()

    def test_rootless_podman_as_its_user(self):
        """In the lab's mount namespace, with the devices that we have."""
        devices = "; ".join(f"mount --bind /proc/{os.getpid()}/root/dev/{name} /dev/{name}" for name in ("fuse", "null"))
        subprocess.run(self.lab.inside("sh", "-c", devices), check=True)
        user = int(self.lab.LAB_ROOTLESS_UID)
        os.chown(self.mountpoint, user, user)
        mirrorfs = os.path.join(self.bin, "mirrorfs")
        words = ["--runtime-socket", self.lab.ROOTLESS_WEB_SOCKET] if self.lab.ROOTLESS_WEB_SOCKET else []

        def as_user(*command):
            return subprocess.run(self.lab.as_user(*command), capture_output=True, text=True, check=False,
                                  timeout=world.LIMIT)

        mounted = as_user(mirrorfs, "mount", *words, self.lab.ROOTLESS_WEB_TARGET, self.mountpoint)
        self.assertEqual(mounted.returncode, 0, mounted.stderr)
        try:
            shown = as_user("cat", os.path.join(self.mountpoint, "lower/regular.txt"))
            self.assertEqual(shown.stdout.strip(), "from the first layer", shown.stderr)
        finally:
            unmounted = as_user(mirrorfs, "umount", self.mountpoint)
        self.assertEqual(unmounted.returncode, 0, unmounted.stderr)
        self.assert_nothing_left()


if __name__ == "__main__":
    world.main()
