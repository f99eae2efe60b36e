"""mirrorfs mount and umount as root, with real agents, daemons and mounts."""

import errno
import json
import os
import signal
import subprocess
import unittest

import world


class MountTest(world.World):

    def setUp(self):
        super().setUp()
        self.mountpoint = self.directory("mnt")

    def mount(self, *words):
        self.succeed("mount", f"dir:{self.source}", self.mountpoint, *words)

    def umount(self, *words):
        self.succeed("umount", self.mountpoint, *words)
        self.assert_nothing_left()

    def read(self, name="file"):
        with open(os.path.join(self.mountpoint, name), encoding="utf-8") as file:
            return file.read()

    def is_healthy(self):
        status = self.status(self.mountpoint)
        return status is not None and status["state"] == "healthy"

    def test_mount_read_umount(self):
        self.mount()
        self.assertEqual(sorted(os.listdir(self.mountpoint)), ["file", "sub"])
        self.assertEqual(self.read(), "content\n")
        self.assertEqual(self.mounts()[self.mountpoint], ["tmpfs", "fuse.mirrorfs"])
        self.umount()
        self.assertEqual(os.listdir(self.mountpoint), [])

    def test_read_only_unless_asked(self):
        self.mount()
        with self.assertRaises(OSError) as caught:
            open(os.path.join(self.mountpoint, "new"), "w", encoding="utf-8").close()
        self.assertEqual(caught.exception.errno, errno.EROFS)
        self.umount()
        self.mount("--rw", "-v")
        with open(os.path.join(self.mountpoint, "new"), "w", encoding="utf-8") as file:
            file.write("written")
        with open(os.path.join(self.source, "new"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "written")
        self.umount()

    def test_status_and_stats(self):
        self.assertEqual(self.succeed("status"), "Nothing is mounted.\n")
        self.mount("-o", "rw,noexec", "--deadline", "5s")
        status = self.status(self.mountpoint)
        self.assertEqual(status["target"], f"dir:{self.source}")
        self.assertEqual(status["mode"], "rw")
        self.assertEqual(status["identity"], "caller")
        self.assertEqual(status["state"], "healthy")
        self.assertEqual(status["deadline"], "5s")
        self.assertEqual({status[pid] for pid in ("pid", "agent_pid", "daemon_pid")}, set(self.processes()))
        self.assertIn(str(status["pid"]), self.succeed("status"))
        self.assertIn("noexec", self.succeed("status", "-o", "wide"))
        before = json.loads(self.succeed("stats", self.mountpoint, "-o", "json"))
        self.read()
        after = json.loads(self.succeed("stats", self.mountpoint, "-o", "json"))
        self.assertGreater(after["total_calls"], before["total_calls"])
        self.assertGreater(after["total_requests"], before["total_requests"])
        self.assertEqual(after["calls"]["Attach"]["calls"], 1)
        self.assertIn("Attach", self.succeed("stats", self.mountpoint))
        self.umount()

    def test_relative_paths_and_links(self):
        os.symlink("mnt", os.path.join(self.place, "link"))
        self.succeed("mount", "dir:source", "link")
        self.assertEqual(self.read(), "content\n")
        self.succeed("umount", "./link/")
        self.assert_nothing_left()

    def test_make_the_mount_point(self):
        fresh = os.path.join(self.place, "fresh")
        self.succeed("mount", "--mkdir", f"dir:{self.source}", fresh)
        self.assertTrue(os.path.exists(os.path.join(fresh, "file")))
        self.succeed("umount", fresh)
        self.assert_nothing_left()

    def test_as_mount_8_calls_it(self):
        helper = os.path.join(self.bin, "mount.mirrorfs")
        os.symlink("mirrorfs", helper)
        for line in ([helper, "-o", "ro,nofail"], [os.path.join(self.bin, "mirrorfs"), "-o", "x-a,ro"]):
            subprocess.run([line[0], f"dir:{self.source}", self.mountpoint, *line[1:]], check=True, timeout=world.LIMIT)
            self.assertEqual(self.read(), "content\n")
            self.umount()
        subprocess.run([helper, f"dir:{self.source}", self.mountpoint, "-f", "-o", "ro"], check=True)
        self.assert_nothing_left()

    def test_umount_by_hand_ends_everything(self):
        self.mount()
        subprocess.run(["umount", self.mountpoint], check=True)
        self.assert_nothing_left()

    def test_all(self):
        self.mount()
        other = self.directory("other")
        self.succeed("mount", f"dir:{self.place}", other)
        self.succeed("umount", "--all")
        self.assert_nothing_left()

    def test_a_mount_that_lies_in_what_it_shows(self):
        for words in ((), ("--lazy",)):
            self.succeed("mount", f"dir:{self.place}", self.mountpoint)
            self.assertIn("mnt", os.listdir(os.path.join(self.mountpoint, "mnt/mnt")))
            self.succeed("umount", self.mountpoint, *words)
            self.assert_nothing_left()

    def test_busy(self):
        self.mount()
        holder = subprocess.Popen(["sleep", "1000"], cwd=self.mountpoint)
        try:
            self.fail_with(7, f"sleep (pid {holder.pid}: its working directory)", "umount", self.mountpoint)
            self.assertEqual(self.status(self.mountpoint)["state"], "healthy")
        finally:
            holder.kill()
            holder.wait()
        self.umount()

    def test_lazy(self):
        self.mount()
        with open(os.path.join(self.mountpoint, "file"), encoding="utf-8") as file:
            self.succeed("umount", "--lazy", self.mountpoint)
            self.assertEqual(self.mounts(), {})
            self.assertEqual(self.status(self.mountpoint)["state"], "detached")
            self.fail_with(5, "still in use", "mount", f"dir:{self.source}", self.mountpoint)
            self.assertEqual(file.read(), "content\n")
        self.assert_nothing_left()

    def test_force(self):
        self.mount()
        with self.opened(os.path.join(self.mountpoint, "file")):
            self.fail_with(7, "open file", "umount", self.mountpoint)
            self.succeed("umount", "--force", "--lazy", self.mountpoint)
            self.assert_nothing_left()

    def test_foreground(self):
        child = self.start("mount", "-f", f"dir:{self.source}", self.mountpoint)
        self.wait_for(self.is_healthy, "the mount")
        self.assertEqual(self.status(self.mountpoint)["pid"], child.pid)
        child.send_signal(signal.SIGINT)
        self.assertEqual(child.wait(world.LIMIT), 0, child.stdout.read())
        self.assert_nothing_left()

    def test_foreground_interrupted_while_busy(self):
        child = self.start("mount", "-f", f"dir:{self.source}", self.mountpoint)
        self.wait_for(self.is_healthy, "the mount")
        with open(os.path.join(self.mountpoint, "file"), encoding="utf-8") as file:
            child.send_signal(signal.SIGINT)
            self.wait_for(lambda: "in use" in child.stdout.readline(), "the message")
            self.assertEqual(file.read(), "content\n")
            child.send_signal(signal.SIGINT)
            self.wait_for(lambda: self.mounts() == {}, "the detached mount")
        self.assertEqual(child.wait(world.LIMIT), 0)
        self.assert_nothing_left()

    def test_sigterm_to_the_keeper_unmounts(self):
        self.mount()
        os.kill(self.status(self.mountpoint)["pid"], signal.SIGTERM)
        self.assert_nothing_left()

    def test_two_at_once_one_wins(self):
        words = ("mount", f"dir:{self.source}", self.mountpoint)
        children = [self.start(*words) for _ in range(4)]
        codes = sorted(child.wait(world.LIMIT) for child in children)
        self.assertEqual(codes, [0, 5, 5, 5])
        self.assertEqual(self.mounts()[self.mountpoint], ["tmpfs", "fuse.mirrorfs"])
        self.umount()

    def test_many_mounts_side_by_side(self):
        places = [self.directory(f"m{i}") for i in range(4)]
        for child in [self.start("mount", f"dir:{self.source}", place) for place in places]:
            self.assertEqual(child.wait(world.LIMIT), 0, child.stdout.read())
        for place in places:
            self.assertEqual(sorted(os.listdir(place)), ["file", "sub"])
        self.succeed("umount", *places)
        self.assert_nothing_left()


if __name__ == "__main__":
    world.main()
