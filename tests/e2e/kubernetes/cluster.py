"""The cluster that tests run on: the project's own (tests/e2e/cluster), or an existing one that KUBECONFIG names.

The own one is started when it is not there, and reused when it is (MIRRORFS_CLUSTER: its directory, or KUBECONFIG: its
admin.conf). What another one needs: docs/testing.md. All that tests make carries LABEL, in a namespace made for the test;
it is removed at the end, or kept for failed tests with MIRRORFS_E2E_PRESERVE_FAILED=y.
"""

import contextlib
import copy
import json
import os
import re
import secrets
import subprocess
import sys
import time
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))
PROGRAM = os.path.join(HERE, "../cluster/cluster")
LABEL = "mirrorfs-e2e-test-resource"
LIMIT = 120  # seconds that anything may take on a busy machine

# Images of tests/e2e/cluster/make_images.sh: on the nodes of a cluster of ours, or in a registry.
REGISTRY = os.environ.get("MIRRORFS_E2E_REGISTRY") or "mirrorfs-test"
BUSYBOX = f"{REGISTRY}/busybox:1"        # with the files of every kind that tests/lab/make_layers.py writes
PYTHON = f"{REGISTRY}/python:1"          # the same with Debian's python3
DISTROLESS = f"{REGISTRY}/distroless:1"  # one static program, no shell

# What the two nodes of our own clusters are called elsewhere.
NODES = dict(zip(("node-1", "node-2"), (os.environ.get("MIRRORFS_E2E_NODES") or "node-1 node-2").split()))


def preserves_failed():
    return os.environ.get("MIRRORFS_E2E_PRESERVE_FAILED") == "y"


def directory_of(kubeconfig):
    """Of the cluster of ours whose administrator's kubeconfig that is; None if it is none."""
    directory, name = os.path.split(os.path.realpath(kubeconfig))
    return directory if name == "admin.conf" and os.path.isfile(os.path.join(directory, "env")) else None


def own_directory():
    """Of the cluster of ours that is meant, whether it is there or not; None if another one is."""
    if os.environ.get("KUBECONFIG"):
        return directory_of(os.environ["KUBECONFIG"])
    index = os.environ.get("INDEX", "0")
    return os.environ.get("MIRRORFS_CLUSTER") or f"/var/tmp/mirrorfs-cluster-{index}"


class Cluster:
    """A cluster and the administrator's kubectl for it. `directory` is None for one that is not ours: its nodes are
    then reached through its API only."""

    def __init__(self, kubeconfig, kubectl, directory=None):
        self.kubeconfig = kubeconfig
        self.kubectl_program = kubectl
        self.directory = directory
        self.cache = directory and os.path.join(directory, "kubectl-cache")

    @classmethod
    def start_or_reuse(cls):
        directory = own_directory()
        if not directory:
            return cls(os.environ["KUBECONFIG"], os.environ.get("MIRRORFS_KUBECTL", "kubectl"))
        subprocess.run([PROGRAM, "up", directory], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        facts = subprocess.run([PROGRAM, "env", directory], check=True, capture_output=True, text=True).stdout
        facts = dict(line.split("=", 1) for line in facts.splitlines())
        return cls(facts["KUBECONFIG"], os.environ.get("MIRRORFS_KUBECTL", facts["KUBECTL"]), directory)

    def with_cache(self, cache):
        """The same for tests that change which kinds there are: kubectl remembers them for hours."""
        other = copy.copy(self)
        other.cache = cache
        return other

    # --- kubectl

    def command(self, *words, kubeconfig=None, program=None):
        return [program or self.kubectl_program, f"--kubeconfig={kubeconfig or self.kubeconfig}", *words]

    def environment(self):
        """Of everything that runs kubectl: its cache, too, is the cluster's."""
        return {**os.environ, "KUBECACHEDIR": self.cache} if self.cache else dict(os.environ)

    def run(self, *words, input=None, kubeconfig=None, program=None):
        """Runs kubectl to its end, whatever that is."""
        source = {"stdin": subprocess.DEVNULL} if input is None else {"input": input}
        return subprocess.run(self.command(*words, kubeconfig=kubeconfig, program=program), capture_output=True,
                              text=True, timeout=LIMIT, check=False, env=self.environment(), **source)

    def kubectl(self, *words, input=None, kubeconfig=None):
        """Runs kubectl, which has to succeed, and returns what it prints."""
        result = self.run(*words, input=input, kubeconfig=kubeconfig)
        if result.returncode:
            raise AssertionError(f"kubectl {' '.join(words)}: {result.stdout}{result.stderr}")
        return result.stdout.rstrip("\n")

    def get(self, *words):
        return json.loads(self.kubectl("get", *words, "-o", "json"))

    def apply(self, *objects, namespace="default"):
        """Creates objects (dictionaries), labelled as a test's."""
        for item in objects:
            item["metadata"].setdefault("labels", {})[LABEL] = "true"
        everything = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        return self.kubectl("apply", "-n", namespace, "-f", "-", input=json.dumps(everything))

    def wait_running(self, *pods, namespace="default"):
        for pod in pods:
            self.kubectl("wait", "-n", namespace, "--for=condition=Ready", f"pod/{pod}", f"--timeout={LIMIT - 10}s")

    def nodes(self):
        return sorted(node["metadata"]["name"] for node in self.get("nodes")["items"])

    # --- The machines of a cluster of our own

    def _program(self, command, *words, **options):
        if not self.directory:
            raise unittest.SkipTest(f"the nodes of {self.kubeconfig} are not ours to {command}")
        return subprocess.run([PROGRAM, command, self.directory, *words], stdin=subprocess.DEVNULL, check=True,
                              text=True, capture_output=True, timeout=LIMIT, **options).stdout

    def node_exec(self, node, *command):
        """Runs a command on a node (or `control`), as root in its namespaces, and returns what it prints."""
        return self._program("exec", node, *command)

    def load_image(self, node, archive):
        """Imports an image archive on a node; returns its name with its digest, as a pod's specification names it."""
        return self._program("load", node, archive).split()[0]

    def stop(self, part):
        """Kills a machine (`node-2`) or a program of one (`control.kube-apiserver`, `node-1.kubelet`)."""
        self._program("stop", part)

    def resume(self):
        """Starts what does not run."""
        self._program("up")


def pod(name, image=BUSYBOX, node=None, container=None, **spec):
    """A pod of one container that stays until it is told to end. `container`: more of the container's specification."""
    described = {"name": "app", "image": image, **(container or {})}
    spec = {"terminationGracePeriodSeconds": 1, "containers": [described], **spec}
    if node:
        # As a user would: through the scheduler, so that taints and quotas count.
        spec["nodeSelector"] = {"kubernetes.io/hostname": NODES.get(node, node)}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def kubectls(own=None):
    """The kubectl programs that are there, by minor version ("1.30"): in PATH, beside the one in PATH, `own`."""
    places = os.environ["PATH"].split(":")
    places += [os.path.dirname(os.path.realpath(os.path.join(place, "kubectl"))) for place in places]
    programs = [own] if own else []
    for place in dict.fromkeys(places):
        with contextlib.suppress(OSError):
            names = sorted(name for name in os.listdir(place) if re.fullmatch(r"kubectl([-.]?v?1\.\d+(\.\d+)?)?", name))
            programs += [os.path.join(place, name) for name in names]
    found = {}
    for program in programs:
        result = subprocess.run([program, "version", "--client", "-o", "json"], capture_output=True, check=False)
        if result.returncode == 0:
            version = json.loads(result.stdout)["clientVersion"]["gitVersion"]
            if "dispatcher" not in version:  # which starts one of the others
                found.setdefault(re.match(r"v(1\.\d+)", version)[1], program)
    return found


def mark(name):
    """A file in the directory of the cluster, of ours, that tells something about it."""
    return os.path.join(own_directory(), name)


kept = []  # tests of this program whose things are


def note_kept(test):
    """The cluster is not ended while there is something to look at in it (fixture.py)."""
    kept.append(test)
    if own_directory():
        with open(mark("kept-for-failed-tests"), "a", encoding="utf-8") as file:
            file.write(test + "\n")


class ClusterCase(unittest.TestCase):
    """Base of the tests: the cluster, and a namespace for each test."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster.start_or_reuse()

    def setUp(self):
        self.namespace = self.make_namespace()

    def make_namespace(self, **labels):
        name = f"mirrorfs-e2e-{secrets.token_hex(4)}"
        self.cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
        self.addCleanup(self.remove, "namespace", name)
        # Pods are refused until their service account is there.
        self.wait_for(lambda: self.cluster.run("get", "serviceaccount", "default", "-n", name).returncode == 0,
                      f"the service account of {name}")
        return name

    def remove(self, kind, name):
        if self.has_failed() and preserves_failed():
            print(f"kept for {self.id()}: {kind}/{name}", file=sys.stderr)
            note_kept(self.id())
            return
        self.cluster.kubectl("delete", kind, name, "--wait=false")  # snapshot.assert_same waits for its end

    def has_failed(self):
        result = self._outcome.result
        return any(getattr(test, "test_case", test) is self for test, _ in result.failures + result.errors)  # or a part of it

    def kubectl(self, *words, **options):
        return self.cluster.kubectl(words[0], "-n", self.namespace, *words[1:], **options)

    def run_pod(self, name, *arguments, **options):
        self.cluster.apply(pod(name, *arguments, **options), namespace=self.namespace)
        self.cluster.wait_running(name, namespace=self.namespace)

    def wait_for(self, condition, what):
        end = time.monotonic() + LIMIT
        while not condition():
            self.assertLess(time.monotonic(), end, f"did not come about: {what}")
            time.sleep(0.05)
