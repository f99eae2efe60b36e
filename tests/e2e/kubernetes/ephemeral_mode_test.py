#!/usr/bin/python3 -B
"""An agent beside the target in its pod."""

import os

import agent_modes
from agent_modes import AgentCase, Probe
from cluster import BUSYBOX, pod


class EphemeralModeTest(AgentCase):
    def containers(self, name="web"):
        return self.cluster.get("pod", name, "-n", self.namespace)["status"].get("ephemeralContainerStatuses", [])

    def test_mounts_the_container_beside_it(self):
        probe = Probe(self, "ephemeral", self.target(), "--rw").ready()
        mountpoint = self.mount(probe, "--rw")
        self.assert_reads_nonce(mountpoint)
        with open(os.path.join(mountpoint, "made"), "w", encoding="utf-8") as file:
            file.write(self.nonce)
        self.assertEqual(self.kubectl("exec", "web", "--", "cat", "/made"), self.nonce)

    def test_each_thread_holds_what_is_documented(self):
        self.check_threads_of_pod("ephemeral")

    def test_read_write_and_run_by_the_command_alone(self):
        self.check_reading_writing_running("ephemeral")
        self.wait_for(lambda: all("terminated" in one["state"] for one in self.containers()), "the agents' end")

    def test_its_agent_ends_and_stays_listed(self):
        probe = Probe(self, "ephemeral", self.target(), "--agent-ttl", "9s").ready()
        self.mount(probe)
        probe.kill()
        self.wait_for(lambda: "terminated" in self.containers()[0]["state"], "the agent's end")
        self.assertEqual(self.containers()[0]["state"]["terminated"]["exitCode"], 0)

    def test_of_several_containers_the_one_that_is_meant(self):
        other = {"name": "other", "image": BUSYBOX}
        spec = pod("two", node="node-1", shareProcessNamespace=True)
        spec["spec"]["containers"].append(other)
        self.cluster.apply(spec, namespace=self.namespace)
        self.cluster.wait_running("two", namespace=self.namespace)
        self.kubectl("exec", "two", "-c", "app", "--", "sh", "-c", f"echo {self.nonce} > /nonce")
        self.kubectl("exec", "two", "-c", "other", "--", "sh", "-c", "echo other > /nonce")
        self.kubectl("annotate", "pod", "two", "kubectl.kubernetes.io/default-container=app")
        self.assert_reads_nonce(self.mount(Probe(self, "ephemeral", "two").ready()))

    def test_an_image_without_a_shell(self):
        mountpoint = self.mount(Probe(self, "ephemeral", self.bare_target()).ready())
        self.assertEqual(self.read(mountpoint, "given/nonce"), self.nonce)


if __name__ == "__main__":
    agent_modes.run_tests()
