"""A suite that leaves something, fails, or cannot run, as suites_test.py asks it to: inner_suite.py CLASS"""

import os
import unittest

import snapshot
import suite
from agent_modes import AgentCase
from cluster import ClusterCase, pod

snapshot.LIMIT = 15  # what is left is meant to be left


def config_map(name):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}


class Leaks(ClusterCase):
    def test_leaves_an_object_when_it_is_told_to(self):
        if os.environ.get("INNER_LEAVES"):
            self.cluster.apply(config_map(os.environ["INNER_LEAVES"]))


class Fails(ClusterCase):
    def setUp(self):
        super().setUp()
        print("namespace of", self.id(), self.namespace)
        self.cluster.apply(config_map("made"), namespace=self.namespace)

    def test_fails(self):
        self.fail("as it is meant to")

    def test_fails_in_a_part(self):
        with self.subTest("part"):
            self.fail("as it is meant to")

    def test_passes(self):
        pass


class NeedsNodes(ClusterCase):
    def test_looks_at_a_node(self):
        self.cluster.node_exec("node-1", "true")

    def test_does_not(self):
        self.run_pod("web", node="node-1")

    @unittest.skip("always")
    def test_skipped(self):
        pass


class NeedsImage(AgentCase):
    def test_one(self):
        self.cluster.apply(pod("agent", self.image, container={"args": ["--version"]}, restartPolicy="Never"),
                           namespace=self.namespace)
        self.kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/agent", "--timeout=100s")

    def test_two(self):
        self.fail("must not be run")


class Broken(ClusterCase):
    @classmethod
    def setUpClass(cls):
        raise AssertionError("as it is meant to")

    def test_one(self):
        pass

    def test_two(self):
        pass


if __name__ == "__main__":
    suite.run()
