#!/usr/bin/python3 -B
"""mirrorfs doctor on pods: each mode's rights, images, shells."""

import json
import os

import agent_modes
from agent_modes import EPHEMERAL_RULES, EXEC_RULES, JOB_RULES, RESOLVE, AgentCase
from cluster import DISTROLESS, pod


class DoctorTest(AgentCase):

    def doctor(self, *words, code=0, rules=None, **variables):
        kubeconfig = None if rules is None else self.account(rules)
        environment = {**self.as_user(kubeconfig), **variables}
        result = self.mirrorfs("doctor", "-o", "json", "-n", self.namespace, *words, check=False, environment=environment)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return {check["check"]: (check["result"], check["text"]) for check in json.loads(result.stdout)}

    def assert_says(self, checks, name, result, text):
        self.assertEqual(checks[name][0], result, checks)
        self.assertIn(text, checks[name][1])

    def test_the_cluster(self):
        checks = self.doctor()
        self.assert_says(checks, "kubectl", "ok", " v1.")
        self.assert_says(checks, "cluster", "ok", "answers")
        self.assert_says(checks, "identity", "ok", "the cluster knows you as")
        self.assert_says(checks, "pods", "ok", self.namespace)

    def test_somebody_with_few_rights(self):
        checks = self.doctor(rules={})
        self.assert_says(checks, "identity", "ok", f"system:serviceaccount:{self.namespace}:user-")
        self.assert_says(checks, "pods", "warning", "you may not get pods and list pods")

    def test_a_target_with_all_rights(self):
        self.target()
        checks = self.doctor("-t", "pod/web", rules={**EXEC_RULES, **EPHEMERAL_RULES, **JOB_RULES})
        for name in ("target", "agent's image", "--agent job", "--agent ephemeral", "--agent exec"):
            self.assertEqual(checks[name][0], "ok", checks)
        self.assert_says(checks, "agent", "ok", "agent mode job")
        self.assertIn("/tmp", checks["--agent exec"][1])
        # Nothing was made, and what has looked for a place in the container has gone.
        self.assertEqual(self.jobs(), [])
        self.assertNotIn("mirrorfs", self.kubectl("exec", "web", "--", "ls", "-a", "/tmp"))
        self.assertNotIn("ephemeralContainers", self.cluster.get("pod/web", "-n", self.namespace)["spec"])

    def test_each_missing_right_is_named(self):
        self.target()
        for mode, rules in (("job", JOB_RULES), ("ephemeral", EPHEMERAL_RULES), ("exec", EXEC_RULES)):
            for name in rules:
                if name in ("pods", "portforward"):  # without it nothing is found; and there is another way
                    continue
                with self.subTest(mode=mode, without=name):
                    left = {**RESOLVE, **{key: rule for key, rule in rules.items() if key != name}}
                    checks = self.doctor("-t", "pod/web", "--agent", mode, rules=left, code=4)
                    self.assert_says(checks, f"--agent {mode}", "warning", "is forbidden")
                    self.assertIn(name.split("/")[-1], checks[f"--agent {mode}"][1])
                    self.assert_says(checks, "agent", "failed", "is forbidden")

    def test_without_an_image(self):
        self.target()
        checks = self.doctor("-t", "pod/web", MIRRORFS_AGENT_IMAGE="")
        self.assert_says(checks, "agent's image", "warning", "--agent-image")
        self.assert_says(checks, "agent", "ok", "agent mode exec")

    def test_an_image_without_a_shell(self):
        self.run_pod("web", DISTROLESS)
        checks = self.doctor("-t", "pod/web")
        self.assert_says(checks, "--agent exec", "warning", "no shell")
        self.assert_says(checks, "agent", "ok", "agent mode job")
        checks = self.doctor("-t", "pod/web", MIRRORFS_AGENT_IMAGE="", code=6)
        self.assert_says(checks, "agent", "failed", "no shell")

    def test_pod_security(self):
        self.namespace = self.make_namespace(**{"pod-security.kubernetes.io/enforce": "baseline"})
        self.cluster.apply(pod("web"), namespace=self.namespace)
        self.cluster.wait_running("web", namespace=self.namespace)
        self.assert_says(self.doctor("-t", "pod/web"), "--agent job", "warning", "PodSecurity")

    def test_a_target_that_cannot_be_mounted(self):
        self.assert_says(self.doctor("-t", "pod/none", code=3), "target", "failed", "none")
        self.cluster.apply(pod("late", "mirrorfs-test/no-such-image:1", container={"imagePullPolicy": "Never"}),
                           namespace=self.namespace)
        self.assertEqual(self.doctor("-t", "pod/late", code=3)["target"][0], "failed")

    def test_a_node(self):
        checks = self.doctor("-t", "node/node-1")
        self.assert_says(checks, "agent", "ok", "agent mode job")
        self.assertNotIn("--agent exec", checks)

    def test_no_cluster_answers(self):
        path = os.path.join(self.scratch, "nowhere")
        with open(self.cluster.kubeconfig, encoding="utf-8") as file:
            text = file.read()
        server = self.cluster.kubectl("config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(server, "https://127.0.0.1:9"))
        checks = self.doctor("--kubeconfig", path)
        self.assertEqual(checks["cluster"][0], "warning")
        checks = self.doctor("-t", "pod/web", "--kubeconfig", path, code=6)
        self.assertEqual(checks["cluster"][0], "failed")


if __name__ == "__main__":
    agent_modes.run_tests()
