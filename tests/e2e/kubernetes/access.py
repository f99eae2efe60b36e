"""Kubeconfigs of somebody who has exactly the given rights, as a service account or as a user with a certificate."""

import base64
import json
import os
import subprocess
import tempfile


def rule(verbs, resources, groups=("",), names=()):
    """One rule of a Role, of words: rule("get list", "pods pods/log")."""
    described = {"apiGroups": list(groups), "resources": resources.split(), "verbs": verbs.split()}
    if names:
        described["resourceNames"] = list(names)
    return described


def grant(cluster, namespace, name, rules, subject):
    """A Role with the rules, bound to the subject; both go with the namespace."""
    api = "rbac.authorization.k8s.io"
    cluster.apply({"apiVersion": f"{api}/v1", "kind": "Role", "metadata": {"name": name}, "rules": rules},
                  {"apiVersion": f"{api}/v1", "kind": "RoleBinding", "metadata": {"name": name},
                   "roleRef": {"apiGroup": api, "kind": "Role", "name": name}, "subjects": [subject]},
                  namespace=namespace)


def service_account_kubeconfig(cluster, namespace, name, rules, directory):
    """Of a new service account that may do, in its namespace, what the rules say. Returns the file's path."""
    cluster.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}}, namespace=namespace)
    grant(cluster, namespace, name, rules, {"kind": "ServiceAccount", "name": name, "namespace": namespace})
    token = cluster.kubectl("create", "token", name, "-n", namespace, "--duration=1h")
    return write(cluster, namespace, name, {"token": token}, directory)


def user_kubeconfig(cluster, namespace, name, rules, directory):
    """Of a user whom only a client certificate proves, signed by the cluster itself. Returns the file's path."""
    key, certificate = user_certificate(cluster, name)
    grant(cluster, namespace, name, rules, {"kind": "User", "name": name})
    credentials = {"client-key-data": encoded(key), "client-certificate-data": certificate}
    return write(cluster, namespace, name, credentials, directory)


def user_certificate(cluster, name):
    with tempfile.TemporaryDirectory() as place:
        key_file = os.path.join(place, "key")
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key_file], check=True)
        request = subprocess.run(["openssl", "req", "-new", "-key", key_file, "-subj", f"/CN={name}"], check=True,
                                 capture_output=True).stdout
        with open(key_file, "rb") as file:
            key = file.read()
    resource = f"csr/{name}"
    cluster.apply({"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
                   "metadata": {"name": name},
                   "spec": {"request": encoded(request), "signerName": "kubernetes.io/kube-apiserver-client",
                            "expirationSeconds": 3600, "usages": ["client auth"]}})
    try:
        cluster.kubectl("certificate", "approve", name)
        cluster.kubectl("wait", "--for=jsonpath={.status.certificate}", resource, "--timeout=60s")
        return key, cluster.get(resource)["status"]["certificate"]
    finally:
        cluster.kubectl("delete", resource)


def encoded(data):
    return base64.b64encode(data).decode()


def write(cluster, namespace, name, credentials, directory):
    view = json.loads(cluster.kubectl("config", "view", "--raw", "--minify", "--flatten", "-o", "json"))
    view["users"] = [{"name": name, "user": credentials}]
    view["contexts"] = [{"name": name, "context": {"cluster": view["clusters"][0]["name"], "user": name,
                                                   "namespace": namespace}}]
    view["current-context"] = name
    path = os.path.join(directory, f"{name}.kubeconfig")
    with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(view, file)
    return path
