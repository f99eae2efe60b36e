"""mirrorfs as an ordinary user, through fusermount3."""

import os
import stat
import subprocess
import unittest

import world


class UserTest(world.World):

    user = world.NOBODY

    def setUp(self):
        super().setUp()
        self.mountpoint = self.directory("mnt", 0o750)
        os.chmod(self.source, 0o700)

    def as_user(self, *words):
        return subprocess.run(["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", "--", *words],
                              capture_output=True, text=True, check=False, timeout=world.LIMIT)

    def mode(self):
        return stat.S_IMODE(os.lstat(self.mountpoint).st_mode)

    def listing(self):
        return sorted(self.as_user("ls", "-A", self.mountpoint).stdout.split())

    def assert_clean(self):
        self.assert_nothing_left()
        self.assertEqual(self.mode(), 0o750)
        self.assertEqual(os.listdir(self.mountpoint), [])

    def beneath(self):
        """Mode of the directory under the mount, seen through a copy of the file system without what is mounted on it."""
        line = "mount --bind / /mnt && stat -c %a /mnt" + self.mountpoint
        result = subprocess.run(["unshare", "--mount", "sh", "-c", line], capture_output=True, text=True, check=True)
        return result.stdout.strip()

    def test_mount_read_umount(self):
        self.succeed("mount", f"dir:{self.source}", self.mountpoint)
        self.assertEqual(self.listing(), ["file", "sub"])
        status = self.status(self.mountpoint)
        self.assertEqual(status["identity"], "container")
        self.assertEqual(self.mounts()[self.mountpoint], ["fuse.mirrorfs"])
        self.assertEqual(self.beneath(), "555")
        self.succeed("umount", self.mountpoint)
        self.assert_clean()

    def test_write(self):
        self.succeed("mount", "--rw", f"dir:{self.source}", self.mountpoint)
        self.assertEqual(self.as_user("touch", os.path.join(self.mountpoint, "new")).returncode, 0)
        self.assertEqual(os.stat(os.path.join(self.source, "new")).st_uid, self.user)
        self.succeed("umount", self.mountpoint)
        self.assert_clean()

    def test_a_process_of_ones_own(self):
        child = subprocess.Popen(["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", "--",
                                  "sleep", "1000"])
        try:
            self.succeed("mount", f"pid/{child.pid}", self.mountpoint)
            self.assertIn("etc", self.listing())
            self.succeed("umount", self.mountpoint)
        finally:
            child.kill()
            child.wait()
        self.assert_clean()

    def test_umount_by_hand(self):
        self.succeed("mount", f"dir:{self.source}", self.mountpoint)
        self.assertEqual(self.as_user("fusermount3", "-u", self.mountpoint).returncode, 0)
        self.wait_for(lambda: self.mode() == 0o750, "the mode")
        self.assert_clean()

    def test_a_dead_daemon(self):
        self.succeed("mount", f"dir:{self.source}", self.mountpoint)
        self.kill(self.status(self.mountpoint)["daemon_pid"])
        self.assertIn("not connected", self.as_user("ls", self.mountpoint).stderr)
        self.assertEqual(self.beneath(), "555")
        self.succeed("mount", f"dir:{self.source}", self.mountpoint)
        self.assertEqual(self.listing(), ["file", "sub"])
        self.succeed("umount", self.mountpoint)
        self.assert_clean()

    def test_keeper_and_daemon_dead(self):
        self.succeed("mount", f"dir:{self.source}", self.mountpoint)
        parts = self.status(self.mountpoint)
        self.kill(parts["pid"])
        self.kill(parts["daemon_pid"])
        self.succeed("umount", self.mountpoint)
        self.assert_clean()

    def test_busy(self):
        self.succeed("mount", f"dir:{self.source}", self.mountpoint)
        holder = subprocess.Popen(["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", "--",
                                   "sh", "-c", f"cd {self.mountpoint} && echo there && exec sleep 1000"],
                                  stdout=subprocess.PIPE, text=True)
        try:
            self.assertEqual(holder.stdout.readline(), "there\n")
            self.fail_with(7, f"(pid {holder.pid}: its working directory)", "umount", self.mountpoint)
        finally:
            holder.kill()
            holder.wait()
            holder.stdout.close()
        self.succeed("umount", self.mountpoint)
        self.assert_clean()

    def test_mount_points_of_others(self):
        os.chown(self.mountpoint, 0, 0)
        self.fail_with(5, "it is not yours", "mount", f"dir:{self.source}", self.mountpoint)
        os.chown(self.mountpoint, self.user, self.user)
        os.chmod(self.mountpoint, 0o500)
        self.fail_with(5, "you cannot write to it", "mount", f"dir:{self.source}", self.mountpoint)
        os.chmod(self.mountpoint, 0o750)
        self.fail_with(5, "it is not empty", "mount", "-o", "nonempty", f"dir:{self.source}", self.source)
        self.assert_clean()

    def test_what_needs_root(self):
        good = ("mount", f"dir:{self.source}", self.mountpoint)
        self.fail_with(4, "root only", *good, "-o", "suid")
        self.fail_with(4, "must be root", *good, "--as", "caller")
        self.fail_with(4, "", "mount", "pid/1", self.mountpoint)
        self.fail_with(4, "user_allow_other", *good, "-o", "allow_other,default_permissions")
        self.assert_clean()

    def test_without_a_runtime_directory(self):
        self.has_runtime_directory = False
        self.succeed("mount", f"dir:{self.source}", self.mountpoint)
        self.assertTrue(self.status(self.mountpoint)["log"].startswith(f"/tmp/mirrorfs-{self.user}/"))
        self.succeed("umount", self.mountpoint)
        self.assert_nothing_left()

    def test_a_state_directory_of_somebody_else(self):
        self.has_runtime_directory = False
        self.user = 64999  # nobody else's
        os.mkdir(self.state_base(), 0o777)
        try:
            self.fail_with(4, "not a private directory of yours", "mount", f"dir:{self.source}", self.mountpoint)
        finally:
            os.rmdir(self.state_base())


if __name__ == "__main__":
    world.main()
