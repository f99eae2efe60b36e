#!/usr/bin/python3 -B
"""An agent as a job on the target's node: mounted through it, from its creation to its end, and what stands in its way."""

import errno
import hashlib
import os
import secrets
import signal
import subprocess

import agent_modes
from agent_modes import JOB_RULES, AgentCase, Probe
from cluster import NODES


class JobModeTest(AgentCase):
    def test_mounts_a_pod_and_leaves_nothing(self):
        probe = Probe(self, "job", self.target()).ready()
        steps = [line.split()[0] for line in probe.said]
        for step in ("created", "scheduled", "started", "attached"):
            self.assertIn(step, steps)
        self.assertEqual(self.agent_pod()["spec"]["nodeName"], NODES["node-2"])
        self.assert_reads_nonce(self.mount(probe))
        self.mirrorfs("umount", "--all", check=False)
        probe.end()
        self.wait_no_agents()

    def test_read_write_and_run_by_the_command_alone(self):
        self.check_reading_writing_running("job")

    def test_a_nodes_own_root(self):
        place = f"/run/mirrorfs-e2e-{secrets.token_hex(4)}"
        self.cluster.node_exec("node-1", "sh", "-c", f"echo {self.nonce} > {place}")
        self.addCleanup(self.cluster.node_exec, "node-1", "rm", place)
        self.assertFalse(os.path.exists(place))  # on this machine
        for node, code, text in (("node-1", 0, self.nonce), ("node-2", 1, "")):
            read = self.mirrorfs("cat", "--agent", "job", "-n", self.namespace, f"node/{node}:{place}", check=False,
                                 environment=self.as_user())
            self.assertEqual((read.returncode, read.stdout.strip()), (code, text), read.stderr)
        self.wait_no_agents()

    def test_an_agent_that_is_deleted_is_made_again(self):
        self.target()
        _, mountpoint = self.mount_pod("--agent", "job", "--deadline", "60s")
        before = self.jobs()
        self.kubectl("delete", "job", *before)
        self.assert_reads_nonce(mountpoint)
        self.wait_for(lambda: self.jobs() and self.jobs() != before, "another agent")
        self.assertEqual(os.stat(os.path.join(mountpoint, "nonce")).st_mode & 0o777, 0o600)
        self.mirrorfs("umount", mountpoint)
        self.wait_no_agents()

    def test_a_keeper_that_is_killed_leaves_nothing(self):
        self.target()
        _, mountpoint = self.mount_pod("--agent", "job")
        os.kill(self.state_of(mountpoint)["pid"], signal.SIGKILL)
        self.wait_no_agents()
        self.mirrorfs("umount", "--force", mountpoint)

    def test_a_pod_that_is_deleted_under_a_mount(self):
        self.target()
        _, mountpoint = self.mount_pod("--agent", "job")
        self.kubectl("delete", "pod", "web")
        self.wait_for(lambda: self.state_of(mountpoint)["state"] == "target gone", "the state")
        with self.assertRaises(OSError) as caught:
            self.read(mountpoint, "nonce")
        self.assertIn(caught.exception.errno, (errno.ESTALE, errno.EHOSTDOWN))
        self.mirrorfs("umount", mountpoint)
        self.wait_no_agents()

    def test_what_is_in_the_way_is_said_and_nothing_stays(self):
        self.target()
        for words, text in ((("--agent-image", "mirrorfs-test/none:1", "--agent-pull-policy", "Never"), "--agent-pull-policy"),
                            (("--runtime-socket", "/run/none.sock"), "--agent-pid-from cgroup")):
            with self.subTest(words):
                result, mountpoint = self.mount_pod("--agent", "job", *words, check=False)
                self.assertNotEqual(result.returncode, 0)
                self.assertIn(text, result.stderr)
                self.assertFalse(os.path.ismount(mountpoint))
                self.wait_no_agents()

    def test_no_secret_is_in_the_cluster(self):
        probe = Probe(self, "job", self.target()).ready()
        token = self.read(probe.token)
        everything = self.cluster.kubectl("get", "jobs,pods,secrets,configmaps", "-n", self.namespace, "-o", "json")
        log = self.cluster.kubectl("logs", "-n", self.namespace, self.agent_pod()["metadata"]["name"])
        for text in (everything, log):
            self.assertNotIn(token, text)
            self.assertNotIn("PRIVATE KEY", text)
        self.assertIn(hashlib.sha256(token.encode()).hexdigest(), everything)
        self.assertIn("BEGIN CERTIFICATE", log)

    def test_has_just_the_capabilities_of_its_mode(self):
        Probe(self, "job", self.target()).ready()
        container = self.agent_pod()["spec"]["containers"][0]
        self.assertEqual(container["securityContext"]["capabilities"]["add"],
                         ["SYS_PTRACE", "DAC_READ_SEARCH", "SETUID", "SETGID"])
        self.assertFalse(container["securityContext"].get("privileged"))
        self.assertIn("@sha256:", container["image"])

    def test_each_thread_holds_what_is_documented(self):
        self.check_threads_of_pod("job")

    def test_writes_reach_the_container(self):
        probe = Probe(self, "job", self.target(), "--rw").ready()
        mountpoint = self.mount(probe, "--rw")
        with open(os.path.join(mountpoint, "made"), "w", encoding="utf-8") as file:
            file.write(self.nonce)
        self.assertEqual(self.kubectl("exec", "web", "--", "cat", "/made"), self.nonce)

    def test_read_only_is_kept_by_the_agent(self):
        probe = Probe(self, "job", self.target()).ready()
        mountpoint = os.path.join(self.scratch, "mnt")
        os.mkdir(mountpoint)
        result = self.mirrorfs("mount", f"unix:{probe.socket}", mountpoint, "--rw", "--token-file", probe.token, check=False)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("read-only", result.stderr)

    def test_without_the_token_nobody_is_let_in(self):
        probe = Probe(self, "job", self.target()).ready()
        wrong = os.path.join(self.scratch, "wrong")
        with open(wrong, "w", encoding="utf-8") as file:
            file.write("0" * 64)
        os.mkdir(os.path.join(self.scratch, "mnt"))
        result = self.mirrorfs("mount", f"unix:{probe.socket}", os.path.join(self.scratch, "mnt"), "--token-file", wrong,
                               check=False)
        self.assertIn("does not accept this token", result.stderr)

    def test_no_socket_of_the_runtime_is_needed(self):
        probe = Probe(self, "job", self.target(), "--agent-pid-from", "cgroup").ready()
        self.assertNotIn("hostPath", str(self.agent_pod()["spec"]))
        self.assert_reads_nonce(self.mount(probe))

    def test_an_image_without_a_shell(self):
        mountpoint = self.mount(Probe(self, "job", self.bare_target()).ready())
        self.assertEqual(self.read(mountpoint, "given/nonce"), self.nonce)
        self.assertEqual(self.read(mountpoint, "srv/data"), "kept in an image without a shell")

    def test_200_megabytes_arrive_as_they_are(self):
        self.target()
        self.kubectl("exec", "web", "--", "sh", "-c", "head -c 200000000 /dev/urandom > /big")
        expected = self.kubectl("exec", "web", "--", "sha256sum", "/big").split()[0]
        mountpoint = self.mount(Probe(self, "job", "web").ready())
        digest = hashlib.sha256()
        with open(os.path.join(mountpoint, "big"), "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        self.assertEqual(digest.hexdigest(), expected)

    def test_a_broken_tunnel_is_not_noticed_by_programs(self):
        self.target()
        self.kubectl("exec", "web", "--", "sh", "-c", "head -c 200000000 /dev/urandom > /big")
        expected = self.kubectl("exec", "web", "--", "sha256sum", "/big").split()[0]
        probe = Probe(self, "job", "web").ready()
        mountpoint = self.mount(probe)
        digest = hashlib.sha256()
        with open(os.path.join(mountpoint, "big"), "rb") as file:
            for block_number in range(1000):
                block = file.read(1 << 20)
                if not block:
                    break
                digest.update(block)
                if block_number % 60 == 30:
                    self.cut(probe)
        self.assertEqual(digest.hexdigest(), expected)

    def cut(self, probe):
        """Kills the kubectl programs that forward ports for this probe."""
        children = subprocess.run(["pgrep", "-P", str(probe.process.pid), "-f", "port-forward"], capture_output=True,
                                  text=True, check=False).stdout.split()
        self.assertTrue(children)
        for pid in children:
            os.kill(int(pid), 9)

    def test_by_exec_where_ports_may_not_be_forwarded(self):
        rules = {name: rule for name, rule in JOB_RULES.items() if name != "portforward"}
        rules["exec"] = agent_modes.EXEC_RULES["exec"]
        probe = Probe(self, "job", self.target(), kubeconfig=self.account(rules)).ready()
        self.assert_reads_nonce(self.mount(probe))

    def test_the_targets_end_is_told(self):
        probe = Probe(self, "job", self.target()).ready()
        mountpoint = self.mount(probe)
        self.assert_reads_nonce(mountpoint)
        self.kubectl("delete", "pod", "web", "--grace-period=1", "--wait=false")
        self.assertIn("gone", probe.wait_for("lost:"))
        with self.assertRaises(OSError):
            self.read(mountpoint, "nonce")

    def test_a_client_that_vanishes_leaves_nothing(self):
        probe = Probe(self, "job", self.target(), "--agent-ttl", "9s").ready()
        self.mount(probe)
        probe.kill()
        self.wait_no_agents()

    def test_an_image_that_is_not_there(self):
        self.target()
        failure = Probe(self, "job", "web", "--agent-pull-policy", "Never", image="mirrorfs-test/none:1").failure()
        self.assertIn("--agent-pull-policy", failure)
        self.wait_no_agents()

    def test_a_socket_that_is_not_there(self):
        self.target()
        failure = Probe(self, "job", "web", "--agent-start-limit", "40s", "--runtime-socket", "/run/none.sock").failure()
        self.assertIn("--agent-pid-from cgroup", failure)
        self.wait_no_agents()

    def test_a_quota_that_is_full(self):
        self.target()
        self.cluster.apply({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "full"},
                            "spec": {"hard": {"pods": "1"}}}, namespace=self.namespace)
        self.wait_for(lambda: self.cluster.get("quota", "full", "-n", self.namespace).get("status", {}).get("used"),
                      "the quota's count")
        failure = Probe(self, "job", "web").failure()
        self.assertIn("exceeded quota", failure)
        self.assertIn("--agent-namespace", failure)


if __name__ == "__main__":
    agent_modes.run_tests()
