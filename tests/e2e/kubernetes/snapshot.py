"""What is left behind: all API objects of all kinds, and the processes, mounts and network devices of the nodes,
compared before and after. In a cluster that is not ours, where others work: the objects that mirrorfs and its tests make.

    before = snapshot.settled(cluster)
    ...
    snapshot.assert_same(cluster, before)
"""

import hashlib
import json
import time

from cluster import LABEL

# Written by the cluster itself, all the time.
VOLATILE_KINDS = {"events", "events.events.k8s.io", "leases.coordination.k8s.io", "componentstatuses"}
# Where a node's own mounts are; the rest of its table is that of the machine it runs on.
NODE_PLACES = ("/var/lib/", "/var/log/", "/run/", "/proc/sys/", "/sys/")
GOING = "being deleted"  # in place of an object's digest
LIMIT = 60  # seconds until what goes away by itself is gone
MANAGED = "app.kubernetes.io/managed-by"
OURS = (f"{MANAGED}=mirrorfs", "mirrorfs.io/mode", LABEL)  # of agents, of all modes, and of what tests make


def take(cluster):
    """The present state: a dictionary from the thing to what tells it from another of the same name."""
    state = api_objects(cluster)
    if cluster.directory:
        for node in cluster.nodes():
            state.update(node_state(cluster, node))
    return state


def kinds_of(cluster):
    kinds = cluster.kubectl("api-resources", "--verbs=list", "-o", "name").split()
    return ",".join(sorted(set(kinds) - VOLATILE_KINDS))


def is_ours(item):
    metadata = item["metadata"]
    labels = metadata.get("labels", {})
    place = metadata.get("namespace") or metadata["name"]
    return place.startswith("mirrorfs-e2e-") or labels.get(MANAGED) == "mirrorfs" or bool(labels.keys() & set(OURS))


def ours(cluster):
    """What agents and tests have made and is there, of all kinds: what users would look for with these labels."""
    words = ("get", f"all,pods,{kinds_of(cluster)}", "--all-namespaces", "--ignore-not-found", "-o", "name")
    return sorted({name for label in OURS for name in cluster.kubectl(*words, "-l", label).split()})


def api_objects(cluster):
    found = {}
    for item in cluster.get(kinds_of(cluster), "--all-namespaces")["items"]:
        if not cluster.directory and not is_ours(item):
            continue
        metadata = item["metadata"]
        group = item["apiVersion"].split("/")[0] if "/" in item["apiVersion"] else "core"
        place = metadata.get("namespace", "-")
        found[f"object {group} {item['kind']} {place}/{metadata['name']}"] = digest(item)
    return found


def digest(item):
    """Of what users write, not of what the cluster notes about it."""
    item.pop("status", None)
    if "deletionTimestamp" in item["metadata"]:
        return GOING
    for field in ("resourceVersion", "managedFields", "generation"):
        item["metadata"].pop(field, None)
    return hashlib.sha256(json.dumps(item, sort_keys=True).encode()).hexdigest()


def node_state(cluster, node):
    processes = cluster.node_exec(node, "ps", "-e", "-o", "pid=,args=").splitlines()
    mounts = cluster.node_exec(node, "cat", "/proc/self/mountinfo").splitlines()
    links = cluster.node_exec(node, "ip", "-json", "link")
    found = {}
    for line in processes:
        pid, command = line.split(None, 1)
        # The one that lists them, and what the kernel has not freed yet.
        if not command.startswith("ps -e -o") and not command.endswith("<defunct>"):
            found[f"process on {node}: {pid} {command}"] = ""
    for line in mounts:
        fields = line.split()
        if fields[4].startswith(NODE_PLACES):
            found[f"mount on {node}: {fields[4]} ({fields[fields.index('-') + 1]})"] = fields[0]
    for link in json.loads(links):
        found[f"network device on {node}: {link['ifname']}"] = ""
    return found


def differences(before, after):
    left = [f"left: {thing}" for thing in after.keys() - before.keys()]
    gone = [f"gone: {thing}" for thing in before.keys() - after.keys()]
    changed = [f"changed: {thing}" for thing in before.keys() & after.keys() if before[thing] != after[thing]]
    return sorted(left + gone + changed)


def settled(cluster, look=take):
    """The state once nothing moves: a new cluster is still writing its own objects."""
    end = time.monotonic() + LIMIT
    state = look(cluster)
    while True:
        time.sleep(1)
        again = look(cluster)
        moved = differences(state, again) + [f"going: {thing}" for thing, what in again.items() if what == GOING]
        if not moved:
            return again
        if time.monotonic() > end:
            raise AssertionError("the cluster does not come to rest:\n" + "\n".join(moved))
        state = again


def leftovers(cluster, before, look=take):
    """What differs, once all that is only on its way out has gone."""
    end = time.monotonic() + LIMIT
    while True:
        found = differences(before, look(cluster))
        if not found or time.monotonic() > end:
            return found
        time.sleep(0.5)


def assert_same(cluster, before):
    found = leftovers(cluster, before)
    if found:
        raise AssertionError("after the tests:\n" + "\n".join(found))
