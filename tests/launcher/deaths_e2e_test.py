"""What happens when a part of a mount dies: P7, restarts, and cleaning up afterwards."""

import errno
import os
import signal
import unittest

import world


class DeathsTest(world.World):

    def setUp(self):
        super().setUp()
        self.mountpoint = self.directory("mnt")
        self.succeed("mount", "--rw", f"dir:{self.source}", self.mountpoint)
        self.parts = self.status(self.mountpoint)

    def umount(self):
        self.succeed("umount", self.mountpoint)
        self.assert_nothing_left()
        self.assertEqual(os.listdir(self.mountpoint), [])

    def state(self):
        return self.status(self.mountpoint)["state"]

    def assert_unwritable_beneath(self):
        self.assert_dead(self.mountpoint)
        with self.assertRaises(OSError) as caught:
            open(os.path.join(self.mountpoint, "lost"), "w", encoding="utf-8").close()
        self.assertEqual(caught.exception.errno, errno.ENOTCONN)

    def test_a_dead_daemon_leaves_enotconn_until_umount(self):
        self.kill(self.parts["daemon_pid"])
        self.assert_unwritable_beneath()
        self.wait_for(lambda: self.state() == "daemon dead", "the state")
        self.fail_with(6, "does not run any more", "stats", self.mountpoint)
        self.assert_dead(self.mountpoint)
        self.umount()

    def test_a_daemon_that_is_told_to_end_ends_and_stays_mounted(self):
        os.kill(self.parts["daemon_pid"], signal.SIGTERM)
        self.wait_for(lambda: self.parts["daemon_pid"] not in self.processes(), "its end")
        self.assert_unwritable_beneath()
        self.umount()

    def test_beneath_the_mount_nothing_can_be_written(self):
        self.kill(self.parts["daemon_pid"])
        # As someone would who wants to get rid of the dead mount: only the FUSE mount goes, for a moment.
        self.assertEqual(os.system(f"umount {self.mountpoint}"), 0)
        try:
            open(os.path.join(self.mountpoint, "lost"), "w", encoding="utf-8").close()
            os.unlink(os.path.join(self.mountpoint, "lost"))  # the keeper had cleared everything away before
        except OSError as error:
            self.assertEqual(error.errno, errno.EROFS)
        self.assert_nothing_left()

    def test_a_new_mount_replaces_a_dead_one(self):
        self.kill(self.parts["daemon_pid"])
        self.succeed("mount", f"dir:{self.source}", self.mountpoint)
        self.assertEqual(sorted(os.listdir(self.mountpoint)), ["file", "sub"])
        self.umount()

    def test_a_killed_agent_is_started_again(self):
        self.kill(self.parts["agent_pid"])
        self.wait_for(lambda: self.status(self.mountpoint)["agent_pid"] not in (0, self.parts["agent_pid"]), "an agent")
        self.wait_for(lambda: self.state() == "healthy", "health")
        self.assertEqual(sorted(os.listdir(self.mountpoint)), ["file", "sub"])
        self.assertEqual(self.status(self.mountpoint)["daemon_pid"], self.parts["daemon_pid"])
        self.umount()

    def test_without_its_keeper_a_mount_goes_on(self):
        self.kill(self.parts["pid"])
        self.assertEqual(sorted(os.listdir(self.mountpoint)), ["file", "sub"])
        with open(os.path.join(self.mountpoint, "new"), "w", encoding="utf-8") as file:
            file.write("x")
        self.assertEqual(self.state(), "keeper dead")
        self.fail_with(5, "already mounted", "mount", f"dir:{self.source}", self.mountpoint)
        with self.opened(os.path.join(self.mountpoint, "file")):
            self.fail_with(7, "in use", "umount", self.mountpoint)
        self.umount()

    def test_umount_all_takes_what_has_lost_its_keeper(self):
        self.kill(self.parts["pid"])
        self.succeed("umount", "--all")
        self.assert_nothing_left()

    def wait_until_dead(self):
        """A killed daemon's connection closes when the last of its threads has gone, not when the first has."""
        self.wait_for(lambda: self.state() == "dead", "the end of the mount's connection")

    def test_keeper_and_daemon_dead(self):
        self.kill(self.parts["pid"])
        self.kill(self.parts["daemon_pid"])
        self.assert_unwritable_beneath()
        self.wait_until_dead()
        self.umount()

    def test_a_new_mount_after_all_have_died(self):
        for part in ("pid", "daemon_pid", "agent_pid"):
            self.kill(self.parts[part])
        self.wait_until_dead()
        self.succeed("mount", f"dir:{self.source}", self.mountpoint)
        self.assertEqual(self.mounts()[self.mountpoint], ["tmpfs", "fuse.mirrorfs"])
        self.assertEqual(sorted(os.listdir(self.mountpoint)), ["file", "sub"])
        self.umount()

    def test_a_frozen_agent_does_not_hold_up_umount(self):
        os.kill(self.parts["agent_pid"], signal.SIGSTOP)
        self.assertEqual(self.state(), "healthy")
        self.umount()

    def test_a_frozen_keeper_can_be_forced(self):
        os.kill(self.parts["pid"], signal.SIGSTOP)
        self.assertEqual(self.state(), "keeper hangs")
        os.kill(self.parts["pid"], signal.SIGCONT)
        self.umount()

    def test_a_busy_dead_mount_can_be_detached(self):
        with self.opened(os.path.join(self.mountpoint, "file")):
            self.kill(self.parts["daemon_pid"])
            self.succeed("umount", "--lazy", self.mountpoint)
        self.assert_nothing_left()


if __name__ == "__main__":
    world.main()
