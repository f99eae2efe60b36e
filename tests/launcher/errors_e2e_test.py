"""What can be wrong with a mount: a clear message, the right exit code, nothing left."""

import os
import signal
import socket
import stat
import subprocess
import unittest

import world


class ErrorsTest(world.World):

    def setUp(self):
        super().setUp()
        self.mountpoint = self.directory("mnt")

    def fail_to_mount(self, code, message, *words):
        self.fail_with(code, message, "mount", *words)
        self.assert_nothing_left()
        self.assertEqual(os.listdir(self.mountpoint), [])

    def test_command_line(self):
        good = (f"dir:{self.source}", self.mountpoint)
        self.fail_with(2, "did you mean mount?", "mont")
        self.fail_to_mount(2, "the mount point is missing", f"dir:{self.source}")
        self.fail_to_mount(2, "did you mean noexec?", *good, "-o", "rw,noexc")
        self.fail_to_mount(2, "did you mean --deadline?", *good, "--deadlin", "1s")
        self.fail_to_mount(2, "Add default_permissions", *good, "--as", "container", "-o", "allow_other")
        self.fail_to_mount(2, "--kubeconfig /nonexistent", "pod/web", self.mountpoint, "--kubeconfig", "/nonexistent")
        self.fail_with(8, "not a mount point of mirrorfs", "umount", self.mountpoint)
        self.fail_with(8, "not a mount point of mirrorfs", "stats", self.mountpoint)
        self.fail_with(2, "write wide or json", "status", "-o", "yaml")
        self.fail_with(2, "Write manifest, install, uninstall, ls, logs or clean", "agent")
        self.fail_with(2, "did you mean ls?", "agent", "lst")
        self.fail_with(2, "the agent's name is missing", "agent", "logs")
        self.fail_with(2, "dir:/etc is not in a cluster", "agent", "manifest", "dir:/etc")
        self.fail_with(2, "goes with targets in a cluster only", "mount", "--agent-limit", "memory=1Gi", "dir:/etc", self.mountpoint)
        self.assertIn("Usage: mirrorfs umount", self.succeed("umount", "-h"))
        self.assertIn("Exit codes", self.succeed("help"))

    def test_mount_point(self):
        self.write("file", "x")
        target = f"dir:{self.source}"
        self.fail_to_mount(5, "it does not exist. Make it first", target, os.path.join(self.place, "missing"))
        self.fail_to_mount(5, "it does not exist", target, os.path.join(self.place, "missing/too"))
        self.fail_to_mount(5, "not a directory", target, os.path.join(self.place, "file"))
        self.fail_to_mount(5, "it is not empty", target, self.source)
        self.fail_to_mount(5, "root directory", target, "/")

    def test_a_mount_point_with_files_if_asked(self):
        self.succeed("mount", f"dir:{self.source}", self.directory("full"))
        self.succeed("umount", "full")
        self.write("full/hidden", "mine")
        self.succeed("mount", "-o", "nonempty", f"dir:{self.source}", "full")
        self.assertFalse(os.path.exists(os.path.join(self.place, "full/hidden")))
        self.succeed("umount", "full")
        self.assert_nothing_left()
        self.assertEqual(os.listdir(os.path.join(self.place, "full")), ["hidden"])

    def test_mounted_already(self):
        self.succeed("mount", f"dir:{self.source}", self.mountpoint)
        self.fail_with(5, "is already mounted there (healthy)", "mount", f"dir:{self.source}", self.mountpoint)
        self.assertEqual(sorted(os.listdir(self.mountpoint)), ["file", "sub"])
        self.succeed("umount", self.mountpoint)
        self.assert_nothing_left()

    def test_targets(self):
        self.fail_to_mount(3, "missing", f"dir:{self.place}/missing", self.mountpoint)
        child = subprocess.Popen(["true"])
        child.wait()
        self.fail_to_mount(3, str(child.pid), f"pid/{child.pid}", self.mountpoint)
        self.fail_to_mount(6, "nowhere.sock", "docker/web", self.mountpoint, "--runtime-socket", "/nowhere.sock")

    def test_agents_that_are_not_there(self):
        self.fail_to_mount(6, "", f"unix:{self.place}/nobody.sock", self.mountpoint, "--deadline", "1s")
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            self.fail_to_mount(6, "", f"grpc://127.0.0.1:{port}", self.mountpoint, "--deadline", "1s")

    def test_an_agent_that_listens_already(self):
        path = os.path.join(self.place, "a.sock")
        agent = subprocess.Popen([os.path.join(self.bin, "mirrorfs-agent"), "--target", f"dir:{self.source}",
                                  "--listen", f"unix:{path}"])
        try:
            self.wait_for(lambda: os.path.exists(path), "the agent")
            self.succeed("mount", f"unix:{path}", self.mountpoint)
            self.assertEqual(self.status(self.mountpoint)["agent_pid"], 0)
            self.assertEqual(sorted(os.listdir(self.mountpoint)), ["file", "sub"])
            self.fail_with(6, "", "mount", "--rw", f"unix:{path}", self.directory("rw"))
            self.succeed("umount", self.mountpoint)
            self.assertIsNone(agent.poll())
        finally:
            agent.terminate()
            agent.wait()
        self.assert_nothing_left()

    def program(self, name, text):
        path = self.write(name, "#!/bin/sh\n" + text)
        os.chmod(path, 0o755)
        return path

    def test_programs_that_fail(self):
        good = (f"dir:{self.source}", self.mountpoint)
        self.fail_to_mount(6, "not where it should be", *good, "--agent-program", "/nowhere/agent")
        agent = self.program("mirrorfs-broken", "echo 'the agent is unwell' >&2; exit 9")
        self.fail_to_mount(6, "the agent is unwell", *good, "--agent-program", agent)
        mute = self.program("mirrorfs-mute", "exit 4")
        self.fail_to_mount(4, "ended with exit code 4", *good, "--agent-program", mute)
        self.fail_to_mount(6, "mirrorfsd ended with exit code 7", *good, "--mirrorfsd", self.program("d", "exit 7"))

    def test_giving_up_while_it_starts(self):
        slow = self.program("mirrorfs-slow", "exec sleep 1000")
        child = self.start("mount", f"dir:{self.source}", self.mountpoint, "--agent-program", slow)
        self.wait_for(lambda: any("keeper" in line for line in self.processes().values()), "the keeper")
        child.send_signal(signal.SIGINT)
        child.wait(world.LIMIT)
        self.assert_nothing_left()

    def test_no_fuse(self):
        bare = os.path.join(self.place, "bare")
        open(bare, "w", encoding="utf-8").close()
        subprocess.run(["mount", "--bind", bare, "/dev/fuse"], check=True)
        try:
            self.assertTrue(stat.S_ISREG(os.stat("/dev/fuse").st_mode))
            result = self.run_command("mount", f"dir:{self.source}", self.mountpoint)
            self.assertEqual(result.returncode, 5, result.stderr)
            self.assertIn("fuse", result.stderr)
        finally:
            subprocess.run(["umount", "/dev/fuse"], check=True)
        self.assert_nothing_left()

    def test_strangers_on_the_control_socket_are_turned_away(self):
        self.succeed("mount", f"dir:{self.source}", self.mountpoint)
        control = os.path.join(os.path.dirname(self.status(self.mountpoint)["log"]), "control.sock")
        os.chmod("/run/mirrorfs", 0o755)
        os.chmod(os.path.dirname(control), 0o755)
        os.chmod(control, 0o666)
        ask = "import socket; s = socket.socket(socket.AF_UNIX); s.connect('%s'); s.sendall(b'{\"request\":\"umount\"}\\n'); print(len(s.recv(100)))"
        answer = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", "/usr/bin/python3", "-c", ask % control],
                                capture_output=True, text=True, check=False)
        self.assertNotIn("{", answer.stdout)
        self.assertEqual(self.status(self.mountpoint)["state"], "healthy")
        os.chmod("/run/mirrorfs", 0o700)
        self.succeed("umount", self.mountpoint)
        self.assert_nothing_left()


if __name__ == "__main__":
    world.main()
