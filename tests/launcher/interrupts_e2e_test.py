"""Commands that start an agent and end with their work: interrupted, they leave nothing running, mounted or lying about."""

import os
import signal
import subprocess
import unittest

import world

# Neither answers nor ends by itself, and is found among our processes.
HANGS = "#!/usr/bin/python3\nimport time\ntime.sleep(1000)\n"


class InterruptsTest(world.World):

    def setUp(self):
        super().setUp()
        self.state = self.directory("state", 0o700)
        self.temporary = self.directory("tmp", 0o700)
        self.programs = self.directory("programs")
        mountpoint = self.directory("mnt")
        self.succeed("mount", "--cow", "--layer", "work", f"dir:{self.source}", mountpoint)
        subprocess.run(["sh", "-c", f"echo more >> {mountpoint}/file"], check=True, user=self.user, group=self.user)
        self.succeed("umount", mountpoint)

    def environment(self):
        return {**super().environment(), "XDG_STATE_HOME": self.state, "HOME": self.place, "TMPDIR": self.temporary,
                "PATH": f"{self.programs}:{os.environ['PATH']}"}

    def make_hang(self, path):
        if os.path.exists(path):
            os.unlink(path)
        with open(path, "w", encoding="utf-8") as file:
            file.write(HANGS)
        os.chmod(path, 0o755)

    def interrupt(self, part, number, *words):
        """Sends it once `part` has been started; gives what was printed."""
        child = self.start(*words)
        self.wait_for(lambda: any(f"/{part}" in line for line in self.processes().values()), f"the start of {part}")
        child.send_signal(number)
        output, _ = child.communicate(timeout=world.LIMIT)
        self.assertEqual(child.returncode, 128 + number, output)
        self.assert_nothing_left()
        self.assertEqual(os.listdir(self.temporary), [])
        self.assertFalse([name for name in os.listdir(f"{self.place}/run") if name != "mirrorfs"] if self.user else [])
        return output

    def each_signal(self, part, *words):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(words=words, part=part, signal=number):
                self.assertEqual(self.interrupt(part, number, *words), "mirrorfs: interrupted.\n")

    def test_while_the_agent_starts(self):
        self.make_hang(f"{self.bin}/mirrorfs-agent")
        self.each_signal("mirrorfs-agent", "apply", "work")
        self.each_signal("mirrorfs-agent", "diff", "work", "-p")

    def test_while_the_daemon_works(self):
        self.make_hang(f"{self.bin}/mirrorfsd")
        self.each_signal("mirrorfsd", "apply", "work")
        self.each_signal("mirrorfsd", "diff", "work", "-p")

    def test_while_diff_compares(self):
        self.make_hang(f"{self.programs}/diff")
        self.each_signal("programs/diff", "diff", "work", "-p")

    def test_while_an_agent_is_asked_for_volumes(self):
        self.make_hang(f"{self.bin}/mirrorfs-agent")
        self.each_signal("mirrorfs-agent", "explain", "--target", "docker/web", "/etc/passwd")

    def test_the_layer_stays_as_it_is(self):
        self.make_hang(f"{self.bin}/mirrorfsd")
        before = self.succeed("diff", "work")
        self.interrupt("mirrorfsd", signal.SIGINT, "apply", "work")
        self.assertEqual(self.succeed("diff", "work"), before)

    def test_an_ignored_signal_stays_ignored(self):
        self.make_hang(f"{self.bin}/mirrorfs-agent")
        child = subprocess.Popen(["nohup", *self.command("apply", "work")], env=self.environment(), cwd=self.place,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True)
        self.children.append(child)
        self.wait_for(lambda: any("/mirrorfs-agent" in line for line in self.processes().values()), "the agent's start")
        child.send_signal(signal.SIGHUP)
        child.send_signal(signal.SIGTERM)
        child.communicate(timeout=world.LIMIT)
        self.assertEqual(child.returncode, 128 + signal.SIGTERM)


class UsersInterruptsTest(InterruptsTest):

    user = world.NOBODY


if __name__ == "__main__":
    world.main()
