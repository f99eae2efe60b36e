#!/usr/bin/python3 -B
"""What the agent's pod may be told to be, and where: on real nodes, not by its manifest only."""

import json
import os
import secrets
import shutil
import subprocess

import access
import agent_modes
from agent_modes import BIN, JOB_RULES, AgentCase
from cluster import BUSYBOX, DISTROLESS, pod


class NamespaceTest(AgentCase):
    def test_a_job_in_a_namespace_of_its_own(self):
        """Where the target's namespace forbids what it needs; and the rights that it takes in both."""
        self.namespace = self.make_namespace(**{"pod-security.kubernetes.io/enforce": "baseline"})
        agents = self.make_namespace()
        self.target()
        name = "user-" + secrets.token_hex(3)
        user = access.service_account_kubeconfig(self.cluster, self.namespace, name, [JOB_RULES["pods"]], self.scratch)
        access.grant(self.cluster, agents, name, list(JOB_RULES.values()),
                     {"kind": "ServiceAccount", "name": name, "namespace": self.namespace})
        result, mountpoint = self.mount_pod("--agent", "job", "--agent-namespace", agents, "--rw", kubeconfig=user)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assert_reads_nonce(mountpoint)
        self.assertEqual(self.jobs(), [])
        self.assertEqual(len(self.cluster.get("jobs", "-n", agents)["items"]), 1)
        self.mirrorfs("umount", mountpoint)
        self.namespace = agents
        self.wait_no_agents()


class SettingsTest(AgentCase):
    WORDS = ("--agent-label", "team=a", "--agent-annotation", "note=b", "--agent-request", "cpu=10m", "--agent-limit",
             "memory=300Mi", "--agent-toleration", "kept-for=tests:NoSchedule", "--agent-service-account", "runs-agents",
             "--agent-active-deadline", "1h", "--agent-pull-secret", "registry", "--agent-ttl", "45s", "--agent-port", "7555")

    def taint(self):
        self.cluster.kubectl("taint", "node", "node-2", "kept-for=tests:NoSchedule")
        self.addCleanup(self.cluster.kubectl, "taint", "node", "node-2", "kept-for-")

    def priority_class(self):
        name = f"mirrorfs-e2e-{secrets.token_hex(4)}"
        self.cluster.apply({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name}, "value": 7})
        self.addCleanup(self.remove, "priorityclass", name)
        return name

    def test_all_of_them_at_once_on_a_node_that_is_kept_for_others(self):
        self.target(tolerations=[{"operator": "Exists"}])
        self.taint()
        self.cluster.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "runs-agents"}},
                           namespace=self.namespace)
        priority = self.priority_class()
        _, mountpoint = self.mount_pod("--agent", "job", *self.WORDS, "--agent-priority-class", priority)
        self.assert_reads_nonce(mountpoint)
        agent = self.agent_pod()
        spec = agent["spec"]
        self.assertEqual((agent["metadata"]["labels"]["team"], agent["metadata"]["annotations"]["note"]), ("a", "b"))
        self.assertEqual(agent["metadata"]["annotations"]["linkerd.io/inject"], "disabled")
        self.assertEqual(spec["containers"][0]["resources"],
                         {"limits": {"memory": "300Mi"}, "requests": {"cpu": "10m", "memory": "300Mi"}})
        self.assertIn({"key": "kept-for", "operator": "Equal", "value": "tests", "effect": "NoSchedule"}, spec["tolerations"])
        self.assertEqual((spec["serviceAccountName"], spec["priorityClassName"]), ("runs-agents", priority))
        self.assertIs(spec["automountServiceAccountToken"], False)
        self.assertEqual(spec["imagePullSecrets"], [{"name": "registry"}])
        job = self.cluster.get("jobs", "-n", self.namespace)["items"][0]
        self.assertEqual(job["spec"]["activeDeadlineSeconds"], 3600)
        self.mirrorfs("umount", mountpoint)
        self.wait_no_agents()

    def test_privileged_if_asked(self):
        self.target()
        _, mountpoint = self.mount_pod("--agent", "job", "--agent-privileged")
        self.assert_reads_nonce(mountpoint)
        self.assertIs(self.agent_pod()["spec"]["containers"][0]["securityContext"]["privileged"], True)

    def test_a_settings_file_says_it(self):
        self.target()
        os.mkdir(os.path.join(self.scratch, "mirrorfs"))
        with open(os.path.join(self.scratch, "mirrorfs/config.yaml"), "w", encoding="utf-8") as file:
            json.dump({"agent": {"mode": "job", "image": self.image, "label": ["team=file"], "ttl": "20s"},
                       "cluster": {"namespace": self.namespace}}, file)
        environment = {**self.as_user(), "XDG_CONFIG_HOME": self.scratch, "MIRRORFS_AGENT_IMAGE": ""}
        mountpoint = os.path.join(self.scratch, "mnt")
        os.mkdir(mountpoint)
        self.addCleanup(self.mirrorfs, "umount", "--lazy", mountpoint, check=False)
        self.mirrorfs("mount", "pod/web", mountpoint, environment=environment)
        self.assert_reads_nonce(mountpoint)
        self.assertEqual(self.agent_pod()["metadata"]["labels"]["team"], "file")
        self.mirrorfs("umount", mountpoint)
        self.wait_no_agents()
        read = self.mirrorfs("cat", "pod/web:/nonce", environment=environment)
        self.assertEqual(read.stdout.strip(), self.nonce)

    def test_whoever_installed_mirrorfs_names_the_image(self):
        self.target()
        installed = os.path.join(self.scratch, "bin")
        os.mkdir(installed)
        for program in ("mirrorfs", "mirrorfsd", "mirrorfs-agent"):
            shutil.copy(os.path.join(BIN, program), installed)
        with open(os.path.join(installed, "mirrorfs-agent-image.ref"), "w", encoding="utf-8") as file:
            file.write(self.image + "\n")
        result = subprocess.run([os.path.join(installed, "mirrorfs"), "cat", "-n", self.namespace, "pod/web:/nonce"], check=False,
                                capture_output=True, text=True, timeout=120,
                                env={**os.environ, **self.as_user(), "MIRRORFS_AGENT_IMAGE": ""})
        self.assertEqual(result.stdout.strip(), self.nonce, result.stderr)
        self.assertIn("agent mode job", result.stderr)
        self.wait_no_agents()

    def test_an_agent_whose_time_is_over_is_followed_by_another(self):
        self.target()
        _, mountpoint = self.mount_pod("--agent", "job", "--agent-active-deadline", "15s", "--deadline", "60s")
        with open(os.path.join(mountpoint, "nonce"), encoding="utf-8") as file:
            before = self.jobs()
            self.wait_for(lambda: self.jobs() and self.jobs() != before, "another agent")
            self.assertEqual(file.read().strip(), self.nonce)

    def test_a_pod_that_is_kept_has_its_log(self):
        self.target()
        _, mountpoint = self.mount_pod("--agent", "job", "--agent-ttl", "0")
        name = self.jobs()[0]
        self.mirrorfs("umount", mountpoint)
        environment = self.as_user()
        listed = lambda: json.loads(self.mirrorfs("agent", "ls", "-n", self.namespace, "-o", "json", environment=environment).stdout)
        self.wait_for(lambda: [agent["state"] for agent in listed()] == ["finished"], "the agent's end")
        self.assertIn("BEGIN CERTIFICATE", self.mirrorfs("agent", "logs", "-f", name, "-n", self.namespace,
                                                         environment=environment).stdout)
        self.mirrorfs("agent", "clean", "-n", self.namespace, environment=environment)
        self.wait_no_agents()


class ListTest(AgentCase):
    def test_agents_of_all_namespaces_and_no_job_of_others(self):
        first = self.namespace
        second = self.make_namespace()
        names = {}
        for namespace in (first, second):
            self.namespace = namespace
            self.target()
            self.mount_pod("--agent", "job")
            names[namespace] = self.jobs()[0]
        foreign = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "mirrorfs-agent-not-ours"}, "spec": {
            "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": BUSYBOX, "command": ["true"]}]}}}}
        self.cluster.apply(foreign, namespace=second)
        listed = self.mirrorfs("agent", "ls", "-A", "-o", "json", environment=self.as_user()).stdout
        ours = {agent["namespace"]: agent["name"] for agent in json.loads(listed) if agent["namespace"] in names}
        self.assertEqual(ours, names)
        self.kubectl("wait", "--for=condition=Complete", "job/mirrorfs-agent-not-ours", "--timeout=60s")
        self.mirrorfs("agent", "clean", "-A", environment=self.as_user())
        self.assertIn("mirrorfs-agent-not-ours", self.jobs())
        self.assertIn(names[second], self.jobs())

    def test_an_ephemeral_container_as_the_target(self):
        """One that runs is mounted, one that has finished is told of."""
        self.run_pod("web", node="node-1")
        for name, command in (("runs", ["sleep", "10000"]), ("done", ["true"])):
            self.kubectl("debug", "web", f"--image={BUSYBOX}", f"--container={name}", "--profile=general", "--", *command)
        state = "-o=jsonpath={.status.ephemeralContainerStatuses[*].state}"
        self.wait_for(lambda: all(word in self.kubectl("get", "pod", "web", state) for word in ("running", "terminated")),
                      "both containers")
        self.kubectl("exec", "web", "-c", "runs", "--", "sh", "-c", f"echo {self.nonce} > /nonce")
        _, mountpoint = self.mount_pod("--agent", "job", "-c", "runs")
        self.assert_reads_nonce(mountpoint)
        result, _ = self.mount_pod("--agent", "job", "-c", "done", check=False)
        self.assertEqual(result.returncode, 3)
        self.assertIn("ephemeral container done has finished", result.stderr)


class NoToolsTest(AgentCase):
    """Files are copied from an image that has nothing for it, and from one without tar."""

    def test_copied_from_a_distroless_image(self):
        volume = {"volumes": [{"name": "v", "emptyDir": {}}],
                  "initContainers": [{"name": "writes", "image": BUSYBOX, "command": ["sh", "-c", f"echo {self.nonce} > /v/nonce"],
                                      "volumeMounts": [{"name": "v", "mountPath": "/v"}]}]}
        self.cluster.apply(pod("bare", DISTROLESS, node="node-1",
                               container={"volumeMounts": [{"name": "v", "mountPath": "/v"}]}, **volume), namespace=self.namespace)
        self.cluster.wait_running("bare", namespace=self.namespace)
        for mode in ("job", "ephemeral"):
            with self.subTest(mode):
                words = ("--agent", mode, "-n", self.namespace)
                read = self.mirrorfs("cat", *words, "pod/bare:/v/nonce", environment=self.as_user())
                self.assertEqual(read.stdout.strip(), self.nonce)
                here = os.path.join(self.scratch, "copied-" + mode)
                self.mirrorfs("cp", *words, "pod/bare:/v/.", here, environment=self.as_user())
                self.assertEqual(self.read(here, "nonce"), self.nonce)

    def test_copied_by_exec_where_there_is_no_tar(self):
        self.target()
        self.kubectl("exec", "web", "--", "sh", "-c", "for tar in $(which -a tar); do rm $tar; done; ! which tar")
        here = os.path.join(self.scratch, "copied")
        self.mirrorfs("cp", "--agent", "exec", "-n", self.namespace, "pod/web:/nonce", here, environment=self.as_user())
        self.assertEqual(self.read(here), self.nonce)


if __name__ == "__main__":
    agent_modes.run_tests()
