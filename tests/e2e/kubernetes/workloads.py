"""Objects that have pods, of every kind that can be named as a target, each with a nonce of its own in its pods' /nonce."""

from cluster import BUSYBOX

SLEEP = ["sleep", "100000"]

ROLLOUTS = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "rollouts.argoproj.io"},
            "spec": {"group": "argoproj.io", "scope": "Namespaced",
                     "names": {"kind": "Rollout", "plural": "rollouts", "singular": "rollout"},
                     "versions": [{"name": "v1alpha1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {
                         "type": "object", "x-kubernetes-preserve-unknown-fields": True}}}]}}


def saying(nonce):
    """A container that is ready when the nonce can be read."""
    return {"name": "app", "image": BUSYBOX, "command": ["sh", "-c", f"echo {nonce} > /nonce; exec sleep 100000"],
            "readinessProbe": {"exec": {"command": ["test", "-s", "/nonce"]}, "periodSeconds": 1}}


def template(name, *containers, labels=None, **spec):
    return {"metadata": {"labels": {"app": name, **(labels or {})}},
            "spec": {"terminationGracePeriodSeconds": 1, "containers": list(containers), **spec}}


def workload(kind, name, *containers, labels=None, **spec):
    containers = containers or [{"name": "app", "image": BUSYBOX, "command": SLEEP}]
    described = template(name, *containers, labels=labels)
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name},
            "spec": {"selector": {"matchLabels": described["metadata"]["labels"]}, "template": described, **spec}}


def job(name, *containers):
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name},
            "spec": {"template": template(name, *containers, restartPolicy="Never")}}


def cronjob(name, *containers):
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": name},
            "spec": {"schedule": "* * * * *", "suspend": True, "jobTemplate": {"spec": job(name, *containers)["spec"]}}}


def service(name, app):
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
            "spec": {"selector": {"app": app}, "ports": [{"port": 80}]}}


def rollout(name, *containers):
    """As Argo's controller would make it: a replica set named by the hash of the version, which its pods' labels have."""
    version = {"app": name, "rollouts-pod-template-hash": "5d8f7c9b6"}
    return [{"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": name},
             "spec": {"selector": {"matchLabels": {"app": name}}, "template": template(name, *containers)}},
            workload("ReplicaSet", f"{name}-5d8f7c9b6", *containers, labels=version)]


class WorkloadCase:
    """Beside ClusterCase."""

    def ready_pods(self, selector):
        items = self.cluster.get("pods", "-n", self.namespace, "-l", selector)["items"]
        return [item for item in items if any(each["type"] == "Ready" and each["status"] == "True"
                                              for each in item["status"].get("conditions", []))]

    def wait_ready(self, selector, count):
        self.wait_for(lambda: len(self.ready_pods(selector)) == count, f"{count} ready pods of {selector}")

    def define_rollouts(self, cache):
        """Only for this test; kubectl forgets about them with the directory `cache`."""
        self.cluster = self.cluster.with_cache(cache)
        if self.cluster.run("get", "crd", "rollouts.argoproj.io").returncode == 0:
            return
        self.cluster.apply(ROLLOUTS)
        self.addCleanup(self.remove, "crd", "rollouts.argoproj.io")
        self.cluster.kubectl("wait", "--for=condition=Established", "crd/rollouts.argoproj.io", "--timeout=60s")

    def start_every_kind(self, nonce):
        """The targets, each with what its /nonce says. Their names: the kind's."""
        says = {kind: f"{kind}-{nonce}" for kind in ("deployment", "statefulset", "daemonset", "replicaset", "job", "cronjob",
                                                     "rollout")}
        container = {kind: saying(text) for kind, text in says.items()}
        self.cluster.apply(workload("Deployment", "deployment", container["deployment"], replicas=2),
                           workload("StatefulSet", "statefulset", container["statefulset"], serviceName="statefulset"),
                           workload("DaemonSet", "daemonset", container["daemonset"]),
                           workload("ReplicaSet", "replicaset", container["replicaset"]),
                           job("job", container["job"]), cronjob("cronjob", container["cronjob"]),
                           service("service", "deployment"), *rollout("rollout", container["rollout"]),
                           namespace=self.namespace)
        self.kubectl("create", "job", "cronjob-1", "--from=cronjob/cronjob")
        counts = {"deployment": 2, "daemonset": len(self.cluster.nodes())}
        for kind in says:
            self.wait_ready(f"app={kind}", counts.get(kind, 1))
        return {**{f"{kind}/{kind}": text for kind, text in says.items()}, "service/service": says["deployment"]}
