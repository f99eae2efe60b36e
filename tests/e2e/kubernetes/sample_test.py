#!/usr/bin/python3 -B
"""The tour of docs/sample/README.md, word for word, in a namespace of its own."""

import importlib.util
import os
import shutil
import sys
import tempfile

import agent_modes
from cluster import HERE, ClusterCase

SAMPLE = os.path.join(HERE, "../../../docs/sample")
DOCUMENT = os.path.join(SAMPLE, "README.md")


def load_tour():
    spec = importlib.util.spec_from_file_location("tour", os.path.join(SAMPLE, "tour.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules["tour"] = module
    spec.loader.exec_module(module)
    return module


tour = load_tour()


class SampleTest(ClusterCase):

    def setUp(self):
        super().setUp()
        if not self.cluster.directory:
            self.skipTest("the image of the tour is on clusters of ours only")
        self.place = f"/tmp/{self.namespace}"
        os.mkdir(self.place)
        self.addCleanup(shutil.rmtree, self.place)

    def environment(self):
        """Of somebody whose kubectl is in this test's namespace, and who has no mounts and layers but the tour's."""
        kubeconfig = os.path.join(self.place, "kubeconfig")
        shutil.copy(self.cluster.kubeconfig, kubeconfig)
        self.cluster.kubectl("config", "set-context", "--current", f"--namespace={self.namespace}", kubeconfig=kubeconfig)
        os.symlink(self.cluster.kubectl_program, os.path.join(self.place, "kubectl"))
        environment = {**self.cluster.environment(), "KUBECONFIG": kubeconfig,
                       "PATH": f"{agent_modes.BIN}:{self.place}:{os.environ['PATH']}",
                       "XDG_STATE_HOME": os.path.join(self.place, "state")}
        environment.pop("MIRRORFS_KUBECTL", None)
        return environment

    def test_every_command_says_what_the_document_says(self):
        steps = []
        wrong = tour.walk(DOCUMENT, self.environment(), lambda step, text: steps.append((step, text)))
        for step, text in wrong:
            print(f"README.md:{step.line}: $ {step.command}\n{text}", file=sys.stderr)
        self.assertEqual([step.command for step, _ in wrong], [])
        # That nothing was left out: each part of the tour did run.
        said = "".join(f"$ {step.command}\n{text}" for step, text in steps)
        for word in ("mirrorfs mount --rw", "mirrorfs mount --cow", "mirrorfs exec", "mirrorfs cp", "mirrorfs cat",
                     "mirrorfs diff", "mirrorfs doctor", "mirrorfs umount"):
            self.assertIn(f"$ {word}", said)


class TourTest(ClusterCase):
    """The comparison itself: a document that is wrong is noticed."""

    def walk(self, text):
        with tempfile.NamedTemporaryFile("w", suffix=".md", encoding="utf-8") as file:
            file.write(f"```console\n{text}\n```\n")
            file.flush()
            return self.wrong(file.name)

    def wrong(self, path):
        return [step.command for step, _ in tour.walk(path, dict(os.environ), lambda step, said: None)]

    def test_what_differs_is_told(self):
        self.assertEqual(self.walk("$ echo one\none\n$ echo two\n2\n$ printf 'a\\nb\\nc\\n'\n…\nc\n$ X=3\n$ echo $X is it\n… is it"),
                         ["echo two"])
        self.assertEqual(self.walk("$ echo more\n$ true\nless"), ["echo more", "true"])


if __name__ == "__main__":
    agent_modes.run_tests()
