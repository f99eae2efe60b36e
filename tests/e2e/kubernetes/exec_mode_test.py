#!/usr/bin/python3 -B
"""Mounts and runs on pods with the agent in the container, put there by kubectl exec. exec_mode_test.py BINARIES"""

import errno
import json
import os
import secrets
import signal
import sys

import cluster as clusters
import suite
from cluster import DISTROLESS, ClusterCase

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../launcher"))
import tunnel_streams  # noqa: E402  pylint: disable=wrong-import-position
import world  # noqa: E402  pylint: disable=wrong-import-position

GONE = (errno.ESTALE, errno.EHOSTDOWN)
PLACES = "/tmp /var/tmp /run /dev/shm /root"


class ExecModeTest(ClusterCase, tunnel_streams.TunnelStreams, world.World):

    def setUp(self):
        world.World.setUp(self)
        ClusterCase.setUp(self)
        self.mountpoint = self.directory("mnt")
        self.nonce = secrets.token_hex(8)

    def environment(self):
        return {**world.World.environment(self), **self.cluster.environment(), "KUBECONFIG": self.cluster.kubeconfig,
                "MIRRORFS_KUBECTL": self.cluster.kubectl_program}

    def in_pod(self, pod, script):
        return self.kubectl("exec", pod, "--", "sh", "-c", script)

    def mount(self, target, *options):
        self.succeed("mount", "--agent", "exec", "-n", self.namespace, *options, target, self.mountpoint)

    def umount(self):
        self.succeed("umount", self.mountpoint)
        self.assert_nothing_left()

    def path(self, name):
        return os.path.join(self.mountpoint, name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def assert_pod_is_clean(self, pod):
        look = (f"ls -a {PLACES} 2>/dev/null | grep ^.mirrorfs; "
                "for p in /proc/[0-9]*; do readlink $p/exe | grep mirrorfs; done; true")
        self.wait_for(lambda: self.in_pod(pod, look) == "", f"the end of what is in {pod}")

    def test_read_and_write(self):
        self.run_pod("web")
        self.in_pod("web", f"echo {self.nonce} > /srv/nonce")
        said = self.run_command("mount", "--agent", "exec", "-n", self.namespace, "--rw", "--progress", "json", "pod/web",
                                self.mountpoint)
        steps = [json.loads(line)["step"] for line in said.stderr.splitlines() if line.startswith("{")]
        self.assertEqual((said.returncode, steps), (0, ["target", "placed", "started", "attached"]), said.stderr)
        self.assertEqual(self.read("srv/nonce"), self.nonce + "\n")
        with open(self.path("srv/back"), "w", encoding="utf-8") as file:
            file.write(self.nonce)
        self.assertEqual(self.in_pod("web", "cat /srv/back"), self.nonce)
        self.umount()
        self.assert_pod_is_clean("web")

    def test_run_a_program(self):
        self.run_pod("web", container={"env": [{"name": "NONCE", "value": self.nonce}]})
        self.in_pod("web", f"echo {self.nonce} > /srv/nonce")
        text = self.succeed("exec", "--agent", "exec", "-n", self.namespace, "--target", "pod/web", "--env=NONCE", "--",
                            "sh", "-c", "cat /srv/nonce; echo $NONCE")
        self.assertEqual(text, f"{self.nonce}\n{self.nonce}\n")
        self.wait_for(lambda: not self.state_directories(), "the keeper's end, after the program's")
        self.assert_nothing_left()
        self.assert_pod_is_clean("web")

    def test_copy_and_compare_without_a_mount(self):
        for pod in ("web", "other"):
            self.run_pod(pod)
        self.in_pod("web", f"mkdir /srv/d; echo {self.nonce} > /srv/d/nonce; ln -s nonce /srv/d/link")
        space = ("--agent", "exec", "-n", self.namespace)
        self.assertEqual(self.succeed("cat", *space, "pod/web:/srv/d/link"), f"{self.nonce}\n")
        here = self.directory("here")
        self.succeed("cp", *space, "pod/web:/srv/d", here)
        with open(os.path.join(here, "d/nonce"), encoding="utf-8") as file:
            self.assertEqual(file.read(), f"{self.nonce}\n")
        self.assertEqual(os.readlink(os.path.join(here, "d/link")), "nonce")
        self.fail_with(1, "differ in /srv", "diff", *space, "pod/web", "pod/other", "/srv")
        self.succeed("cp", *space, os.path.join(here, "d"), "pod/other:/srv/")
        self.assertEqual(self.in_pod("other", "cat /srv/d/link").strip(), self.nonce)
        self.succeed("diff", *space, "pod/web", "pod/other", "/srv")
        for pod in ("web", "other"):
            self.assert_pod_is_clean(pod)

    def test_a_user_without_rights_on_a_read_only_root(self):
        safe = {"runAsUser": 1000, "runAsGroup": 1000, "runAsNonRoot": True, "readOnlyRootFilesystem": True,
                "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]},
                "seccompProfile": {"type": "RuntimeDefault"}}
        self.namespace = self.make_namespace(**{"pod-security.kubernetes.io/enforce": "restricted"})
        self.run_pod("safe", container={"securityContext": safe, "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}]},
                     volumes=[{"name": "tmp", "emptyDir": {}}])
        self.mount("pod/safe", "--rw")
        with open(self.path("tmp/made"), "w", encoding="utf-8") as file:
            file.write("x")
        self.assertEqual(self.in_pod("safe", "stat -c %u:%g /tmp/made"), "1000:1000")
        self.assertEqual(self.error_of(os.mkdir, self.path("etc/x")), errno.EROFS)
        self.umount()
        self.assert_pod_is_clean("safe")

    def test_what_an_image_lacks(self):
        self.run_pod("bare", DISTROLESS)
        self.fail_with(6, "no shell (sh) in its image", "mount", "--agent", "exec", "-n", self.namespace, "pod/bare",
                       self.mountpoint)
        self.run_pod("closed", container={"securityContext": {"readOnlyRootFilesystem": True}})
        self.fail_with(6, "/tmp (cannot be written)", "mount", "--agent", "exec", "-n", self.namespace, "pod/closed",
                       self.mountpoint)
        self.assert_nothing_left()

    def test_cut_while_reading(self):
        self.run_pod("web")
        expected = self.in_pod("web", f"head -c {tunnel_streams.SIZE} /dev/urandom > /srv/big; sha256sum /srv/big").split()[0]
        self.mount("pod/web", "--deadline", "60s")
        self.assertEqual(self.meanwhile(lambda: self.digest_of(self.path("srv/big")), self.cut, 2, pause=1), expected)
        self.umount()
        self.assert_pod_is_clean("web")

    def test_cut_while_writing(self):
        self.run_pod("web")
        self.mount("pod/web", "--rw", "--deadline", "60s")
        digest = self.meanwhile(lambda: self.write_big(self.path("srv/big")), self.cut, 2, pause=1)
        self.assertEqual(self.in_pod("web", "sha256sum /srv/big").split()[0], digest)
        self.umount()

    def check_that_it_is_gone(self):
        self.wait_for(lambda: self.status(self.mountpoint)["state"] == "target gone", "the state")
        self.wait_for(lambda: self.error_of(os.stat, self.path("etc/hosts")) in GONE, "an error")
        self.umount()

    def test_a_pod_that_is_deleted(self):
        self.run_pod("web")
        self.mount("pod/web")
        self.kubectl("delete", "pod", "web")
        self.check_that_it_is_gone()

    def test_a_container_that_is_started_anew(self):
        # Its main process ends when it is told to.
        end = {"command": ["sh", "-c", "while [ ! -e /tmp/end ]; do sleep 0.1; done"]}
        self.run_pod("web", container=end)
        self.mount("pod/web")
        self.in_pod("web", "touch /tmp/end")
        self.check_that_it_is_gone()

    def test_a_killed_agent_is_put_there_again(self):
        self.run_pod("web")
        self.mount("pod/web")
        self.in_pod("web", f"echo {self.nonce} > /srv/nonce")
        self.in_pod("web", "for p in /proc/[0-9]*; do case $(readlink $p/exe) in *mirrorfs-agent*) kill -9 ${p#/proc/};; "
                           "esac; done")
        self.assertEqual(self.read("srv/nonce"), self.nonce + "\n")
        self.umount()
        self.assert_pod_is_clean("web")

    def test_without_its_keeper_nothing_stays(self):
        self.run_pod("web")
        self.mount("pod/web")
        os.kill(self.status(self.mountpoint)["pid"], signal.SIGKILL)
        self.assert_pod_is_clean("web")
        self.succeed("umount", "--force", self.mountpoint)
        self.assert_nothing_left()


if __name__ == "__main__":
    clusters.Cluster.start_or_reuse()
    world.enter_namespace()
    world.World.binaries = os.path.abspath(sys.argv.pop(1))
    suite.run()
