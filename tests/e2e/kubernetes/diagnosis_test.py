#!/usr/bin/python3 -B
"""mirrorfs doctor on pods: each mode's rights, images, shells; mirrorfs logs of mounts whose agent is in a pod."""

import json
import os
import subprocess

import agent_modes
from agent_modes import EPHEMERAL_RULES, EXEC_RULES, JOB_RULES, RESOLVE, AgentCase
from cluster import DISTROLESS, NODES, pod


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
        self.assert_says(checks, "--agent shared", "warning", "no shared agents are installed")
        checks = self.doctor("-t", "pod/web", "--agent", "shared", code=6)
        self.assert_says(checks, "agent", "failed", "no shared agents are installed")

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
        checks = self.doctor("-t", f"node/{NODES['node-1']}")
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


class LogsTest(AgentCase):

    def origins(self, *words, **options):
        """{origin: what it has said} of what `mirrorfs logs` shows."""
        result = self.mirrorfs("logs", *words, environment=self.as_user(), **options)
        said = {}
        for line in result.stdout.splitlines():
            _, _, origin, text = line.split(" ", 3)
            said[origin.rstrip(":")] = said.get(origin.rstrip(":"), "") + text + "\n"
        return result, said

    def check_log(self, mode):
        self.target()
        _, mountpoint = self.mount_pod("-v", "--agent", mode)
        result, said = self.origins(mountpoint)
        self.assertEqual(result.stderr, "")
        self.assertEqual(set(said), {"keeper", "daemon", "agent"})
        self.assertIn("ready 127.0.0.1:", said["agent"])
        self.assertIn("a session of mirrorfs", said["agent"])
        self.assertNotIn("CERTIFICATE", said["agent"])
        times = [line.split(" ", 1)[0] for line in result.stdout.splitlines()]
        self.assertEqual(times, sorted(times))
        self.mirrorfs("umount", mountpoint)
        self.wait_no_agents()

    def test_of_a_job(self):
        self.check_log("job")

    def test_of_an_ephemeral_container(self):
        self.check_log("ephemeral")

    def test_what_an_agent_in_the_container_says_comes_through_the_tunnel(self):
        self.target()
        _, mountpoint = self.mount_pod("-v", "--agent", "exec")
        _, said = self.origins(mountpoint)
        self.assertIn("a session of mirrorfs", said["agent"])
        self.mirrorfs("umount", mountpoint)

    def test_a_pod_s_log_is_followed_to_the_end(self):
        self.target()
        _, mountpoint = self.mount_pod("--agent", "job")
        follower = subprocess.Popen([os.path.join(agent_modes.BIN, "mirrorfs"), "logs", "-f", mountpoint], text=True,
                                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                    env=self.as_user())
        self.addCleanup(follower.kill)
        while "agent: " not in follower.stdout.readline():
            self.assertIsNone(follower.poll())
        self.mirrorfs("umount", mountpoint)
        follower.communicate(timeout=agent_modes.LIMIT)
        self.assertEqual(follower.returncode, 0)

    def test_a_log_that_may_not_be_read_is_told(self):
        self.target()
        _, mountpoint = self.mount_pod("--agent", "job")
        environment = {**self.as_user(), "KUBECONFIG": self.account(RESOLVE)}
        # The mount's target names the context that it was made with.
        context = self.state_of(mountpoint)["target"].rsplit("--context ", 1)[1]
        self.cluster.kubectl("config", "rename-context", self.cluster.kubectl("config", "current-context", kubeconfig=environment["KUBECONFIG"]),
                             context, kubeconfig=environment["KUBECONFIG"])
        result = self.mirrorfs("logs", mountpoint, environment=environment)
        self.assertIn("pods/log", result.stderr)
        self.assertIn("keeper: ", result.stdout)
        self.mirrorfs("umount", mountpoint)


if __name__ == "__main__":
    agent_modes.run_tests()
