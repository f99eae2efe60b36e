#!/usr/bin/python3 -B
"""Which mode is chosen by somebody's rights, and the commands about agents: manifest, ls, logs, clean."""

import json

import agent_modes
from agent_modes import EPHEMERAL_RULES, EXEC_RULES, JOB_RULES, AgentCase, Probe
from cluster import pod


class AutoModeTest(AgentCase):
    def agent(self, *words, kubeconfig=None, check=True):
        environment = {**self.cluster.environment(), "MIRRORFS_KUBECTL": self.cluster.kubectl_program,
                       "MIRRORFS_AGENT_IMAGE": self.image}
        return self.mirrorfs("agent", *words, "-n", self.namespace, "--kubeconfig",
                             kubeconfig or self.cluster.kubeconfig, environment=environment, check=check)

    def chosen(self, rules, pod_name="web"):
        """What is printed, and said on stderr, for somebody with these rights."""
        return self.agent("manifest", f"pod/{pod_name}", kubeconfig=self.account(rules), check=False)

    def test_a_job_is_preferred(self):
        self.target()
        result = self.chosen({**EXEC_RULES, **EPHEMERAL_RULES, **JOB_RULES})
        self.assertIn("agent mode job", result.stderr)
        self.assertEqual(json.loads(result.stdout)["kind"], "Job")

    def test_else_an_ephemeral_container(self):
        self.target()
        result = self.chosen({**EXEC_RULES, **EPHEMERAL_RULES})
        self.assertIn("agent mode ephemeral: job is forbidden (create jobs.batch", result.stderr)
        self.assertEqual(json.loads(result.stdout)["targetContainerName"], "app")

    def test_else_exec(self):
        self.target()
        result = self.chosen(EXEC_RULES)
        self.assertIn("agent mode exec", result.stderr)
        self.assertIn("ephemeral is forbidden", result.stderr)

    def test_a_mount_has_what_is_permitted(self):
        self.target()
        result, mountpoint = self.mount_pod(kubeconfig=self.account(EXEC_RULES))
        self.assertIn("agent mode exec: job is forbidden (create jobs.batch", result.stderr)
        self.assert_reads_nonce(mountpoint)
        result, mountpoint = self.mount_pod(kubeconfig=self.account(JOB_RULES))
        self.assertIn("agent mode job (permitted)", result.stderr)
        self.assert_reads_nonce(mountpoint)
        self.mirrorfs("umount", mountpoint)
        result, _ = self.mount_pod("--dry-run", kubeconfig=self.account(JOB_RULES))
        self.assertEqual(json.loads(result.stdout)["kind"], "Job")
        self.wait_no_agents()

    def test_without_an_image_it_is_exec(self):
        self.target()
        rules = {**EXEC_RULES, **EPHEMERAL_RULES, **JOB_RULES}
        result, mountpoint = self.mount_pod(kubeconfig=self.account(rules), MIRRORFS_AGENT_IMAGE="")
        self.assertIn("agent mode exec: job and ephemeral need an image of the agent", result.stderr)
        self.assertIn("--agent-image", result.stderr)
        self.assert_reads_nonce(mountpoint)
        self.assertEqual(self.jobs(), [])

    def test_where_pod_security_forbids_both_it_is_exec(self):
        self.namespace = self.make_namespace(**{"pod-security.kubernetes.io/enforce": "baseline"})
        self.cluster.apply(pod("web", node="node-1"), namespace=self.namespace)
        self.cluster.wait_running("web", namespace=self.namespace)
        result = self.chosen({**EXEC_RULES, **EPHEMERAL_RULES, **JOB_RULES})
        self.assertIn("agent mode exec: job is refused", result.stderr)
        self.assertIn("PodSecurity", result.stderr)

    def test_who_may_nothing_is_told_everything(self):
        self.target()
        result = self.chosen(agent_modes.RESOLVE)
        self.assertEqual(result.returncode, 4)
        for text in ("job is forbidden", "ephemeral is forbidden", "exec is forbidden", "docs/security.md"):
            self.assertIn(text, result.stderr)

    def test_the_server_takes_what_is_printed_and_nothing_is_made(self):
        self.target()
        for flags in ((), ("--rw", "--devices"), ("--agent-privileged", "--agent-pid-from", "cgroup"),
                      ("--agent-label", "a=b", "--agent-toleration", "x=y:NoExecute", "--agent-limit", "memory=256Mi",
                       "--agent-active-deadline", "1h", "--agent-pull-secret", "s", "--agent-ttl", "0")):
            with self.subTest(flags):
                printed = self.agent("manifest", "pod/web", "--agent", "job", *flags).stdout
                self.cluster.kubectl("apply", "--dry-run=server", "-f", "-", input=printed)
        self.assertEqual(self.jobs(), [])

    def test_ls_logs_and_clean(self):
        probe = Probe(self, "job", self.target()).ready()
        listed = json.loads(self.agent("ls", "-o", "json").stdout)
        self.assertEqual([(agent["mode"], agent["state"], agent["target"]) for agent in listed],
                         [("job", "running", f"{self.namespace}/web/app")])
        name = listed[0]["name"]
        self.assertIn(name, self.agent("ls").stdout)
        self.assertIn("BEGIN CERTIFICATE", self.agent("logs", name).stdout)
        self.assertEqual(self.agent("logs", "mirrorfs-agent-none", check=False).returncode, 3)
        self.assertIn("nothing to remove", self.agent("clean").stdout)
        self.assertEqual(self.jobs(), [name])
        self.assertIn(f"removed {self.namespace}/{name}", self.agent("clean", "--all").stdout)
        self.wait_no_agents()
        self.assertIn("the container is there", probe.wait_for("lost:"))

    def test_clean_removes_a_finished_one_whose_pod_was_to_stay(self):
        probe = Probe(self, "job", self.target(), "--agent-ttl", "0").ready()
        probe.end()
        self.wait_for(lambda: "finished" in self.agent("ls").stdout, "the agent's end")
        self.assertIn("removed", self.agent("clean").stdout)
        self.wait_no_agents()


if __name__ == "__main__":
    agent_modes.run_tests()
