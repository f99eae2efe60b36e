#!/usr/bin/python3
"""Target::Resolve on real docker, podman (root and rootless), containerd and CRI containers.

resolve_test.py PROBE (the program resolve_probe)
"""
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lab"))
from lab_case import LabCase  # noqa: E402

PROBE = ""

# absl::StatusCode
OK, INVALID_ARGUMENT, NOT_FOUND, PERMISSION_DENIED, FAILED_PRECONDITION, UNAVAILABLE = 0, 3, 5, 7, 9, 14

# What docker, containerd and CRI give by default (a80425fb), and DAC_READ_SEARCH, the reading part of the DAC_OVERRIDE
# that is in it.
DOCKER_CAPABILITIES = "a80425ff"
REGULAR = "lower/regular.txt"


class ResolveTest(LabCase):
    runtimes = ("all",)

    def probe(self, target, socket="", file="", prefix=None, environment=None):
        """(status code, what it found, its message)"""
        command = [PROBE, target, socket] + ([file] if file else [])
        command = prefix(*command) if prefix else command
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **(environment or {})}
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
        facts = dict(line.split("=", 1) for line in done.stdout.splitlines())
        return done.returncode, facts, done.stderr.strip()

    def found(self, target, socket="", **options):
        code, facts, message = self.probe(target, socket, **options)
        self.assertEqual(code, OK, message)
        self.assertEqual(facts["ALIVE"], "true")
        return facts

    def refused(self, expected, *words, target, socket="", **options):
        code, _, message = self.probe(target, socket, **options)
        self.assertEqual(code, expected, message)
        for word in words:
            self.assertIn(word, message)

    # --- docker

    def test_docker_by_name_id_and_beginning_of_id(self):
        lab = self.lab
        for name in ("web", lab.DOCKER_WEB_ID, lab.DOCKER_WEB_ID[:10]):
            facts = self.found("docker/" + name, lab.DOCKER_WEB_SOCKET, file=REGULAR)
            self.assertEqual(facts["DESCRIPTION"], f"docker/web ({lab.DOCKER_WEB_ID[:12]}), pid {lab.DOCKER_WEB_PID}")
            self.assertEqual(facts["CONTENT"], "from the first layer")
            self.assertEqual((facts["UID"], facts["GID"], facts["CAPABILITIES"]), ("0", "0", DOCKER_CAPABILITIES))

    def test_docker_host_is_honoured(self):
        self.found("docker/web", environment={"DOCKER_HOST": self.lab.DOCKER_HOST})
        self.refused(INVALID_ARGUMENT, "tcp://host:1", "beside the container", target="docker/web",
                     environment={"DOCKER_HOST": "tcp://host:1"})

    def test_docker_volumes_are_part_of_the_root(self):
        for file, content in (("volumes/bind/file", "on the bind volume"),
                              ("volumes/readonly/file", "on the read-only volume")):
            self.assertEqual(self.found("docker/web", self.lab.DOCKER_WEB_SOCKET, file=file)["CONTENT"], content)

    def test_docker_credentials_of_an_ordinary_user(self):
        facts = self.found("docker/app", self.lab.DOCKER_APP_SOCKET)
        self.assertEqual((facts["UID"], facts["GID"], facts["CAPABILITIES"]), ("1000", "1000", "0"))
        self.assertIn("50", facts["GROUPS"].split(","))

    def test_docker_stopped(self):
        self.refused(FAILED_PRECONDITION, '"exited"', "docker start stopped", target="docker/stopped",
                     socket=self.lab.LAB_DOCKER_SOCKET)

    def test_docker_unknown(self):
        self.refused(NOT_FOUND, 'no container "wep"', "there is web, app, stopped (not running)", target="docker/wep",
                     socket=self.lab.LAB_DOCKER_SOCKET)

    def test_docker_paused_is_served(self):
        self.lab.docker("run", "--detach", "--name", "paused", "--network", "none", "mirrorfs-lab:1")
        self.lab.docker("pause", "paused")
        try:
            self.found("docker/paused", self.lab.LAB_DOCKER_SOCKET, file=REGULAR)
        finally:
            self.lab.docker("unpause", "paused")
            self.lab.docker("rm", "--force", "paused")

    def test_docker_killed(self):
        self.lab.docker("run", "--detach", "--name", "victim", "--network", "none", "mirrorfs-lab:1")
        self.found("docker/victim", self.lab.LAB_DOCKER_SOCKET)
        self.lab.docker("kill", "victim")
        self.refused(FAILED_PRECONDITION, "exited", target="docker/victim", socket=self.lab.LAB_DOCKER_SOCKET)
        self.lab.docker("rm", "victim")
        self.refused(NOT_FOUND, target="docker/victim", socket=self.lab.LAB_DOCKER_SOCKET)

    def test_docker_not_running_at_all(self):
        self.refused(UNAVAILABLE, "/nowhere/docker.sock", "No such file", "--runtime-socket", target="docker/web",
                     socket="/nowhere/docker.sock")
        self.refused(UNAVAILABLE, "/var/run/docker.sock", "/run/docker.sock", target="docker/web",
                     prefix=self.lab.inside)

    def test_a_socket_that_may_not_be_opened(self):
        lab = self.lab
        for target, socket in (("docker/web", lab.LAB_DOCKER_SOCKET),
                               ("containerd/lab/web", lab.LAB_CONTAINERD_SOCKET),
                               ("cri/app", lab.LAB_CONTAINERD_SOCKET)):
            self.refused(PERMISSION_DENIED, socket, "root", target=target, socket=socket, prefix=lab.as_user)

    def test_a_root_that_may_not_be_opened(self):
        without_capabilities = lambda *words: ["setpriv", "--bounding-set=-all", *words]
        self.refused(PERMISSION_DENIED, "SYS_PTRACE", "spc_t", "Unconfined", target="docker/web",
                     socket=self.lab.LAB_DOCKER_SOCKET, prefix=without_capabilities)
        self.refused(PERMISSION_DENIED, "needs root or the capability SYS_PTRACE",
                     target="pid/" + self.lab.DOCKER_WEB_PID, prefix=self.lab.as_user)

    # --- podman

    def test_podman_by_its_service(self):
        lab = self.lab
        facts = self.found("podman/web", lab.PODMAN_WEB_SOCKET, file=REGULAR)
        self.assertEqual(facts["DESCRIPTION"], f"podman/web ({lab.PODMAN_WEB_ID[:12]}), pid {lab.PODMAN_WEB_PID}")
        self.found("podman/" + lab.PODMAN_WEB_ID[:9], environment={"CONTAINER_HOST": "unix://" + lab.LAB_PODMAN_SOCKET})

    def test_podman_by_its_command(self):
        lab = self.lab
        facts = self.found("podman/web", prefix=lab.inside, file=REGULAR)
        self.assertEqual(facts["DESCRIPTION"], f"podman/web ({lab.PODMAN_WEB_ID[:12]}), pid {lab.PODMAN_WEB_PID}")
        self.refused(NOT_FOUND, "there is mapped, web, stopped (not running)", target="podman/nothing",
                     prefix=lab.inside)
        self.refused(FAILED_PRECONDITION, '"created"', "podman start stopped", target="podman/stopped",
                     prefix=lab.inside)

    def test_podman_without_service_and_command(self):
        self.refused(UNAVAILABLE, "/run/podman/podman.sock", "podman cannot be run", target="podman/web",
                     prefix=lambda *words: self.lab.inside("env", "PATH=/nowhere", *words))

    def test_a_user_namespace_is_told_as_maps(self):
        facts = self.found("podman/mapped", self.lab.PODMAN_MAPPED_SOCKET, file="lower/private_root")
        self.assertEqual((facts["UID"], facts["GID"]), ("300000", "400000"))
        self.assertEqual((facts["UID_0_OUTSIDE"], facts["GID_0_OUTSIDE"]), ("300000", "400000"))
        # CHOWN, DAC_OVERRIDE, FOWNER, FSETID: what holds outside of the namespace too.
        self.assertEqual(facts["CAPABILITIES"], "1f")  # likewise

    def test_rootless_podman_as_its_user(self):
        lab = self.lab
        # Its user has no right to the file of another of the container's users, except inside its namespace.
        facts = self.found("podman/web", prefix=lab.as_user, file="lower/private_app")
        self.assertEqual(facts["CONTENT"], "app only")
        self.assertEqual((facts["UID"], facts["UID_0_OUTSIDE"]), ("0", "0"))
        self.found("pid/" + lab.ROOTLESS_WEB_PID, prefix=lab.as_user, file="lower/private_app")

    def test_rootless_podman_as_root(self):
        facts = self.found("pid/" + self.lab.ROOTLESS_WEB_PID)
        self.assertEqual((facts["UID"], facts["UID_0_OUTSIDE"]), (self.lab.LAB_ROOTLESS_UID, self.lab.LAB_ROOTLESS_UID))

    # --- containerd and CRI

    def test_containerd(self):
        lab, socket = self.lab, self.lab.LAB_CONTAINERD_SOCKET
        facts = self.found("containerd/lab/web", socket, file=REGULAR)
        self.assertEqual(facts["DESCRIPTION"], f"containerd/lab/web, pid {lab.CONTAINERD_WEB_PID}")
        self.refused(NOT_FOUND, "there is web, stopped (not running)", target="containerd/lab/x", socket=socket)
        self.refused(NOT_FOUND, 'no namespace "nope"', "lab", "k8s.io", target="containerd/nope/web", socket=socket)
        self.refused(FAILED_PRECONDITION, '"no task"', "ctr -n lab task start stopped", target="containerd/lab/stopped",
                     socket=socket)

    def test_containerd_sees_the_containers_of_docker_and_kubernetes(self):
        lab, socket = self.lab, self.lab.LAB_CONTAINERD_SOCKET
        facts = self.found("containerd/lab-docker/" + lab.DOCKER_WEB_ID[:12], socket, file=REGULAR)
        self.assertTrue(facts["DESCRIPTION"].endswith("pid " + lab.DOCKER_WEB_PID))
        self.found("containerd/k8s.io/" + lab.CRI_WEB0_ID, socket, file=REGULAR)
        self.refused(INVALID_ARGUMENT, "2 containers match", target="containerd/k8s.io/app", socket=socket)

    def test_cri(self):
        lab, socket = self.lab, self.lab.LAB_CONTAINERD_SOCKET
        for name in (lab.CRI_WEB0_ID, lab.CRI_WEB0_ID[:10], "web-0/app", "shop/web-0/app"):
            facts = self.found("cri/" + name, socket, file=REGULAR)
            self.assertEqual(facts["DESCRIPTION"],
                             f"cri/shop/web-0/app ({lab.CRI_WEB0_ID[:12]}), pid {lab.CRI_WEB0_PID}")
        self.found("cri/web-1/app", environment={"CONTAINER_RUNTIME_ENDPOINT": "unix://" + socket})
        self.refused(INVALID_ARGUMENT, "2 containers match", lab.CRI_WEB0_ID[:12], lab.CRI_WEB1_ID[:12],
                     target="cri/app", socket=socket)
        self.refused(NOT_FOUND, "shop/web-0/app", target="cri/web-9/app", socket=socket)
        self.refused(FAILED_PRECONDITION, '"exited"', target=lab.CRI_STOPPED_TARGET, socket=socket)
        self.refused(UNAVAILABLE, "/run/crio/crio.sock", "/run/k3s/", target="cri/app", prefix=lab.inside)
        # Something that answers, and is no CRI.
        self.refused(UNAVAILABLE, lab.LAB_DOCKER_SOCKET, target="cri/app", socket=lab.LAB_DOCKER_SOCKET)

    # --- processes and directories

    def test_pid(self):
        facts = self.found("pid/" + self.lab.DOCKER_APP_PID, file=REGULAR)
        self.assertEqual(facts["UID"], "1000")
        self.refused(NOT_FOUND, "no process", target="pid/999999999")

    def test_directory(self):
        directory = self.lab.LAB_DIR + "/volumes/bind"
        self.assertEqual(self.found("dir:" + directory, file="file")["CONTENT"], "on the bind volume")
        self.refused(NOT_FOUND, "no such directory", target="dir:/nothing/here")
        self.refused(INVALID_ARGUMENT, "not a directory", target="dir:" + directory + "/file")
        self.refused(PERMISSION_DENIED, "searchable", target="dir:" + self.lab.LAB_DIR + "/docker/root/overlay2",
                     prefix=self.lab.as_user)


if __name__ == "__main__":
    PROBE = os.path.realpath(sys.argv.pop(1))
    unittest.main(verbosity=2)
