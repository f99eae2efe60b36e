#!/usr/bin/python3 -B
"""Targets and agents that end under a mount, in every agent mode: evicted, started anew, out of memory, ended by force."""

import errno
import hashlib
import json
import os
import re
import secrets
import signal
import subprocess
import threading
import time

import agent_modes
from agent_modes import BIN
from cluster import BUSYBOX
from following_test import STALE, FollowCase
from lifecycle_test import CutCase, EveryCommandCase, LifecycleCase, command_of, descendants, send
from shared_agents import SharedCase

MODES = ("job", "ephemeral", "exec")


class EndsCase(FollowCase, LifecycleCase):
    def evict(self, name):
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": self.namespace}}
        self.cluster.kubectl("create", "--raw", f"/api/v1/namespaces/{self.namespace}/pods/{name}/eviction", "-f", "-",
                             input=json.dumps(eviction))

    def mount_by(self, mode, target, *words):
        self.mode = mode
        return self.mount_target(target, *words)[1]

    def write_to(self, file):
        """What each of write, fsync has to say; nothing may be acknowledged by a root that is gone."""
        os.write(file, b"after the end")
        os.fsync(file)


class EvictionTest(EndsCase):
    def test_without_follow_nothing_is_acknowledged_any_more(self):
        name = self.run_workload()
        self.write_in(name, self.nonce)
        mounts = {mode: self.mount_by(mode, "deployment/web", "--rw") for mode in MODES}
        files = {}
        for mode, mountpoint in mounts.items():
            self.assert_reads_nonce(mountpoint)
            files[mode] = os.open(os.path.join(mountpoint, "written-" + mode), os.O_RDWR | os.O_CREAT)
            self.addCleanup(self.close_anyhow, files[mode])
            self.write_to(files[mode])
        self.evict(name)
        self.wait_for(lambda: name not in self.pods(), "the eviction")
        for mode, mountpoint in mounts.items():
            with self.subTest(mode):
                self.wait_for(lambda mountpoint=mountpoint: self.state_of(mountpoint)["state"] == "target gone", "the state")
                self.assert_stale(self.write_to, files[mode])
                self.assert_stale(os.listdir, mountpoint)
                self.assertIn("--follow", self.log_of(mountpoint))

    def close_anyhow(self, file):
        try:
            os.close(file)
        except OSError as error:
            self.assertIn(error.errno, STALE)

    def test_with_follow_each_mode_goes_on_in_the_next_pod(self):
        name = self.run_workload()
        self.write_in(name, self.nonce)
        mounts = {mode: self.mount_by(mode, "deployment/web", "--follow") for mode in MODES}
        self.evict(name)
        self.wait_for(lambda: name not in self.pods(), "the eviction")
        following = self.one_pod()
        other = secrets.token_hex(16)
        self.write_in(following, other)
        for mode, mountpoint in mounts.items():
            with self.subTest(mode):
                self.wait_moved(mountpoint, f"pod/{following}, container app")
                self.wait_reads(os.path.join(mountpoint, "nonce"), other)


class StartedAnewTest(EndsCase):
    def test_without_follow_the_root_that_was_is_gone(self):
        name = self.run_workload()
        self.write_in(name, self.nonce)
        mounts = {mode: self.mount_by(mode, f"pod/{name}", "--rw") for mode in MODES}
        for mountpoint in mounts.values():
            self.assert_reads_nonce(mountpoint)
        self.crash(name)
        for mode, mountpoint in mounts.items():
            with self.subTest(mode):
                self.wait_for(lambda mountpoint=mountpoint: self.state_of(mountpoint)["state"] == "target gone", "the state")
                self.assert_stale(os.listdir, mountpoint)


class MemoryTest(EndsCase):
    # Its group may have what it has now, and a little more: of control groups of version 2, and of 1.
    NO_MORE = """for group in $(find /sys/fs/cgroup -type d -name '*CONTAINER*'); do
  for files in "memory.max memory.current" "memory.limit_in_bytes memory.usage_in_bytes"; do
    set -- $files
    [ -f $group/$1 ] || continue
    for more in 200000 400000 800000 1600000; do echo $(($(cat $group/$2) + more)) > $group/$1 && break; done
  done
done
true"""

    def test_an_agent_without_memory_is_made_again_and_reading_goes_on(self):
        self.target()
        self.kubectl("exec", "web", "--", "sh", "-c", "head -c 100000000 /dev/urandom > /big")
        expected = self.kubectl("exec", "web", "--", "sha256sum", "/big").split()[0]
        _, mountpoint = self.mount_pod("--agent", "job", "--agent-limit", "memory=300Mi", "--deadline", "60s")
        with open(os.path.join(mountpoint, "nonce"), encoding="utf-8") as held:
            before = self.jobs()
            container = self.agent_pod()["status"]["containerStatuses"][0]["containerID"].split("//")[1]
            self.cluster.node_exec("node-2", "sh", "-c", self.NO_MORE.replace("CONTAINER", container))
            with open(os.path.join(mountpoint, "big"), "rb") as file:
                self.assertEqual(hashlib.file_digest(file, "sha256").hexdigest(), expected)
            self.assertNotEqual(self.jobs(), before)
            self.assertEqual(held.read().strip(), self.nonce)
        self.assertIn("the agent ran out of memory: raise its --agent-limit", self.log_of(mountpoint))


class ServerAwayTest(LifecycleCase):
    """As ApiServerTest, where the agent is reached in other ways."""

    def check_absence(self, mode):
        self.target()
        self.kubectl("exec", "web", "--", "sh", "-c", f"echo {self.nonce} > /later")
        _, mountpoint = self.mount_pod("--agent", mode, "--rw", "--deadline", "90s", "--agent-ttl", "120s")
        with open(os.path.join(mountpoint, "nonce"), encoding="utf-8") as file:
            self.cluster.stop("control.kube-apiserver")
            self.addCleanup(self.cluster.resume)
            time.sleep(5)
            self.cluster.resume()
            self.assertEqual(self.read(mountpoint, "later"), self.nonce)
            self.assertEqual(file.read().strip(), self.nonce)
        with open(os.path.join(mountpoint, "made"), "w", encoding="utf-8") as file:
            file.write(self.nonce)
        self.assertEqual(self.kubectl("exec", "web", "--", "cat", "/made"), self.nonce)
        self.wait_for(lambda: self.cluster.run("wait", "node", "--all", "--for=condition=Ready", "--timeout=5s").returncode == 0,
                      "both nodes' readiness")
        self.mirrorfs("umount", mountpoint)
        self.wait_no_agents()

    def test_with_an_agent_in_the_container(self):
        self.check_absence("exec")

    def test_with_an_agent_beside_it(self):
        self.check_absence("ephemeral")


class LostPacketsTest(LifecycleCase):
    """Nothing breaks, nothing is refused: what is sent to the cluster, or comes from it, just does not arrive for a while."""
    SECONDS = 8

    def filter(self, change):
        wire = self.cluster.node_exec("control", "ip", "-o", "-4", "address", "show", "wire")
        peer = re.sub(r"\d+$", "1", re.search(r"inet ([\d.]+)", wire)[1])  # this machine's end (tests/e2e/cluster/settings.sh)
        for chain, end in (("INPUT", "-s"), ("OUTPUT", "-d")):
            self.cluster.node_exec("control", "iptables", change, chain, end, peer, "-j", "DROP")

    def check_loss(self, mode):
        self.target()
        self.kubectl("exec", "web", "--", "sh", "-c", f"echo {self.nonce} > /later")
        _, mountpoint = self.mount_pod("--agent", mode, "--rw", "--deadline", "60s")
        self.assert_reads_nonce(mountpoint)
        self.filter("-I")
        back = threading.Timer(self.SECONDS, self.filter, ["-D"])
        back.start()
        self.addCleanup(back.join)
        begun = time.monotonic()
        self.assertEqual(self.read(mountpoint, "later"), self.nonce)
        self.assertGreater(time.monotonic() - begun, self.SECONDS / 2)
        back.join()
        with open(os.path.join(mountpoint, "made"), "w", encoding="utf-8") as file:
            file.write(self.nonce)
        self.assertEqual(self.kubectl("exec", "web", "--", "cat", "/made"), self.nonce)
        self.wait_for(lambda: self.state_of(mountpoint)["state"] == "healthy", "the mount's health")

    def test_on_the_way_to_an_agents_pod(self):
        self.check_loss("job")

    def test_on_the_way_into_the_container(self):
        self.check_loss("exec")


class TunnelEndTest(LifecycleCase):
    def test_the_stream_that_keeps_an_agent_in_the_container(self):
        """The kubectl exec that the agent runs under is killed while a file is written."""
        self.target()
        _, mountpoint = self.mount_pod("--agent", "exec", "--rw", "--deadline", "60s")
        keeps = [pid for pid in self.kubectls_of(mountpoint, "sh") if "relay" not in command_of(pid)]
        self.assertEqual(len(keeps), 1, keeps)
        written = self.write_while(mountpoint, lambda: send(keeps, signal.SIGKILL))
        if written is not None:
            self.assertEqual(int(self.kubectl("exec", "web", "--", "stat", "-c", "%s", "/written")), written)
        self.wait_for(lambda: self.state_of(mountpoint)["state"] == "healthy", "the mount's health")
        self.assert_reads_nonce(mountpoint)

    def write_while(self, mountpoint, something):
        """How much was acknowledged, with fsync, of a file in the middle of which something happened; None if a call has told
        that something is lost: what was not answered when the agent went is not tried again blindly."""
        block = secrets.token_bytes(1 << 20)
        with open(os.path.join(mountpoint, "written"), "wb", buffering=0) as file:
            try:
                for number in range(60):
                    file.write(block)
                    if number == 20:
                        something()
                os.fsync(file.fileno())
                return 60 << 20
            except OSError as error:
                self.assertEqual(error.errno, errno.EIO)
                return None

    def test_a_sidecars_agent_that_is_lost_is_made_again(self):
        sidecar = {"name": "side", "image": BUSYBOX, "restartPolicy": "Always"}
        self.run_pod("web", node="node-2", initContainers=[sidecar])
        self.kubectl("exec", "web", "-c", "side", "--", "sh", "-c", f"echo {self.nonce} > /nonce")
        _, mountpoint = self.mount_pod("--agent", "job", "-c", "side", "--deadline", "60s")
        with open(os.path.join(mountpoint, "nonce"), encoding="utf-8") as file:
            before = self.jobs()
            self.kubectl("delete", "job", *before)
            self.wait_for(lambda: self.jobs() and self.jobs() != before, "another agent")
            self.assertEqual(file.read().strip(), self.nonce)
        self.assertEqual(self.state_of(mountpoint)["state"], "healthy")


class StartTest(LifecycleCase):
    """Clients that go while their agent's pod waits for a place."""

    def start(self):
        self.target()
        mountpoint = os.path.join(self.scratch, "mnt")
        os.mkdir(mountpoint)
        words = ["mount", "--agent", "job", "-n", self.namespace, "--agent-request", "memory=900Ti", "pod/web", mountpoint]
        command = subprocess.Popen([os.path.join(BIN, "mirrorfs"), *words], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env={**os.environ, **self.as_user()})
        self.addCleanup(command.kill)
        self.wait_for(lambda: self.jobs(), "the agent's job")
        return command, mountpoint

    def check_gone(self, mountpoint):
        self.wait_no_agents()
        self.assertFalse(os.path.ismount(mountpoint))

    def test_interrupted(self):
        command, mountpoint = self.start()
        command.send_signal(signal.SIGINT)
        self.assertNotEqual(command.wait(timeout=60), 0)
        self.check_gone(mountpoint)

    def test_a_keeper_that_is_killed(self):
        command, mountpoint = self.start()
        send(descendants(command.pid)[:1], signal.SIGKILL)
        command.wait(timeout=60)
        self.check_gone(mountpoint)


class SharedLifecycleTest(SharedCase, CutCase, EveryCommandCase):
    """By somebody who has just the rights for a shared agent."""

    def setUp(self):
        super().setUp()
        self.person = self.user()

    def as_user(self, kubeconfig=None):
        return super().as_user(kubeconfig or self.person)

    def test_cut_in_the_middle_of_reading_200_megabytes(self):
        self.check_reading("shared")

    def test_cut_in_the_middle_of_writing_200_megabytes(self):
        self.check_writing("shared")

    def test_copy_and_compare(self):
        self.check("shared")

    def test_it_is_found_again_after_a_sleep_and_a_standstill(self):
        self.target()
        _, mountpoint = self.mount_pod("--agent", "shared", "--deadline", "90s")
        self.kubectl("exec", "web", "--", "sh", "-c", f"echo {self.nonce} > /later")
        with open(os.path.join(mountpoint, "nonce"), encoding="utf-8") as file:
            asleep = self.everything_of(mountpoint)
            self.addCleanup(send, asleep, signal.SIGCONT)
            send(asleep, signal.SIGSTOP)
            time.sleep(45)  # the agent gives up on a client that has said nothing for 30 s
            send(asleep, signal.SIGCONT)
            self.assertEqual(file.read().strip(), self.nonce)
        stopped = self.kubectls_of(mountpoint, "port-forward")
        self.assertTrue(stopped)
        send(stopped, signal.SIGSTOP)
        self.addCleanup(send, stopped, signal.SIGCONT)
        self.assertEqual(self.read(mountpoint, "later"), self.nonce)
        self.wait_for(lambda: self.state_of(mountpoint)["state"] == "healthy", "the mount's health")


if __name__ == "__main__":
    agent_modes.run_tests()
