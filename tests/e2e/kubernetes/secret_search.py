"""Where a mount's secrets must not be: arguments, environments, logs, files of the state directory but the token's, and
everything in the cluster."""

import contextlib
import glob
import json
import os
import re
import stat

STATE = "/run/mirrorfs"
SECRET = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")  # tokens and tickets: 256 random bits, in hexadecimal digits
KEY = re.compile(rb"((?:[A-Za-z0-9+/=]{20,64}\n)+)-----END PRIVATE KEY-----")


def memory_of(pid):
    """What a process has written to, region by region."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            span, rights, _, _, _, *name = line.split(maxsplit=5)
            if not rights.startswith("rw") or "[v" in "".join(name):
                continue
            start, end = (int(number, 16) for number in span.split("-"))
            with contextlib.suppress(OSError):
                memory.seek(start)
                yield memory.read(end - start)


def secrets_in_memory(pid):
    """(64 digits each, private keys): what is there to be kept to itself, or is public and just looks like it."""
    digits, keys = set(), set()
    for region in memory_of(pid):
        digits.update(match.decode() for match in SECRET.findall(region))
        keys.update(match.decode() for match in KEY.findall(region))
    return digits, keys


def recording_kubectl(program, directory):
    """A kubectl that writes down the arguments and the environment of each of its runs: (program, record)."""
    wrapper, record = os.path.join(directory, "recording-kubectl"), os.path.join(directory, "kubectl-runs")
    with open(wrapper, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\n{ printf '%s\\0' \"$@\"; cat /proc/$$/environ; } >>" + f"{record}\nexec {program} \"$@\"\n")
    os.chmod(wrapper, 0o700)
    return wrapper, record


class SecretSearch:
    """For the test `case` (an AgentCase), of a mount of its pod."""

    def __init__(self, case, mountpoint, agents_namespace=None):
        self.case, self.cluster, self.mountpoint = case, case.cluster, mountpoint
        self.agents_namespace = agents_namespace or case.namespace
        self.keeper = case.state_of(mountpoint)["pid"]
        self.state = next(place for place in glob.glob(f"{STATE}/*") if self._is_of_mount(place))

    def _is_of_mount(self, place):
        return any(self.mountpoint.encode() in data for _, data in self._files(place))

    def _files(self, place):
        for directory, _, names in os.walk(place):
            for name in names:
                path = os.path.join(directory, name)
                if stat.S_ISREG(os.lstat(path).st_mode):
                    with open(path, "rb") as file:
                        yield path, file.read()

    def tunnel(self):
        for process in glob.glob("/proc/[0-9]*"):
            with contextlib.suppress(OSError), open(f"{process}/stat", encoding="utf-8") as file:
                name, rest = file.read().split("(", 1)[1].rsplit(")", 1)
                if name == "mirrorfs-tunnel" and int(rest.split()[1]) == self.keeper:
                    return int(os.path.basename(process))
        raise AssertionError("the mount has no tunnel")

    def public(self):
        """What has 64 digits and is no secret: names of containers and images, and of anything else what was hashed."""
        pods = self.cluster.get("pods", "-A")["items"]
        named = [str(status.get(field, "")) for pod in pods for kind in ("container", "initContainer", "ephemeralContainer")
                 for status in pod["status"].get(f"{kind}Statuses", []) for field in ("containerID", "imageID", "image")]
        return {match.decode() for match in SECRET.findall(" ".join([*named, self.case.image]).encode())}

    def token_files(self):
        """Kept by the owner only; the one place where the token of a mount may be."""
        files = [path for path, _ in self._files(self.state) if path.endswith(".token")]
        for path in [self.state, *files]:
            self.case.assertEqual(stat.S_IMODE(os.stat(path).st_mode) & 0o077, 0, path)
        for path in files:
            self.case.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600, path)
        return files

    def places(self):
        """(where, bytes) of everything that somebody else may see, or that stays."""
        for process in glob.glob("/proc/[0-9]*"):
            for kind in ("cmdline", "environ"):
                with contextlib.suppress(OSError), open(f"{process}/{kind}", "rb") as file:
                    yield f"{process}/{kind}", file.read()
        tokens = self.token_files()
        yield from ((path, data) for path, data in self._files(self.state) if path not in tokens)
        yield "mirrorfs logs", self.case.mirrorfs("logs", self.mountpoint, environment=self.case.as_user()).stdout.encode()
        yield "mirrorfs status", self.case.mirrorfs("status", "-o", "json").stdout.encode()
        for namespace in {self.case.namespace, self.agents_namespace}:
            kinds = "jobs,pods,secrets,configmaps,events"
            yield f"objects in {namespace}", json.dumps(self.cluster.get(kinds, "-n", namespace)).encode()
            for pod in self.cluster.get("pods", "-n", namespace)["items"]:
                name = pod["metadata"]["name"]
                log = self.cluster.kubectl("logs", "-n", namespace, name, "--all-containers")
                yield f"log of {namespace}/{name}", log.encode()
        if self.cluster.directory:
            look = "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null || true"
            for node in self.cluster.nodes():
                yield f"processes of {node}", self.cluster.node_exec(node, "sh", "-c", look).encode()

    def assert_kept(self, *secrets, runs):
        """`runs`: what a recording kubectl has written down."""
        with open(runs, "rb") as file:
            everything = [*self.places(), ("runs of kubectl", file.read())]

        def places_of(text):
            return [where for where, data in everything if text.encode() in data]

        for secret in secrets:
            self.case.assertGreater(len(secret), 20)
            self.case.assertEqual(places_of(secret), [], f"{secret[:6]}...")
        # What is no secret is found, so it is looked for in the right places.
        found = " ".join(places_of(self.case.namespace))
        for where in ("/cmdline", "runs of kubectl", "mirrorfs status", "objects in", self.state):
            self.case.assertIn(where, found)
