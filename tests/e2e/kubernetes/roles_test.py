#!/usr/bin/python3 -B
"""The roles of docs/roles: each is enough for what it is for, and each of its rules is needed. Somebody who lacks one is
told by the command which. (The shared agents' roles: shared_mode_test.py.)"""

import os
import secrets

import agent_modes
from agent_modes import EPHEMERAL_RULES, EXEC_RULES, JOB_RULES, NODE_RULES, WORKLOAD_RULES, AgentCase
from workloads import WorkloadCase, saying, workload

NOT_PERMITTED = 4
# What is said without each of them.
NO_STREAMS = "that takes the right to create pods/portforward, or to create pods/exec, in"
MISSING = {
    "job": (JOB_RULES, {"pods": "may not get pods in", "jobs": "may not create jobs.batch in", "log": "may not get pods/log in",
                        "portforward": NO_STREAMS}),
    "ephemeral": (EPHEMERAL_RULES, {"pods": "may not get pods in", "log": "may not get pods/log in", "portforward": NO_STREAMS,
                                    "ephemeralcontainers": "may not update pods/ephemeralcontainers in"}),
    "exec": (EXEC_RULES, {"pods": "may not get pods in", "exec": "may not create pods/exec in"}),
}
KINDS = {"deployment": "deployments.apps", "statefulset": "statefulsets.apps", "daemonset": "daemonsets.apps",
         "replicaset": "replicasets.apps", "job": "jobs.batch", "cronjob": "cronjobs.batch", "service": "services",
         "rollout": "rollouts.argoproj.io"}


def without(rules, name):
    return {key: rule for key, rule in rules.items() if key != name}


class RolesCase(AgentCase):
    def assert_refused(self, result, text):
        self.assertIn(f"{text} namespace {self.namespace}", result.stderr)
        self.assertEqual(result.returncode, NOT_PERMITTED, result.stderr)


class ModeRolesTest(RolesCase):
    def check(self, mode):
        self.target()
        rules, missing = MISSING[mode]
        self.assertEqual(rules.keys(), missing.keys())
        _, mountpoint = self.mount_pod("--agent", mode, "--rw", kubeconfig=self.account(rules))
        self.assert_reads_nonce(mountpoint)
        with open(os.path.join(mountpoint, "made"), "w", encoding="utf-8") as file:
            file.write(self.nonce)
        self.assertEqual(self.kubectl("exec", "web", "--", "cat", "/made"), self.nonce)
        self.mirrorfs("umount", mountpoint)
        for name, text in missing.items():
            with self.subTest(f"{mode} without {name}"):
                result, mountpoint = self.mount_pod("--agent", mode, check=False, kubeconfig=self.account(without(rules, name)))
                self.assert_refused(result, text)
                self.assertFalse(os.path.ismount(mountpoint))
        self.wait_no_agents()

    def test_job(self):
        self.check("job")

    def test_ephemeral(self):
        self.check("ephemeral")

    def test_exec(self):
        self.check("exec")


class WorkloadRolesTest(RolesCase, WorkloadCase):
    def test_a_deployment_is_mounted_by_each_mode(self):
        self.cluster.apply(workload("Deployment", "web", saying(self.nonce), replicas=1), namespace=self.namespace)
        self.wait_ready("app=web", 1)
        for mode, (rules, _) in MISSING.items():
            with self.subTest(mode):
                mountpoint = os.path.join(self.scratch, mode)
                os.mkdir(mountpoint)
                deployments = {"deployments": WORKLOAD_RULES["deployments"]}
                for granted, code in ((rules, NOT_PERMITTED), ({**rules, **deployments}, 0)):
                    user = self.as_user(self.account(granted))
                    result = self.mirrorfs("mount", "-n", self.namespace, "--agent", mode, "deployment/web", mountpoint,
                                           check=False, environment=user)
                    self.assertEqual(result.returncode, code, result.stderr)
                    self.assertEqual("may not get deployments.apps" in result.stderr, code != 0, result.stderr)
                self.assert_reads_nonce(mountpoint)
                self.mirrorfs("umount", mountpoint)
        self.wait_no_agents()

    def test_every_kind_needs_its_rule(self):
        self.define_rollouts(os.path.join(self.scratch, "cache"))
        nonces = self.start_every_kind(self.nonce)
        self.assertEqual({resource.split(".")[0] for resource in KINDS.values()}, WORKLOAD_RULES.keys())
        everything = self.account({**EXEC_RULES, **WORKLOAD_RULES})
        for target, nonce in nonces.items():
            with self.subTest(target):
                self.assertEqual(self.cat(target, everything).stdout.strip(), nonce)
                resource = KINDS[target.split("/", maxsplit=1)[0]]
                lacking = self.account({**EXEC_RULES, **without(WORKLOAD_RULES, resource.split(".")[0])})
                self.assert_refused(self.cat(target, lacking, check=False), f"may not get {resource} in")
        lacking = self.account({**EXEC_RULES, **without(WORKLOAD_RULES, "jobs")})
        self.assert_refused(self.cat("cronjob/cronjob", lacking, check=False), "may not list jobs.batch in")

    def cat(self, target, kubeconfig, check=True):
        return self.mirrorfs("cat", "--agent", "exec", "-n", self.namespace, f"{target}:/nonce", check=check,
                             environment=self.as_user(kubeconfig))


class NodeRoleTest(RolesCase):
    def test_a_node(self):
        place = f"/run/mirrorfs-e2e-{secrets.token_hex(4)}"
        self.cluster.node_exec("node-1", "sh", "-c", f"echo {self.nonce} > {place}")
        self.addCleanup(self.cluster.node_exec, "node-1", "rm", place)
        user = self.as_user(self.account(JOB_RULES))
        words = ("cat", "--agent", "job", "-n", self.namespace, f"node/node-1:{place}")
        refused = self.mirrorfs(*words, check=False, environment=user)
        self.assertIn("may not get nodes in the whole cluster", refused.stderr)
        self.assertEqual(refused.returncode, NOT_PERMITTED, refused.stderr)
        self.grant_nodes(os.path.basename(user["KUBECONFIG"]).removesuffix(".kubeconfig"))
        self.assertEqual(self.mirrorfs(*words, environment=user).stdout.strip(), self.nonce)
        self.wait_no_agents()

    def grant_nodes(self, account):
        api = "rbac.authorization.k8s.io"
        name = self.namespace  # objects of the whole cluster: of this test alone
        for kind, rest in (("ClusterRole", {"rules": list(NODE_RULES.values())}), ("ClusterRoleBinding", {
                "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": name},
                "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": self.namespace}]})):
            self.cluster.apply({"apiVersion": f"{api}/v1", "kind": kind, "metadata": {"name": name}, **rest})
            self.addCleanup(self.remove, kind, name)


if __name__ == "__main__":
    agent_modes.run_tests()
