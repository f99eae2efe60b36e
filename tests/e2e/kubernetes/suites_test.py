#!/usr/bin/python3 -B
"""What every suite promises: leaks are found, at a second try, too; what failed is kept if that is wanted; what cannot be run
on a cluster is told; and how many tests there were."""

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile

import agent_modes
import cluster as clusters
import snapshot
import suite
from cluster import HERE, LABEL, ClusterCase

FAILED = 1


class SuitesCase(ClusterCase):
    def setUp(self):
        super().setUp()
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.place = place.name
        # What another test has made, and is on its way out, is not for the inner suite to notice.
        self.wait_for(lambda: not any("deletionTimestamp" in item["metadata"] for item in
                                      self.cluster.get("namespaces", "-l", LABEL)["items"]), "the end of others' namespaces")
        self.environment = {**os.environ, "MIRRORFS_E2E_RUN": self.place, "MIRRORFS_E2E_PRESERVE_FAILED": "",
                            "KUBECONFIG": self.cluster.kubeconfig, "MIRRORFS_KUBECTL": self.cluster.kubectl_program}

    def inner(self, *words, code=0, **variables):
        """Runs tests of inner_suite.py; gives what they have said."""
        program = [sys.executable, "-B", os.path.join(HERE, "inner_suite.py"), *words]
        result = subprocess.run(program, capture_output=True, text=True, timeout=clusters.LIMIT, check=False,
                                stdin=subprocess.DEVNULL, env={**self.environment, **variables})
        said = result.stdout + result.stderr
        self.assertEqual(result.returncode, code, said)
        return said

    def tries(self):
        place, = os.listdir(self.place)
        with open(os.path.join(self.place, place, "inner_suite.json"), encoding="utf-8") as file:
            return [{key: value for key, value in each.items() if key != "seconds"} for each in json.load(file)]


class LeaksTest(SuitesCase):
    def test_a_leak_does_not_pass_at_the_second_try(self):
        if not self.cluster.directory:
            self.skipTest("others work in this cluster, too")
        name = "stray-" + secrets.token_hex(4)
        self.addCleanup(self.cluster.run, "delete", "configmap", name)
        left = f"left: object core ConfigMap default/{name}"
        self.assertIn(left, self.inner("Leaks", code=FAILED, INNER_LEAVES=name))
        self.assertIn(left, self.inner("Leaks", code=FAILED))
        self.assertIn(f"configmap/{name}", snapshot.ours(self.cluster))
        self.cluster.kubectl("delete", "configmap", name)
        self.inner("Leaks")
        passed = {"passed": 1, "failed": 0, "skipped": 0, "kept": False}
        self.assertEqual(self.tries(), [{**passed, "left": 1}, {**passed, "left": 1}, {**passed, "left": 0}])
        self.assertNotIn(f"configmap/{name}", snapshot.ours(self.cluster))


class PreserveTest(SuitesCase):
    def namespaces(self, said):
        return dict(re.findall(r"namespace of __main__\.Fails\.(\w+) (\S+)", said))

    def exists(self, namespace):
        found = self.cluster.run("get", "namespace", namespace, "--ignore-not-found", "-o", "json").stdout
        return bool(found) and "deletionTimestamp" not in json.loads(found)["metadata"]

    def forget(self, *tests):
        """So that the cluster is not kept for them."""
        with open(clusters.mark("kept-for-failed-tests"), encoding="utf-8") as file:
            lines = file.read().splitlines()
        for test in tests:
            lines.remove(test)  # it must be there
        if lines:
            with open(clusters.mark("kept-for-failed-tests"), "w", encoding="utf-8") as file:
                file.write("".join(line + "\n" for line in lines))
        else:
            os.remove(clusters.mark("kept-for-failed-tests"))

    def test_what_failed_tests_have_made_is_kept(self):
        said = self.inner("Fails", code=FAILED, MIRRORFS_E2E_PRESERVE_FAILED="y")
        namespaces = self.namespaces(said)
        for test in ("test_fails", "test_fails_in_a_part"):
            with self.subTest(test):
                name = namespaces[test]
                self.addCleanup(self.cluster.run, "delete", "namespace", name, "--wait=false")
                self.assertIn(f"kept for __main__.Fails.{test}: namespace/{name}", said)
                self.assertTrue(self.exists(name))
                made = self.cluster.get("configmap", "made", "-n", name)
                for item in (made, self.cluster.get("namespace", name)):
                    self.assertEqual(item["metadata"]["labels"][LABEL], "true")
        self.assertFalse(self.exists(namespaces["test_passes"]))
        self.assertEqual(self.tries(), [{"passed": 1, "failed": 2, "skipped": 0, "left": 0, "kept": True}])
        if self.cluster.directory:
            self.forget("__main__.Fails.test_fails", "__main__.Fails.test_fails_in_a_part")

    def test_nothing_is_kept_if_that_is_not_wanted(self):
        said = self.inner("Fails", code=FAILED)
        self.assertNotIn("kept for", said)
        self.assertEqual({name: self.exists(place) for name, place in self.namespaces(said).items()},
                         {"test_fails": False, "test_fails_in_a_part": False, "test_passes": False})
        self.assertEqual(self.tries(), [{"passed": 1, "failed": 2, "skipped": 0, "left": 0, "kept": False}])


class CountsTest(SuitesCase):
    def test_a_class_that_cannot_begin_has_failed_whole(self):
        self.inner("Broken", "Leaks", code=FAILED)
        self.assertEqual(self.tries(), [{"passed": 1, "failed": 2, "skipped": 0, "left": 0, "kept": False}])

    def test_the_table(self):
        self.inner("Leaks")
        place, = os.listdir(self.place)
        shutil.copy(os.path.join(self.place, place, "inner_suite.json"), os.path.join(self.place, place, "other.json"))
        with open(os.path.join(self.place, place, "killed.json"), "w", encoding="utf-8") as file:
            json.dump([{"failed": 3}, {}], file)
        rows = subprocess.run([sys.executable, "-B", "-c", "import suite; print(suite.table())"], cwd=HERE, check=True,
                              capture_output=True, text=True, env=self.environment).stdout.splitlines()
        self.assertEqual(rows[0].split(), "suite passed failed skipped left behind tries seconds".split())
        self.assertEqual([row.split()[:6] for row in rows[1:4]],
                         [["inner_suite", "1", "0", "0", "0", "1"], ["killed", "-", "-", "-", "-", "2"],
                          ["other", "1", "0", "0", "0", "1"]])
        self.assertTrue(rows[2].endswith("did not end"))
        self.assertEqual(rows[4].split()[:5], ["all", "2", "0", "0", "0"])


class OtherClustersTest(SuitesCase):
    """With a kubeconfig that is not known as ours, this cluster is as any other."""

    def setUp(self):
        super().setUp()
        if not self.cluster.directory:
            self.skipTest("this is one")
        kubeconfig = os.path.join(tempfile.mkdtemp(dir=self.place), "config")
        self.environment["MIRRORFS_E2E_RUN"] = self.place = os.path.join(self.place, "run")
        shutil.copy(self.cluster.kubeconfig, kubeconfig)
        self.environment["KUBECONFIG"] = kubeconfig

    def test_what_needs_the_nodes_is_skipped(self):
        nodes = " ".join(self.cluster.nodes())
        self.assertIn("are not ours to exec", self.inner("NeedsNodes", MIRRORFS_E2E_NODES=nodes))
        self.assertEqual(self.tries(), [{"passed": 1, "failed": 0, "skipped": 2, "left": 0, "kept": False}])

    def test_a_suite_of_which_nothing_can_be_run_is_not_a_passed_one(self):
        self.assertIn("MIRRORFS_E2E_AGENT_IMAGE", self.inner("NeedsImage", code=suite.SKIPPED))
        self.assertEqual(self.tries(), [{"passed": 0, "failed": 0, "skipped": 2, "left": 0, "kept": False}])

    def test_images_are_named_by_variables(self):
        image = [self.cluster.load_image(node, agent_modes.IMAGE_ARCHIVE) for node in self.cluster.nodes()][0]
        self.inner("NeedsImage.test_one", MIRRORFS_E2E_AGENT_IMAGE=image)
        self.inner("NeedsNodes.test_does_not", MIRRORFS_E2E_REGISTRY="docker.io/mirrorfs-test")

    def test_the_administrators_kubeconfig_of_ours_is_known(self):
        link = os.path.join(os.path.dirname(self.environment["KUBECONFIG"]), "link")
        os.symlink(self.cluster.kubeconfig, link)
        self.inner("NeedsNodes.test_looks_at_a_node", KUBECONFIG=link)
        self.assertEqual(self.tries(), [{"passed": 1, "failed": 0, "skipped": 0, "left": 0, "kept": False}])


if __name__ == "__main__":
    suite.run()
