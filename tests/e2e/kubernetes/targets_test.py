#!/usr/bin/python3 -B
"""What the command makes of targets in a real cluster: which container it takes, what it lists, what it says is wrong.

usage: targets_test.py MIRRORFS [unittest's arguments]
"""

import json
import os
import secrets
import subprocess
import sys
import tempfile

import cluster as clusters
import suite
from cluster import BUSYBOX, ClusterCase, pod
from workloads import SLEEP, WorkloadCase, workload

MIRRORFS = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else "mirrorfs"

USAGE, NO_TARGET, NOT_PERMITTED, UNREACHABLE = 2, 3, 4, 6


class TargetCase(ClusterCase, WorkloadCase):

    def setUp(self):
        super().setUp()
        place = tempfile.TemporaryDirectory(prefix="mirrorfs-targets-")
        self.addCleanup(place.cleanup)
        self.place = place.name

    def run_it(self, *words, kubeconfig=None, program=MIRRORFS, **environment):
        environment = {**self.cluster.environment(), "KUBECONFIG": kubeconfig or self.cluster.kubeconfig, "LC_ALL": "C",
                       "MIRRORFS_KUBECTL": self.cluster.kubectl_program, "HOME": self.place, **environment}
        return subprocess.run([program, *words], capture_output=True, text=True, cwd=self.place, check=False,
                              timeout=clusters.LIMIT, env=environment, stdin=subprocess.DEVNULL)

    def ls(self, *words, **options):
        result = self.run_it("ls", "-n", self.namespace, *words, **options)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def lookup(self, *words, **options):
        """Looks a target up, and goes no further: there is no daemon to mount it with."""
        return self.run_it("mount", "--agent", "exec", *words, "-n", self.namespace, os.path.join(self.place, "mnt"), "--mkdir",
                           "--mirrorfsd", "/nonexistent/mirrorfsd", **options)

    def finds(self, said, *words):
        result = self.lookup(*words)
        self.assertIn(said, result.stderr)
        return result.stderr

    def fails(self, code, *parts, words, **options):
        """One message, with the cause and the next command."""
        result = self.lookup(*words, **options)
        for part in parts:
            self.assertIn(part, result.stderr)
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.place, "mnt")), "something was made for nothing")

    def apply(self, *objects):
        self.cluster.apply(*objects, namespace=self.namespace)

    def pods(self, selector):
        return self.cluster.get("pods", "-n", self.namespace, "-l", selector)["items"]

    def wait_container(self, name, reason):
        def is_so():
            statuses = self.cluster.get("pod", name, "-n", self.namespace)["status"].get("containerStatuses", [])
            return any(state.get("reason") in reason for status in statuses for state in status["state"].values())
        self.wait_for(is_so, f"{reason} of {name}")


class Kinds(TargetCase):

    def test_every_kind_comes_down_to_a_container_and_is_read(self):
        self.define_rollouts(os.path.join(self.place, "cache"))
        nonces = self.start_every_kind(secrets.token_hex(16))
        newest = max(self.pods("app=deployment"), key=lambda item: (item["metadata"]["creationTimestamp"],
                                                                    [-ord(c) for c in item["metadata"]["name"]]))
        name = newest["metadata"]["name"]
        for words in (["deployment/deployment"], ["deploy/deployment", "-c", "app"], ["deployments/deployment/container/app"]):
            self.finds(f"pod/{name} (the newest of 2 ready, 2 in all, of deployment/deployment), container app", *words)
        self.finds(f"pod/{name} (the newest of 2 ready, 2 in all, of service/service)", "svc/service")
        self.finds(f"pod/{name} (the newest of 2 ready, 2 in all, of -l app=deployment)", "-l", "app=deployment")
        self.finds(f"pod/{name} (ready), container app", f"pod/{name}")
        self.finds("pod/statefulset-0 (ready, the only one of statefulset/statefulset)", "sts/statefulset")
        self.finds("of daemonset/daemonset)", "ds/daemonset")
        for short, kind in (("rs", "replicaset"), ("job", "job"), ("cj", "cronjob"), ("ro", "rollout")):
            self.finds(f"the only one of {kind}/{kind}", f"{short}/{kind}")
        node = newest["spec"]["nodeName"]
        self.finds(f"node/{node} (ready), its own root", f"node/{node}")
        for target, nonce in [*nonces.items(), (f"pod/{name}", nonces["deployment/deployment"])]:
            with self.subTest(target):
                read = self.run_it("cat", "--agent", "exec", "-n", self.namespace, f"{target}:/nonce")
                self.assertEqual((read.returncode, read.stdout), (0, nonce + "\n"), read.stderr)

    def test_a_pod_that_is_being_replaced_is_not_taken(self):
        self.apply(workload("Deployment", "web", replicas=1))
        self.wait_ready("app=web", 1)
        old = self.pods("app=web")[0]["metadata"]["name"]
        self.kubectl("patch", "deployment", "web", "-p",
                     json.dumps({"spec": {"template": {"metadata": {"annotations": {"version": "2"}}}}}))
        self.kubectl("rollout", "status", "deployment/web")
        self.assertNotIn(old, self.finds("of deployment/web", "deployment/web"))

    def test_sidecars_are_passed_over_and_the_annotation_counts(self):
        both = {"containers": [{"name": each, "image": BUSYBOX, "command": SLEEP} for each in ("istio-proxy", "app")]}
        two = {"containers": [{"name": each, "image": BUSYBOX, "command": SLEEP} for each in ("app", "worker")]}
        marked = pod("marked", **two)
        marked["metadata"]["annotations"] = {"kubectl.kubernetes.io/default-container": "worker"}
        self.apply(pod("mesh", **both), pod("two", **two), marked)
        self.cluster.wait_running("mesh", "two", "marked", namespace=self.namespace)
        self.finds("container app (istio-proxy passed over)", "pod/mesh")
        self.finds("container istio-proxy", "pod/mesh", "-c", "istio-proxy")
        self.finds("container worker", "pod/marked")
        self.fails(NO_TARGET, "pod/two has 2 containers: app, worker. Say which, for example -c app.", words=["pod/two"])
        self.fails(NO_TARGET, "no container wroker; did you mean worker?", words=["pod/two", "-c", "wroker"])


class BadTargets(TargetCase):

    def test_names_that_are_not_there(self):
        self.run_pod("web-0")
        self.fails(NO_TARGET, "there is no pod web-1", "did you mean pod/web-0?", words=["pod/web-1"])
        self.fails(NO_TARGET, "there is no deployment web", "mirrorfs ls deployment", words=["deployment/web"])
        self.fails(NO_TARGET, "no pod", "-l app=none", "--show-labels", words=["-l", "app=none"])
        self.fails(NO_TARGET, "rollouts", "Argo Rollouts", words=["rollout/web"])
        self.fails(NO_TARGET, "there is no node node-x", words=["node/node-x"])
        missing = self.run_it("mount", "pod/web-0", "-n", self.namespace + "x", "/mnt")
        self.assertIn(f"there is no namespace {self.namespace}x; did you mean {self.namespace}?", missing.stderr)
        self.assertEqual(missing.returncode, NO_TARGET)

    def test_pods_that_do_not_run(self):
        self.apply(pod("big", container={"resources": {"requests": {"memory": "900Ti"}}}),
                   pod("crash", container={"command": ["sh", "-c", "exit 7"]}),
                   pod("done", container={"command": ["true"]}, restartPolicy="Never"),
                   pod("image", image="mirrorfs-test/nothing:1", container={"imagePullPolicy": "Never"}),
                   pod("config", container={"envFrom": [{"configMapRef": {"name": "absent"}}]}),
                   pod("volume", volumes=[{"name": "v", "secret": {"secretName": "absent"}}],
                       container={"volumeMounts": [{"name": "v", "mountPath": "/v"}]}),
                   pod("init", initContainers=[{"name": "first", "image": BUSYBOX, "command": ["true"]}],
                       container={"command": SLEEP}))
        self.wait_container("crash", ["CrashLoopBackOff"])
        self.wait_container("done", ["Completed"])
        self.wait_container("image", ["ErrImageNeverPull"])
        self.wait_container("config", ["CreateContainerConfigError"])
        self.wait_for(lambda: "absent" in self.kubectl("get", "events", "--field-selector", "involvedObject.name=volume"),
                      "a warning about the volume")
        self.cluster.wait_running("init", namespace=self.namespace)
        self.fails(NO_TARGET, "pod/big is pending", "Insufficient memory", "describe pod big", words=["pod/big"])
        self.fails(NO_TARGET, "crashes again and again", "exit code 7", "logs crash -c app --previous",
                   words=["pod/crash"])
        self.fails(NO_TARGET, "has finished (Completed, exit code 0)", "logs done -c app", words=["pod/done"])
        self.fails(NO_TARGET, "the image mirrorfs-test/nothing:1 of container app cannot be had", words=["pod/image"])
        self.fails(NO_TARGET, "CreateContainerConfigError", "absent", words=["pod/config"])
        self.fails(NO_TARGET, "has not started yet", "absent", "describe pod volume", words=["pod/volume"])
        self.fails(NO_TARGET, "init container first has finished", "Containers that run: app",
                   words=["pod/init", "-c", "first"])

    def test_workloads_without_pods(self):
        quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"},
                 "spec": {"hard": {"pods": "0"}}}
        self.apply(workload("Deployment", "zero", replicas=0), quota,
                   {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "elsewhere"},
                    "spec": {"type": "ExternalName", "externalName": "example.org"}})
        self.apply(workload("ReplicaSet", "refused", replicas=1))
        self.wait_for(lambda: "ReplicaFailure" in self.kubectl("get", "rs", "refused", "-o", "json"), "the quota's refusal")
        self.fails(NO_TARGET, "deployment/zero has no pods: it is scaled to 0", "--replicas=1",
                   words=["deployment/zero"])
        self.fails(NO_TARGET, "replicaset/refused has no pods", "exceeded quota", words=["rs/refused"])
        self.fails(NO_TARGET, "service/elsewhere selects no pods", "ExternalName", words=["svc/elsewhere"])

    def test_a_pod_that_is_being_deleted(self):
        stubborn = pod("stubborn", container={"command": ["sh", "-c", "trap '' TERM; while true; do sleep 1; done"]})
        stubborn["spec"]["terminationGracePeriodSeconds"] = 30
        self.apply(stubborn)
        self.cluster.wait_running("stubborn", namespace=self.namespace)
        self.kubectl("delete", "pod", "stubborn", "--wait=false")
        self.fails(NO_TARGET, "pod/stubborn is being deleted", "get pods", words=["pod/stubborn"])
        self.kubectl("delete", "pod", "stubborn", "--grace-period=0", "--force")

    def test_a_windows_pod(self):
        self.apply(pod("panes", os={"name": "windows"}))
        self.fails(NO_TARGET, "Windows pod", words=["pod/panes"])


class BadClusters(TargetCase):

    def config(self, **changes):
        """A kubeconfig like the cluster's own, with other facts of user or cluster."""
        view = json.loads(self.cluster.kubectl("config", "view", "--raw", "-o", "json"))
        view["clusters"][0]["cluster"].update(changes.get("cluster", {}))
        if "user" in changes:
            view["users"][0]["user"] = changes["user"]
        path = os.path.join(self.place, "config")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(view, file)
        return path

    def test_no_kubectl(self):
        self.fails(UNREACHABLE, "there is no kubectl in $PATH", "MIRRORFS_KUBECTL=", words=["pod/x"],
                   MIRRORFS_KUBECTL="", PATH="/nonexistent")
        self.fails(UNREACHABLE, "MIRRORFS_KUBECTL is /nonexistent/kubectl", words=["pod/x"],
                   MIRRORFS_KUBECTL="/nonexistent/kubectl")

    def test_a_kubectl_that_is_too_old(self):
        old = os.path.join(self.place, "kubectl")
        with open(old, "w", encoding="utf-8") as file:
            file.write('#!/bin/sh\ncase "$*" in *version*) echo \'{"clientVersion": {"gitVersion": "v1.18.3"}}\';;\n'
                       '*) echo "Error: unknown flag: --new" >&2; exit 1;; esac\n')
        os.chmod(old, 0o755)
        self.fails(UNREACHABLE, "is version 1.18.3", "1.27 or newer", words=["pod/x"], MIRRORFS_KUBECTL=old)

    def test_no_cluster(self):
        self.fails(UNREACHABLE, "no context is chosen", "use-context", words=["pod/x"], kubeconfig="/nonexistent")
        self.fails(USAGE, "--kubeconfig /nonexistent", words=["pod/x", "--kubeconfig", "/nonexistent"])
        refused = self.config(cluster={"server": "https://127.0.0.1:1"})
        self.fails(UNREACHABLE, "127.0.0.1:1", "cannot be reached", "cluster-info", words=["pod/x"], kubeconfig=refused)
        broken = os.path.join(self.place, "broken")
        with open(broken, "w", encoding="utf-8") as file:
            file.write("a: b: c\n")
        self.fails(USAGE, "kubeconfig", "cannot be used", words=["pod/x"], kubeconfig=broken)

    def test_an_unknown_context(self):
        context = self.cluster.kubectl("config", "current-context")
        self.fails(USAGE, "there is no such context", f"did you mean {context}?",
                   words=["pod/x", "--context", context + "x"])

    def test_an_expired_login(self):
        expired = self.config(user={"token": "expired"})
        self.fails(NOT_PERMITTED, "does not accept your login", "auth whoami", words=["pod/x"], kubeconfig=expired)
        plugin = self.config(user={"exec": {"apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never",
                                            "command": "no-such-login-plugin"}})
        self.fails(NOT_PERMITTED, "no-such-login-plugin", words=["pod/x"], kubeconfig=plugin)

    def test_somebody_who_may_not(self):
        self.run_pod("web-0")
        self.fails(NOT_PERMITTED, f"you (jane) may not get pods in namespace {self.namespace}", 'verb "get" on "pods"',
                   "auth can-i --list", words=["pod/web-0", "--kube-as", "jane"])
        self.fails(NOT_PERMITTED, "may not get deployments.apps", words=["deployment/web", "--kube-as", "jane"])

    def test_pods_are_enough_for_pods(self):
        """A Role with nothing but pods: nodes and other kinds may not be looked at, and need not be."""
        self.run_pod("web-0")
        self.apply({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "pods"},
                    "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]},
                   {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "pods"},
                    "subjects": [{"kind": "User", "name": "joe", "apiGroup": "rbac.authorization.k8s.io"}],
                    "roleRef": {"kind": "Role", "name": "pods", "apiGroup": "rbac.authorization.k8s.io"}})
        self.finds("pod/web-0 (ready), container app", "pod/web-0", "--kube-as", "joe")
        listed = self.run_it("ls", "-n", self.namespace, "--kube-as", "joe")
        self.assertEqual(listed.returncode, 0)
        self.assertIn("web-0", listed.stdout)
        self.assertIn("you (joe) may not list deployments.apps", listed.stderr)


class Lists(TargetCase):

    def test_ls_in_all_forms(self):
        two = {"containers": [{"name": each, "image": BUSYBOX, "command": SLEEP} for each in ("app", "worker")]}
        self.apply(workload("Deployment", "web", replicas=1), pod("two", **two))
        self.wait_ready("app=web", 1)
        self.cluster.wait_running("two", namespace=self.namespace)
        web = self.pods("app=web")[0]
        name, node = web["metadata"]["name"], web["spec"]["nodeName"]
        rows = [line.split() for line in self.ls().splitlines()]
        self.assertEqual(rows[0], ["KIND", "NAME", "CONTAINER", "READY", "NODE"])
        self.assertIn(["pod", name, "app", "1/1", node], rows)
        self.assertIn(["deployment", "web", "app", "1/1", "-"], rows)
        self.assertEqual(set(self.ls("po", "-o", "name").split()),
                         {f"pod/{name}", "pod/two/container/app", "pod/two/container/worker"})
        self.assertIn(BUSYBOX, self.ls("pod", "-o", "wide"))
        self.assertEqual(self.ls("pod", "-l", "app=web", "-o", "name"), f"pod/{name}\n")
        item = next(each for each in json.loads(self.ls("-o", "json")) if each["name"] == "two")
        self.assertEqual((item["kind"], item["namespace"], item["ready"], item["default_container"]),
                         ("pod", self.namespace, "2/2", ""))
        everywhere = self.run_it("ls", "pod", "-A").stdout
        self.assertTrue(any(line.split()[:3] == [self.namespace, "pod", name] for line in everywhere.splitlines()))
        nodes = json.loads(self.run_it("ls", "node", "-o", "json").stdout)
        self.assertEqual(sorted(each["name"] for each in nodes), self.cluster.nodes())

    def test_ls_of_nothing_and_of_what_is_not_there(self):
        self.assertEqual(self.ls("job"), "There is nothing.\n")
        unknown = self.run_it("ls", "deplyoment")
        self.assertIn("did you mean deployment?", unknown.stderr)
        self.assertEqual(unknown.returncode, USAGE)
        missing = self.run_it("ls", "-n", "mirrorfs-none")
        self.assertIn("there is no namespace mirrorfs-none", missing.stderr)
        self.assertEqual(missing.returncode, NO_TARGET)

    def test_as_a_plugin_of_kubectl(self):
        plugins = os.path.join(self.place, "plugins")
        os.mkdir(plugins)
        for name in ("kubectl-mirrorfs", "kubectl_complete-mirrorfs"):
            os.symlink(MIRRORFS, os.path.join(plugins, name))
        self.run_pod("web-0")
        path = f"{plugins}:{os.environ['PATH']}"

        def kubectl(*words):
            return self.run_it(*words, program=self.cluster.kubectl_program, PATH=path)

        self.assertIn("web-0", kubectl("mirrorfs", "ls", "-n", self.namespace).stdout)
        wrong = kubectl("mirrorfs", "mount", "pod/web-1", "/mnt", "-n", self.namespace)
        self.assertTrue(wrong.stderr.startswith("kubectl mirrorfs: "), wrong.stderr)
        self.assertIn("kubectl mirrorfs ls pod", wrong.stderr)
        self.assertIn("Usage: kubectl mirrorfs mount", kubectl("mirrorfs", "help", "mount").stdout)
        completed = kubectl("__complete", "mirrorfs", "mount", "-n", self.namespace, "pod/w")
        self.assertIn("pod/web-0", completed.stdout.splitlines(), completed.stderr)

    def test_completion(self):
        self.run_pod("web-0")

        def complete(*words):
            return self.run_it("__complete", *words).stdout.splitlines()

        self.assertEqual(complete("mou"), ["mount", ":4"])
        self.assertEqual(complete("mount", "-n", self.namespace, "pod/we"), ["pod/web-0", ":4"])
        self.assertEqual(complete("exec", "-n", self.namespace, "-t", "po/we"), ["po/web-0", ":4"])
        self.assertEqual(complete("mount", "-n", self.namespace, "pod/web-0", "-c", ""), ["app", ":4"])
        self.assertEqual(complete("mount", "-n", self.namespace[:-2]), [self.namespace, ":4"])
        self.assertEqual(complete("mount", "pod/web-0", ""), [":16"])
        self.assertIn("deployment/", complete("mount", "dep"))
        self.assertIn("--namespace", complete("ls", "--na"))
        script = self.run_it("completion", "bash").stdout
        checked = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=False)
        self.assertEqual(checked.returncode, 0, checked.stderr)


if __name__ == "__main__":
    suite.run()
