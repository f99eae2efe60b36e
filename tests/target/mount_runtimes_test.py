#!/usr/bin/python3
"""Containers of every runtime mounted for real: the mount shows what the container's root holds, volumes included, and
what is written through it lies where the container keeps it.

mount_runtimes_test.py DIRECTORY_OF_PROGRAMS (mirrorfs, mirrorfsd, mirrorfs-agent)
"""
import errno
import os
import stat
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lab"))
from lab_case import LabCase  # noqa: E402

PROGRAMS = ""
# Without the file systems of the kernel, which a mount does not show.
TREES = ("bin", "etc", "home", "lower", "root", "srv", "usr", "volumes")
UNMAPPED = 65534


def attributes(path, outside=(0, 0)):
    """What must be the same on both sides. `outside`: what uid 0 and gid 0 are outside of the user namespace."""
    status = os.lstat(path)
    told = [stat.filemode(status.st_mode), status.st_uid - outside[0], status.st_gid - outside[1], status.st_nlink,
            status.st_mtime_ns]
    if stat.S_ISREG(status.st_mode):
        with open(path, "rb") as file:
            told += [status.st_size, hash(file.read())]
    if stat.S_ISLNK(status.st_mode):
        told += [os.readlink(path)]
    return told


def walk(root):
    """Every name below TREES, relative to root."""
    names = []
    for tree in TREES:
        for directory, directories, files in os.walk(os.path.join(root, tree)):
            names += [os.path.relpath(os.path.join(directory, name), root) for name in directories + files]
    return sorted(names)


class MountRuntimesTest(LabCase):
    runtimes = ("all",)

    def setUp(self):
        self.mount_point = os.path.join(self.lab.parent, "m")

    def mirrorfs(self, *arguments):
        subprocess.run([PROGRAMS + "/mirrorfs", *arguments], check=True)

    def mount(self, container, *options):
        target, socket = (getattr(self.lab, container + suffix) for suffix in ("_TARGET", "_SOCKET"))
        self.mirrorfs("mount", "--rw", "--mkdir", "--runtime-socket", socket, *options, target, self.mount_point)
        self.addCleanup(self.mirrorfs, "umount", "--force", self.mount_point)

    def container_root(self, container):
        return f"/proc/{getattr(self.lab, container + '_PID')}/root"

    def check_same(self, container, outside=(0, 0)):
        root = self.container_root(container)
        names = walk(root)
        self.assertGreater(len(names), 1300)
        self.assertEqual(walk(self.mount_point), names)
        for name in names:
            self.assertEqual(attributes(os.path.join(self.mount_point, name)),
                             attributes(os.path.join(root, name), outside), name)

    def check_written(self, container):
        """A file written through the mount is the container's, and lies in its upper directory."""
        with open(self.mount_point + "/srv/made", "w", encoding="utf-8") as made:
            made.write("through the mount\n")
        upper = getattr(self.lab, container + "_UPPERDIR") + "/srv/made"
        for path in (self.container_root(container) + "/srv/made", upper):
            with open(path, encoding="utf-8") as made:
                self.assertEqual(made.read(), "through the mount\n")
        os.unlink(self.mount_point + "/srv/made")
        self.assertFalse(os.path.exists(upper))

    def check_volumes(self, container):
        name = "made-in-" + container
        for volume, seen_at in (("bind", self.lab.LAB_DIR + "/volumes/bind/"),
                                ("tmpfs", self.container_root(container) + "/volumes/tmpfs/")):
            path = f"{self.mount_point}/volumes/{volume}/{name}"
            if volume == "tmpfs" and not os.path.ismount(self.container_root(container) + "/volumes/tmpfs"):
                continue  # CRI has none
            with open(path, "w", encoding="utf-8") as made:
                made.write(volume)
            with open(seen_at + name, encoding="utf-8") as made:
                self.assertEqual(made.read(), volume)
            os.unlink(path)
            self.assertFalse(os.path.exists(seen_at + name))
        with self.assertRaises(OSError) as caught:
            os.mkdir(self.mount_point + "/volumes/readonly/made")
        self.assertEqual(caught.exception.errno, errno.EROFS)

    def check_whole(self, container):
        self.mount(container, "-o", "symlinks=raw")
        self.check_same(container)
        self.check_written(container)
        self.check_volumes(container)

    def test_docker(self):
        self.check_whole("DOCKER_WEB")

    def test_podman(self):
        self.check_whole("PODMAN_WEB")

    def test_containerd(self):
        self.check_whole("CONTAINERD_WEB")

    def test_cri(self):
        self.check_whole("CRI_WEB0")

    def test_user_namespace(self):
        outside = (300000, 400000)
        self.mount("PODMAN_MAPPED", "-o", "symlinks=raw")
        self.check_same("PODMAN_MAPPED", outside)
        self.check_written("PODMAN_MAPPED")
        made = self.mount_point + "/srv/owned"
        os.mkdir(made)
        os.chown(made, 1000, 50)
        status = os.lstat(self.container_root("PODMAN_MAPPED") + "/srv/owned")
        self.assertEqual((status.st_uid, status.st_gid), (outside[0] + 1000, outside[1] + 50))
        # An id that the namespace does not have cannot be given.
        with self.assertRaises(OSError) as caught:
            os.chown(made, 70000, 70000)
        self.assertEqual(caught.exception.errno, errno.EINVAL)
        # One that it has no name for is shown as the overflow id.
        os.chown(self.container_root("PODMAN_MAPPED") + "/srv/owned", 5, 5)
        self.mirrorfs("umount", self.mount_point)
        self.mirrorfs("mount", "--rw", "--runtime-socket", self.lab.PODMAN_MAPPED_SOCKET, self.lab.PODMAN_MAPPED_TARGET,
                      self.mount_point)
        self.assertEqual((os.lstat(made).st_uid, os.lstat(made).st_gid), (UNMAPPED, UNMAPPED))

    def test_rootless_podman_as_an_ordinary_user(self):
        script = """set -e
            mkdir -p m; PATH=$1:$PATH
            mirrorfs mount --rw podman/web m
            trap 'mirrorfs umount --force m' EXIT
            cat m/lower/private_root m/lower/private_app
            echo made > m/srv/made; chown 1000:1000 m/srv/made; stat -c '%u %g' m/srv/made"""
        done = subprocess.run(self.lab.as_user("sh", "-c", script, "sh", PROGRAMS), capture_output=True, text=True,
                              timeout=60, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, "root only\napp only\n1000 1000\n"), done.stderr)
        # 1000 inside is 200000 + 999 outside: uid 0 is the user himself.
        self.assertEqual(os.lstat(self.container_root("ROOTLESS_WEB") + "/srv/made").st_uid, 200999)


if __name__ == "__main__":
    PROGRAMS = os.path.realpath(sys.argv.pop(1))
    unittest.main(verbosity=2)
