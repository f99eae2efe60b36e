"""mirrorfs exec on real containers (tests/lab): their environment, working directory and volumes."""

import os
import subprocess
import sys
import unittest

import exec_world

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lab"))
from lab_case import LabCase  # noqa: E402


class ContainersTest(LabCase, exec_world.ExecWorld):

    runtimes = ("docker",)

    def setUp(self):
        super().setUp()
        self.target = "docker/web"
        self.socket = ("--runtime-socket", self.lab.DOCKER_WEB_SOCKET)

    def exec_command(self, *words, options=()):
        return super().exec_command(*words, options=(*self.socket, *options))

    def run_container(self, *options):
        name = self.lab.docker("run", "-d", "--network", "none", *options, "mirrorfs-lab:1")
        self.addCleanup(self.lab.docker, "rm", "-f", name)
        self.target = f"docker/{name}"

    def test_files(self):
        self.assertEqual(self.output_of("cat", "/lower/regular.txt"), "from the first layer\n")
        self.assertEqual(self.output_of("cat", "/volumes/bind/file"), "on the bind volume\n")
        self.assertEqual(self.output_of("readlink", "/lower/links/absolute"), "/lower/regular.txt\n")
        self.assertEqual(self.output_of("cat", "/lower/links/absolute"), "from the first layer\n")
        self.assert_nothing_left()

    def test_nothing_is_taken_over_unasked(self):
        self.run_container("--env", f"ONLY_THERE={self.nonce}", "--workdir", "/lower")
        self.assertEqual(self.shell("echo ${ONLY_THERE-none}; /bin/pwd"), f"none\n{self.place}\n")

    def test_environment(self):
        self.run_container("--env", f"APP_KEY={self.nonce}", "--env", "APP_TEXT=two words\nand a line", "--env",
                           "SECRET=x", "--env", "PATH=/bin:/only-there")
        show = "echo $APP_KEY; echo \"$APP_TEXT\"; echo ${SECRET-none}; echo $PATH"
        path = self.environment()["PATH"]
        text = f"{self.nonce}\ntwo words\nand a line\n"
        self.assertEqual(self.shell(show, options=["--env"]), f"{text}x\n{path}\n")
        self.assertEqual(self.shell(show, options=["--env=APP_*"]), f"{text}none\n{path}\n")
        self.assertEqual(self.shell(show, options=["--env", "--env-exclude=SEC*"]), f"{text}none\n{path}\n")
        self.assertEqual(self.shell("echo $PATH", options=["--env=PATH"]), "/bin:/only-there\n")

    def test_an_environment_in_local_mode(self):
        self.run_container("--env", f"APP_KEY={self.nonce}")
        # Nothing of ours is beside the program.
        self.assertEqual(self.state_directories(), [])
        text = self.shell(f"echo $APP_KEY; cat {self.place}/source/file; echo $MIRRORFS_TARGET; echo ${{MIRRORFS_RUN-none}};"
                          f"ls {self.state_base()} | wc -l; readlink /proc/self/ns/mnt", options=["--env", "--fs-mode", "local"])
        self.assertEqual(text, f"{self.nonce}\ncontent\n{self.target}\nnone\n0\n{os.readlink('/proc/self/ns/mnt')}\n")
        self.assertEqual(self.processes(), {})

    def test_a_working_directory_in_local_mode(self):
        self.run_container("--workdir", "/usr/lib")
        options = ["--container-cwd", "--fs-mode", "local"]
        self.assertEqual(self.shell("/bin/pwd; echo $PWD", options=options), "/usr/lib\n/usr/lib\n")
        self.run_container("--workdir", "/lower/many")
        self.fail_with(1, "In mode local it is looked for on this machine", "exec", "--target", self.target, *self.socket,
                       *options, "--", "true")
        self.assertEqual(self.processes(), {})

    def test_working_directory(self):
        self.run_container("--workdir", "/lower/many")
        text = self.shell("/bin/pwd; echo $PWD; cat file0007", options=["--container-cwd"])
        self.assertEqual(text, "/lower/many\n/lower/many\n7\n")

    def test_a_volume_in_a_local_tree(self):
        volume = self.directory("volume")
        self.write("volume/nonce", self.nonce + "\n")
        self.run_container("--volume", f"{volume}:/opt/volume")
        self.assertEqual(self.output_of("cat", "/opt/volume/nonce"), self.nonce + "\n")
        result = self.run_exec("cat", "/opt/volume/nonce", options=["--no-auto-mount"])
        self.assertIn("No such file", result.stderr)

    def test_a_volume_beside_our_own_sockets(self):
        volume = self.directory("secrets")
        self.write("secrets/nonce", self.nonce + "\n")
        self.run_container("--volume", f"{volume}:/run/secrets")
        text = self.shell(f"cat /run/secrets/nonce; {self.bin}/mirrorfs stats $MIRRORFS_RUN")
        self.assertIn(self.nonce, text)
        self.assertIn("calls to the agent", text)

    def test_names_of_the_container(self):
        self.run_container("--hostname", f"host-{self.nonce}", "--add-host", f"{self.nonce}.test:10.1.2.3")
        self.assertEqual(self.output_of("cat", "/etc/hostname"), f"host-{self.nonce}\n")
        self.assertIn(f"{self.nonce}.test", self.output_of("cat", "/etc/hosts"))
        with open("/etc/passwd", encoding="utf-8") as file:
            self.assertEqual(self.output_of("cat", "/etc/passwd"), file.read())

    def test_a_container_that_is_killed(self):
        self.run_container()
        child = self.start_shell("while read line; do cat /lower/second.txt 2>&1; echo done; done",
                                 stdin=subprocess.PIPE)
        self.lab.docker("kill", self.target.split("/")[1])

        def answer():
            child.stdin.write("\n")
            child.stdin.flush()
            return "".join(iter(child.stdout.readline, "done\n"))
        self.wait_for(lambda: "Stale file handle" in answer() or "Host is down" in answer(), "an error")
        child.stdin.close()
        self.assertEqual(child.wait(), 0)
        self.assert_nothing_left()

    def test_no_such_container(self):
        for target, message in ((self.lab.DOCKER_STOPPED_TARGET, "stopped"), ("docker/nowhere", "nowhere")):
            self.fail_with(3, message, "exec", "--target", target, *self.socket, "--", "true")
            self.assert_nothing_left()

    def test_an_ordinary_user_is_told_what_is_missing(self):
        self.user = exec_world.NOBODY
        os.chown(self.home, self.user, self.user)
        self.fail_with(4, "docker", "exec", "--target", "docker/web", *self.socket, "--", "true")


class PlacedAgentTest(ContainersTest):
    """The same with an agent that is put into the container."""

    def setUp(self):
        super().setUp()
        self.socket = (*self.socket, "--agent", "exec")

    def environment(self):
        return {**super().environment(), "MIRRORFS_DOCKER": "/usr/bin/docker"}


if __name__ == "__main__":
    exec_world.main()
