#!/usr/bin/python3 -B
"""What can be in the way of a mount, met by the command itself: each is told with its cause and what to do."""

import json
import os

import agent_modes
from agent_modes import AgentCase
from cluster import BUSYBOX, DISTROLESS, pod


class HindrancesTest(AgentCase):
    def refused(self, *words, kubeconfig=None):
        """What `mirrorfs mount pod/web` says, which fails and leaves nothing."""
        result, mountpoint = self.mount_pod(*words, check=False, kubeconfig=kubeconfig)
        self.assertNotEqual(result.returncode, 0, result.stderr)
        self.assertFalse(os.path.ismount(mountpoint))
        self.wait_no_agents()
        return result.stderr

    def with_quota(self):
        self.target()
        self.cluster.apply({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "full"},
                            "spec": {"hard": {"pods": "1"}}}, namespace=self.namespace)
        self.wait_for(lambda: self.cluster.get("quota", "full", "-n", self.namespace).get("status", {}).get("used"),
                      "the quota's count")

    def test_a_quota_that_is_full(self):
        self.with_quota()
        said = self.refused("--agent", "job")
        for text in ("exceeded quota", "--agent-namespace", "--agent exec"):
            self.assertIn(text, said)

    def test_pod_security_forbids_the_agents_pod(self):
        self.namespace = self.make_namespace(**{"pod-security.kubernetes.io/enforce": "baseline"})
        self.target()
        for mode in ("job", "ephemeral"):
            with self.subTest(mode):
                said = self.refused("--agent", mode)
                self.assertIn("PodSecurity", said)
                self.assertIn("--agent exec", said)

    def test_an_admission_policy_refuses_the_job(self):
        self.target()
        name = self.namespace  # objects of the whole cluster: of this test alone
        policy = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
                  "metadata": {"name": name},
                  "spec": {"matchConstraints": {"resourceRules": [{"apiGroups": ["batch"], "apiVersions": ["v1"],
                                                                   "operations": ["CREATE"], "resources": ["jobs"]}]},
                           "validations": [{"expression": "false", "message": f"no jobs here {self.nonce}"}]}}
        binding = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
                   "metadata": {"name": name},
                   "spec": {"policyName": name, "validationActions": ["Deny"], "matchResources": {
                       "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}}}
        for item in (policy, binding):
            self.cluster.apply(item)
            self.addCleanup(self.remove, item["kind"], name)
        probe = json.dumps({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "probe"}, "spec": {
            "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": BUSYBOX}]}}}})
        self.wait_for(lambda: self.cluster.run("create", "-n", name, "--dry-run=server", "-f", "-", input=probe).returncode,
                      "the policy's effect")
        self.assertIn(f"no jobs here {self.nonce}", self.refused("--agent", "job"))

    def test_auto_goes_on_where_the_image_cannot_be_had(self):
        self.target()
        result, mountpoint = self.mount_pod("--agent", "auto", "--agent-image", "mirrorfs-test/none:1",
                                            "--agent-pull-policy", "Never")
        self.assert_reads_nonce(mountpoint)
        self.assertIn("agent mode exec, as job failed", result.stderr)
        self.assertIn("mirrorfs-test/none:1", result.stderr)
        self.assertFalse(self.jobs())

    def test_auto_goes_on_where_the_kubelet_refuses_the_job(self):
        self.target()
        result, mountpoint = self.mount_pod("--agent", "auto", "--runtime-socket", "/run/none.sock")
        self.assert_reads_nonce(mountpoint)
        self.assertIn("agent mode exec, as job failed", result.stderr)
        ran = self.mirrorfs("exec", "-n", self.namespace, "--target", "pod/web", "--agent-image", "mirrorfs-test/none:1",
                            "--agent-pull-policy", "Never", "--", "cat", "/nonce", environment=self.as_user())
        self.assertEqual(ran.stdout.strip(), self.nonce)
        self.assertIn("agent mode exec, as job failed", ran.stderr)

    def test_where_exec_is_impossible_too_both_reasons_are_told(self):
        self.run_pod("web", DISTROLESS)
        said = self.refused("--agent", "auto", "--agent-image", "mirrorfs-test/none:1", "--agent-pull-policy", "Never")
        self.assertIn("mirrorfs-test/none:1", said)
        self.assertIn("shell", said)

    def test_distroless_by_exec(self):
        self.run_pod("web", DISTROLESS)
        self.assertIn("shell", self.refused("--agent", "exec"))

    def test_pods_that_do_not_run(self):
        crash = pod("crash", container={"command": ["sh", "-c", "exit 3"]})
        done = pod("done", container={"command": ["true"]}, restartPolicy="Never")
        waits = pod("waits", nodeSelector={"kubernetes.io/hostname": "no-such-node"})
        image = pod("image", "mirrorfs-test/none:1", container={"imagePullPolicy": "Never"})
        self.cluster.apply(crash, done, waits, image, namespace=self.namespace)
        for name, reason in (("crash", "CrashLoopBackOff"), ("done", "Completed"), ("image", "ErrImageNeverPull")):
            self.wait_for(lambda name=name, reason=reason: reason in self.kubectl("get", "pod", name), f"{name} to be {reason}")
        for name, texts in (("crash", ("crash", "logs")), ("done", ("finished",)), ("waits", ("pending",)),
                            ("image", ("mirrorfs-test/none:1",))):
            for mode in ("job", "exec"):
                with self.subTest(f"{name} by {mode}"):
                    mountpoint = os.path.join(self.scratch, f"mnt-{name}-{mode}")
                    os.mkdir(mountpoint)
                    result = self.mirrorfs("mount", "--agent", mode, "-n", self.namespace, f"pod/{name}", mountpoint, check=False,
                                           environment=self.as_user())
                    self.assertEqual(result.returncode, 3, result.stderr)
                    for text in texts:
                        self.assertIn(text, result.stderr)
                    self.assertFalse(os.path.ismount(mountpoint))
        self.wait_no_agents()


if __name__ == "__main__":
    agent_modes.run_tests()
