#!/usr/bin/python3 -B
"""What can be in the way of a mount, met by the command itself: each is told with its cause and what to do."""

import errno
import json
import os
import secrets
import subprocess

import agent_modes
from agent_modes import BIN, AgentCase
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

    def test_auto_goes_on_where_a_quota_is_full(self):
        self.with_quota()
        result, mountpoint = self.mount_pod("--agent", "auto")
        self.assert_reads_nonce(mountpoint)
        self.assertIn("exceeded quota", result.stderr)
        self.assertIn("agent mode exec", result.stderr)

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
        said = self.refused("--agent", "job")
        self.assertIn(f"no jobs here {self.nonce}", said)
        self.assertIn("--agent exec", said)

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
        said = self.refused("--agent", "exec")
        self.assertIn("shell", said)
        self.assertIn("--agent job", said)

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


class ImagesTest(AgentCase):
    """Agents' images that are not the right ones."""

    def changed_image(self, change):
        """The name of an image whose agent is ours with its bytes changed, on node-2."""
        place = os.path.join(self.scratch, "mirrorfs-agent")
        with open(os.path.join(BIN, "mirrorfs-agent"), "rb") as file:
            changed = change(file.read())
        with open(place, "wb") as file:
            file.write(changed)
        archive = os.path.join(self.scratch, "image.tar")
        name = f"mirrorfs-test/changed-{secrets.token_hex(4)}:1"
        pack = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../../agent/image/pack_image.py")
        subprocess.run([pack, "--name", name, "--file", f"{place}=/mirrorfs-agent", "--entrypoint", "/mirrorfs-agent",
                        "--output", archive], check=True)
        found = self.cluster.load_image("node-2", archive)
        self.addCleanup(self.cluster.node_exec, "node-2", "ctr", "-n", "k8s.io", "images", "rm", f"docker.io/{name}", found)
        return found

    def refused(self, mode, image):
        result, mountpoint = self.mount_pod("--agent", mode, "--agent-image", image, check=False)
        self.assertNotEqual(result.returncode, 0)
        self.assertFalse(os.path.ismount(mountpoint))
        self.wait_no_agents()
        return result.stderr

    def test_for_another_architecture(self):
        self.target()
        aarch64 = (183).to_bytes(2, "little")
        image = self.changed_image(lambda agent: agent[:18] + aarch64 + agent[20:])
        for mode in ("job", "ephemeral"):
            with self.subTest(mode):
                said = self.refused(mode, image)
                self.assertIn("another architecture than that of node node-2", said)
                self.assertIn("--agent-image", said)

    def test_of_another_version(self):
        self.target()
        own = self.mirrorfs("version").stdout.split()[1].encode()
        other = own[:-1] + (b"9" if own[-1:] != b"9" else b"8")
        image = self.changed_image(lambda agent: agent.replace(own + b"\0", other + b"\0"))
        for mode in ("job", "ephemeral"):
            with self.subTest(mode):
                said = self.refused(mode, image)
                self.assertIn(f"has version {other.decode()}", said)
                self.assertIn("--agent-image", said)

    def test_that_no_registry_has(self):
        """As ErrImagePull and ImagePullBackOff tell: of the agent, and of a target."""
        self.target()
        image = "127.0.0.1:9/mirrorfs-test/none:1"
        said = self.refused("job", image)
        self.assertIn(image, said)
        self.assertIn("--agent-image", said)
        self.cluster.apply(pod("waits", image, container={"imagePullPolicy": "IfNotPresent"}), namespace=self.namespace)
        self.wait_for(lambda: "ImagePull" in self.kubectl("get", "pod", "waits"), "the image's failure")
        mountpoint = os.path.join(self.scratch, "mnt-waits")
        os.mkdir(mountpoint)
        result = self.mirrorfs("mount", "--agent", "job", "-n", self.namespace, "pod/waits", mountpoint, check=False,
                               environment=self.as_user())
        self.assertEqual(result.returncode, 3, result.stderr)
        self.assertIn(image, result.stderr)
        self.assertIn("describe pod waits", result.stderr)


class UserNamespaceTest(AgentCase):
    """A target whose process is in a user namespace of its own, where only one id has a meaning."""

    def test_ids_without_a_meaning_there_are_nobodys(self):
        script = ("echo theirs > /theirs; chown 1000:1000 /theirs; chmod 644 /theirs; "
                  "exec unshare --user --map-root-user sleep 1000000")
        self.target(container={"command": ["sh", "-c", script]})
        for mode in ("job", "ephemeral"):
            with self.subTest(mode):
                _, mountpoint = self.mount_pod("--agent", mode, "--rw")
                self.assert_reads_nonce(mountpoint)
                self.assertEqual(os.stat(os.path.join(mountpoint, "nonce")).st_uid, 0)
                theirs = os.stat(os.path.join(mountpoint, "theirs"))
                self.assertEqual((theirs.st_uid, theirs.st_gid), (65534, 65534))
                made = os.path.join(mountpoint, "made-" + mode)
                with open(made, "w", encoding="utf-8") as file:
                    file.write(self.nonce)
                self.assertEqual(self.kubectl("exec", "web", "--", "stat", "-c", "%u", "/made-" + mode), "0")
                with self.assertRaises(OSError) as caught:
                    os.chown(made, 1000, 1000)
                self.assertIn(caught.exception.errno, (errno.EINVAL, errno.EPERM))
                self.mirrorfs("umount", mountpoint)


class FakeNodesTest(AgentCase):
    """Nodes that are objects only: what cannot be reached or mounted is told before anything is made."""

    def node(self, system, ready):
        name = f"mirrorfs-e2e-{secrets.token_hex(4)}"
        self.cluster.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}})
        self.addCleanup(self.remove, "node", name)
        status = {"status": {"nodeInfo": {"operatingSystem": system, "architecture": "amd64", "bootID": "", "containerRuntimeVersion": "",
                                          "kernelVersion": "", "kubeProxyVersion": "", "kubeletVersion": "", "machineID": "",
                                          "osImage": "", "systemUUID": ""},
                             "conditions": [{"type": "Ready", "status": "True" if ready else "Unknown"}]}}
        self.cluster.kubectl("patch", "node", name, "--subresource=status", "--type=merge", "-p", json.dumps(status))
        return name

    def refused(self, name):
        mountpoint = os.path.join(self.scratch, "mnt-" + name)
        os.mkdir(mountpoint)
        result = self.mirrorfs("mount", "--agent", "job", "-n", self.namespace, f"node/{name}", mountpoint, check=False,
                               environment=self.as_user())
        self.assertFalse(self.jobs())
        return result

    def test_windows(self):
        result = self.refused(self.node("windows", True))
        self.assertEqual(result.returncode, 3)
        self.assertIn("runs Windows", result.stderr)

    def test_not_ready(self):
        name = self.node("linux", False)
        result = self.refused(name)
        self.assertEqual(result.returncode, 6)
        self.assertIn(f"describe node {name}", result.stderr)


if __name__ == "__main__":
    agent_modes.run_tests()
