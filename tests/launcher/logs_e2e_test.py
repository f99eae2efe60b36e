"""mirrorfs logs: all programs of all mounts and runs, by time; followed."""

import os
import re
import signal
import subprocess
import time

import world

LINE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (\S+) (keeper|daemon|tunnel|agent): (.*)")


class LogsTest(world.World):

    def setUp(self):
        super().setUp()
        self.mountpoint = self.directory("mnt")
        self.state = self.directory("state")

    def environment(self):
        """Private layers of runs lie in the test's place."""
        return {**super().environment(), "XDG_STATE_HOME": self.state}

    def parsed(self, text):
        """(time, mount, origin, text) of each line; every line is one."""
        lines = [LINE.fullmatch(line) for line in text.splitlines()]
        self.assertNotIn(None, lines, text)
        return [line.groups() for line in lines]

    def mount(self, name, *words):
        self.succeed("mount", *words, f"dir:{self.source}", self.directory(name))
        return os.path.join(self.place, name)

    def umount(self, *mountpoints):
        self.succeed("umount", *mountpoints)
        keepers = {pid for pid, line in self.processes().items() if "keeper" in line}
        self.wait_for(lambda: not keepers & set(self.processes()), "the keepers' end")

    def test_nothing(self):
        self.assertEqual(self.succeed("logs"), "")
        self.fail_with(8, "not a mount point of mirrorfs", "logs", self.mountpoint)
        self.fail_with(8, "there is no such run", "logs", "exec/1")
        self.fail_with(2, "is neither a length of time", "logs", "--since", "yesterday")
        self.assertIn("Usage: mirrorfs logs", self.succeed("logs", "-h"))

    def test_who_says_what_by_time(self):
        one, two = self.mount("one", "-v"), self.mount("two", "-v")
        lines = self.parsed(self.succeed("logs"))
        self.assertEqual([line[0] for line in lines], sorted(line[0] for line in lines))
        for mountpoint in (one, two):
            said = {origin: text for _, mount, origin, text in lines if mount == mountpoint}
            self.assertEqual(set(said), {"keeper", "daemon", "agent"})
        self.assertTrue(any("opcode: INIT" in text and origin == "daemon" for _, _, origin, text in lines))
        self.assertEqual({mount for _, mount, _, _ in self.parsed(self.succeed("logs", two))}, {two})
        self.umount(one, two)
        self.assertEqual(self.succeed("logs"), "")

    def test_since(self):
        mountpoint = self.mount("one")
        self.assertNotEqual(self.succeed("logs", mountpoint, "--since", "1h"), "")
        self.assertNotEqual(self.succeed("logs", mountpoint, "--since", "2026-01-01T00:00:00Z"), "")
        self.assertEqual(self.succeed("logs", mountpoint, "--since", "2100-01-01T00:00:00Z"), "")
        self.umount(mountpoint)

    def test_one_that_is_followed_to_its_end(self):
        mountpoint = self.mount("one")
        follower = self.start("logs", "-f", mountpoint)
        self.assertIn("is mounted on", follower.stdout.readline())
        self.kill(self.status(mountpoint)["agent_pid"])
        self.wait_for(lambda: self.status(mountpoint)["state"] == "healthy", "another agent")
        self.umount(mountpoint)
        rest, _ = follower.communicate(timeout=world.LIMIT)
        self.assertEqual(follower.returncode, 0)
        self.assertIn("keeper: [error] the agent was killed", rest)
        self.assertIn("the agent runs again", rest)

    def test_all_are_followed_also_those_that_begin_later(self):
        follower = self.start("logs", "-f")
        lines = []
        mountpoint = self.mount("one")
        while not (lines and f"{mountpoint} keeper" in lines[-1] and "is mounted on" in lines[-1]):
            lines.append(follower.stdout.readline())
            self.assertTrue(lines[-1], lines)
        run = subprocess.run(self.command("exec", "--target", f"dir:{self.source}", "--", "sleep", "1"),
                             env=self.environment(), cwd=self.place, check=True, stdin=subprocess.DEVNULL)
        self.assertEqual(run.returncode, 0)
        while not re.search(r" exec/\d+ daemon: ", lines[-1]):
            lines.append(follower.stdout.readline())
            self.assertTrue(lines[-1], lines)
        self.umount(mountpoint)
        follower.send_signal(signal.SIGINT)
        self.assertEqual(follower.wait(world.LIMIT), -signal.SIGINT)
        self.parsed("".join(lines))

    def test_a_reader_that_goes_ends_it(self):
        mountpoint = self.mount("one")
        follower = self.start("logs", "-f")
        follower.stdout.readline()
        follower.stdout.close()
        self.kill(self.status(mountpoint)["agent_pid"])  # which is told, to nobody
        follower.wait(world.LIMIT)
        self.umount(mountpoint)

    def test_a_log_that_was_emptied_goes_on(self):
        mountpoint = self.mount("one")
        log = self.status(mountpoint)["log"]
        follower = self.start("logs", "-f", mountpoint)
        follower.stdout.readline()
        os.truncate(log, 0)
        time.sleep(0.5)  # looks every 0.2 s
        self.kill(self.status(mountpoint)["agent_pid"])
        self.wait_for(lambda: self.status(mountpoint)["state"] == "healthy", "another agent")
        self.umount(mountpoint)
        rest, _ = follower.communicate(timeout=world.LIMIT)
        self.assertIn("the agent was killed", rest)


class UserLogsTest(LogsTest):

    user = world.NOBODY


if __name__ == "__main__":
    world.main()
