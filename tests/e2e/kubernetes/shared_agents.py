"""Shared agents, installed by the command itself, and users who have just the rights that a test gives them."""

import asyncio
import contextlib
import json
import os
import secrets
import socket
import ssl
import subprocess
import tempfile
import threading
import time

import yaml

import access
from agent_modes import BIN, LIMIT, ROLES, AgentCase
from cluster import NODES

HERE = os.path.dirname(os.path.realpath(__file__))
CHART = os.path.join(HERE, "../../../charts/mirrorfs-agent")
AGENTS = "mirrorfs"  # their namespace
VALUES = ["ttl=3s", "quota.sessionsPerUser=3", "image.pullPolicy=IfNotPresent", "metrics.enabled=true", "users.subjects=null",
          "updateStrategy.rollingUpdate.maxUnavailable=2"]
# Of the chart's objects, and what is made of them; docs/guide.md says it as well.
KINDS = ("daemonsets,pods,configmaps,secrets,serviceaccounts,roles,rolebindings,clusterroles,clusterrolebindings,"
         "networkpolicies,jobs")
PART_OF = "app.kubernetes.io/part-of=mirrorfs"

with open(os.path.join(ROLES, "shared.yaml"), encoding="utf-8") as file:
    TARGET_RULES, AGENT_RULES = ({rule["resources"][0].split("/")[-1]: rule for rule in role["rules"]}
                                 for role in yaml.safe_load_all(file))


def find_helm():
    made = subprocess.run([os.path.join(HERE, "../cluster/chart_tools.sh")], check=True, capture_output=True, text=True)
    return os.path.join(made.stdout.strip(), "helm")


def trusting():
    """TLS of somebody who asks for no certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


class SharedCase(AgentCase):
    values = VALUES

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.helm_program = find_helm()
        cls.addClassCleanup(cls.uninstall)
        cls.install()

    @classmethod
    def install(cls, *values):
        """As an administrator does."""
        sets = [word for value in [*cls.values, *values] for word in ("--set", value)]
        cls.run_agent_command("install", "--agent-image", cls.image, "--", *sets)
        for node in cls.cluster.nodes():
            cls.agent_pod_on(node)

    @classmethod
    def uninstall(cls):
        cls.run_agent_command("uninstall")
        end = time.monotonic() + LIMIT
        while (left := cls.labelled()) and time.monotonic() < end:  # pods go after their DaemonSet
            time.sleep(0.5)
        cls.cluster.kubectl("delete", "namespace", AGENTS)
        assert not left, f"left by the chart: {left}"

    @classmethod
    def labelled(cls):
        """Names of all that can be found of mirrorfs in the cluster, as KIND/NAME."""
        return cls.cluster.kubectl("get", KINDS, "-A", "-l", PART_OF, "-o", "name").split()

    @classmethod
    def run_agent_command(cls, *words):
        path = os.path.dirname(cls.helm_program) + ":" + os.environ["PATH"]
        with tempfile.TemporaryDirectory() as home:  # of helm's own files
            environment = {**os.environ, "KUBECONFIG": cls.cluster.kubeconfig, "PATH": path, "HOME": home,
                           "MIRRORFS_KUBECTL": cls.cluster.kubectl_program}
            result = subprocess.run([os.path.join(BIN, "mirrorfs"), "agent", *words], stdin=subprocess.DEVNULL,
                                    capture_output=True, text=True, timeout=240, check=False, env=environment)
        if result.returncode:
            raise AssertionError(f"mirrorfs agent {' '.join(words)}: {result.stdout}{result.stderr}")
        return result.stdout

    def helm(self, *words):
        with tempfile.TemporaryDirectory() as home:
            return subprocess.run([self.helm_program, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=LIMIT, check=True,
                                  env={**os.environ, "KUBECONFIG": self.cluster.kubeconfig, "HOME": home}).stdout

    @classmethod
    def agent_pod_on(cls, node):
        """The ready agent of a node, once there is one."""
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            pods = cls.cluster.get("pods", "-n", AGENTS, "-l", "mirrorfs.io/mode=shared", "--field-selector",
                                   f"spec.nodeName={NODES.get(node, node)}")["items"]
            ready = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"] and
                     any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", []))]
            if ready and len(pods) == 1:
                return ready[0]
            time.sleep(0.2)
        raise AssertionError(f"no agent is ready on {node}")

    # --- Users

    def user(self, namespace=None, target_rules=None, agent_rules=None):
        """A kubeconfig of a new service account with a token; with all rights that --agent shared needs, or those."""
        namespace = namespace or self.namespace
        name = "user-" + secrets.token_hex(3)
        target_rules = TARGET_RULES if target_rules is None else target_rules
        path = access.service_account_kubeconfig(self.cluster, namespace, name, list(target_rules.values()), self.scratch)
        agent_rules = AGENT_RULES if agent_rules is None else agent_rules
        access.grant(self.cluster, AGENTS, name, list(agent_rules.values()),
                     {"kind": "ServiceAccount", "name": name, "namespace": namespace})
        self.addCleanup(self.cluster.kubectl, "delete", "role,rolebinding", name, "-n", AGENTS)
        return path

    def token_of(self, kubeconfig):
        with open(kubeconfig, encoding="utf-8") as file:
            return json.load(file)["users"][0]["user"]["token"]

    def name_of(self, kubeconfig):
        name = os.path.basename(kubeconfig).removesuffix(".kubeconfig")
        return f"system:serviceaccount:{self.namespace}:{name}"

    def with_user(self, kubeconfig, **user):
        """The same cluster and namespace, and another way to prove oneself."""
        with open(kubeconfig, encoding="utf-8") as file:
            view = json.load(file)
        view["users"][0]["user"] = user
        path = os.path.join(self.scratch, secrets.token_hex(4) + ".kubeconfig")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(view, file)
        return path

    # --- The agents

    def audit(self, node="node-2"):
        """Lines of the node's agent about this test's namespace."""
        return [line for line in self.whole_audit(node) if line["namespace"] == self.namespace]

    def whole_audit(self, node="node-2"):
        """All of them: what is refused before it is understood is about no namespace."""
        log = self.cluster.kubectl("logs", "-n", AGENTS, self.agent_pod_on(node)["metadata"]["name"])
        return [json.loads(line) for line in log.splitlines() if line.startswith('{"time"')]

    @contextlib.contextmanager
    def refused(self, count, why, node="node-2"):
        """The block makes the node's agent note so many refusals of callers of whom at most a container is known. Gives a
        list that has them afterwards."""
        before, noted = len(self.whole_audit(node)), []

        def found():
            return [line for line in self.whole_audit(node)[before:]
                    if (line["decision"], line["why"], line["namespace"]) == ("deny", why, "")]

        yield noted
        self.wait_for(lambda: len(found()) >= count, f"{count} lines about {why}")
        noted += found()
        self.assertEqual(len(noted), count)

    def children(self, node="node-2"):
        """Command lines of the agents that the node's front has started."""
        processes = self.cluster.node_exec(node, "ps", "-e", "-o", "pid=,args=").splitlines()
        return [line for line in processes if "--exit-with-parent" in line and "mirrorfs-agent" in line]

    def front(self, node="node-2"):
        """The process id of the node's front."""
        return self.agent_process(node, "--health-listen=")

    def container_of(self, pod="web", namespace=None):
        found = self.cluster.get("pod", pod, "-n", namespace or self.namespace)
        status = found["status"]["containerStatuses"][0]
        return {"namespace": found["metadata"]["namespace"], "pod": pod, "uid": found["metadata"]["uid"],
                "container": status["name"], "container_id": status["containerID"], "mode": "ro"}

    @contextlib.contextmanager
    def forwarded(self, node="node-2"):
        """A port of this machine that leads to the node's agent."""
        pod = self.agent_pod_on(node)["metadata"]["name"]
        command = self.cluster.command("port-forward", "-n", AGENTS, f"pod/{pod}", ":7443")
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              env=self.cluster.environment()) as process:
            try:
                yield int(process.stdout.readline().split("127.0.0.1:")[1].split()[0])
            finally:
                process.kill()

    def ask(self, port, request, stack=None):
        """The agent's answer to a preface: a dictionary, or bytes to send as they are. `stack` keeps the stream open."""
        if stack is None:
            with contextlib.ExitStack() as own:
                return self.ask(port, request, own)
        stream = trusting().wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=LIMIT))
        stack.callback(stream.close)
        line = request if isinstance(request, bytes) else json.dumps({"mirrorfs": 1, "stream": "watch", **request}).encode() + b"\n"
        stream.sendall(line)
        with stream.makefile("r") as answers:
            return json.loads(answers.readline())

    @contextlib.contextmanager
    def file_streams(self, port, ticket):
        """A unix socket whose connections are streams that show this ticket, for a client who asks them for what he likes."""
        path = os.path.join(self.scratch, secrets.token_hex(4) + ".sock")
        ready, ended = threading.Event(), threading.Event()

        async def serve():
            server = await asyncio.start_unix_server(carry, path)
            ready.set()
            await asyncio.to_thread(ended.wait)
            server.close()

        async def carry(reader, writer):
            there, back = await asyncio.open_connection("127.0.0.1", port, ssl=trusting())
            try:
                back.write(json.dumps({"mirrorfs": 1, "stream": "files", "ticket": ticket}).encode() + b"\n")
                if json.loads(await there.readline())["code"] == "ok":
                    await asyncio.gather(copy(reader, back), copy(there, writer), return_exceptions=True)
            finally:
                back.transport.abort()
                writer.transport.abort()

        async def copy(source, sink):
            while block := await source.read(1 << 16):
                sink.write(block)
                await sink.drain()
            sink.close()

        thread = threading.Thread(target=lambda: asyncio.run(serve()))
        thread.start()
        try:
            ready.wait(LIMIT)
            yield path
        finally:
            ended.set()
            thread.join()
