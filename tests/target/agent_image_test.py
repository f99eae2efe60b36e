#!/usr/bin/python3
"""The agent's image: small, loaded by docker, podman and containerd, and the agent in it runs.

agent_image_test.py IMAGE_TAR VERSION
"""
import os
import subprocess
import sys
import tarfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lab"))
from lab_case import LabCase  # noqa: E402

IMAGE, VERSION = "", ""


class AgentImageTest(LabCase):
    runtimes = ("docker", "podman", "containerd")

    def ctr(self, *arguments):
        ctr = self.lab.inside("ctr", "--address", self.lab.LAB_CONTAINERD_SOCKET, "-n", "lab", *arguments)
        return subprocess.run(ctr, check=True, capture_output=True, text=True).stdout

    def test_holds_one_file(self):
        with tarfile.open(IMAGE) as image:
            layers = [member for member in image.getmembers() if member.name.endswith("layer.tar")]
            self.assertEqual(len(layers), 1)
            with tarfile.open(fileobj=image.extractfile(layers[0])) as layer:
                files = [(member.name, member.mode, member.uid) for member in layer]
        self.assertEqual(files, [("mirrorfs-agent", 0o755, 0)])

    def test_docker(self):
        self.lab.docker("load", "--input", IMAGE)
        told = self.lab.docker("run", "--rm", "--network", "none", "mirrorfs-agent:" + VERSION, "--version")
        self.assertEqual(told, "mirrorfs-agent " + VERSION)

    def test_docker_agent_serves_another_container(self):
        self.lab.docker("load", "--input", IMAGE)
        name = "agent"
        self.lab.docker("run", "--detach", "--name", name, "--network", "none", "--pid", "host", "--cap-drop", "ALL",
                        "--cap-add", "SYS_PTRACE", "--cap-add", "DAC_READ_SEARCH", "--cap-add", "SETUID",
                        "--cap-add", "SETGID", "--volume", self.lab.LAB_DOCKER_SOCKET + ":/var/run/docker.sock",
                        "--volume", self.lab.LAB_DIR + "/run:/run/lab", "mirrorfs-agent:" + VERSION,
                        "--target", "docker/web", "--listen", "unix:/run/lab/agent.sock", "--verbose")
        try:
            socket = self.lab.LAB_DIR + "/run/agent.sock"
            self.wait_for(socket, name)
            self.assertIn("serves docker/web", self.logs(name))
        finally:
            self.lab.docker("rm", "--force", name)

    def logs(self, name):
        return subprocess.run(["/usr/bin/docker", "-H", self.lab.DOCKER_HOST, "logs", name], check=True, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout

    def wait_for(self, socket, name):
        """The log's "serves" line; follows the log, so that it ends with the container too."""
        with subprocess.Popen(["/usr/bin/docker", "-H", self.lab.DOCKER_HOST, "logs", "--follow", name], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as follow:
            for line in follow.stdout:
                if "serves" in line:
                    break
            else:
                self.fail("the agent has ended: " + self.logs(name))
            follow.terminate()
        self.assertTrue(os.path.exists(socket))

    def test_podman(self):
        def podman(*words):
            return subprocess.run(self.lab.inside("podman", *words), check=True, capture_output=True, text=True).stdout

        podman("load", "--input", IMAGE)
        self.assertIn("mirrorfs-agent", podman("images"))

    def test_containerd(self):
        self.ctr("images", "import", "--snapshotter", "overlayfs", IMAGE)
        self.assertIn("docker.io/library/mirrorfs-agent:" + VERSION, self.ctr("images", "ls", "-q"))


if __name__ == "__main__":
    IMAGE = os.path.realpath(sys.argv.pop(1))
    VERSION = sys.argv.pop(1)
    unittest.main(verbosity=2)
