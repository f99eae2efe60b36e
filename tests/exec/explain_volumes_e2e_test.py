"""`mirrorfs explain` knows the volumes of a real container, and asks for them only where they matter."""

import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(HERE, "../launcher"), os.path.join(HERE, "../lab")]

import world  # noqa: E402
from lab_case import LabCase  # noqa: E402


class ExplainVolumesTest(LabCase, world.World):

    def setUp(self):
        super().setUp()
        self.write("source/conf", "of the volume")
        self.name = self.lab.docker("run", "-d", "--network", "none", "-v", f"{self.source}:/etc/web.d", "mirrorfs-lab:1")
        self.addCleanup(self.lab.docker, "rm", "-f", self.name)

    def explain(self, *words, code=0):
        result = subprocess.run(
            self.command("explain", "-o", "json", "--runtime-socket", self.lab.DOCKER_WEB_SOCKET, *words),
            env=self.environment(), cwd=self.place, capture_output=True, text=True, timeout=world.LIMIT, check=False)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return json.loads(result.stdout) if code == 0 else result.stderr

    def test_a_volume_below_a_local_tree_is_the_containers(self):
        target = ("--target", f"docker/{self.name}")
        inside, beside = self.explain(*target, "/etc/web.d/conf", "/etc/passwd")
        self.assertEqual((inside["side"], inside["writes"], inside["rule"]["list"]), ("container", "layer", "volume"))
        self.assertEqual(inside["rule"]["origin"], "volume of the target at /etc/web.d")
        self.assertEqual((beside["side"], beside["if_no_volume"]), ("local", False))
        without = self.explain(*target, "--no-auto-mount", "/etc/web.d/conf")[0]
        self.assertEqual((without["side"], without["rule"]["list"]), ("local", "default local"))
        mine = self.explain(*target, "--local", "^/etc/web", "/etc/web.d/conf")[0]
        self.assertEqual((mine["side"], mine["rule"]["origin"]), ("local", "flag --local"))

    def test_nobody_is_asked_where_the_policy_alone_decides(self):
        self.assertEqual(self.explain("--target", "docker/nowhere", "/srv/data")[0]["side"], "container")
        self.assertIn("nowhere", self.explain("--target", "docker/nowhere", "/etc/web.d/conf", code=3))
        self.assertTrue(self.explain("/etc/web.d/conf")[0]["if_no_volume"])


if __name__ == "__main__":
    world.main()
