#!/usr/bin/python3
"""Makes and ends pods through a CRI socket: what crictl does, which no Debian package has.

    cri_client.py SOCKET run --pod P --namespace N --container C --image I [--mount SOURCE:DESTINATION[:ro]]...
    cri_client.py SOCKET pid ID
    cri_client.py SOCKET stop ID
"""
import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile

import grpc

HERE = os.path.dirname(os.path.realpath(__file__))


def load_messages():
    """The messages of cri_lab.proto, generated on the spot."""
    with tempfile.TemporaryDirectory() as output:
        subprocess.run(["protoc", "-I", HERE, "--python_out", output, "cri_lab.proto"], check=True)
        sys.path.insert(0, output)
        try:
            return importlib.import_module("cri_lab_pb2")
        finally:
            sys.path.pop(0)


class Runtime:
    def __init__(self, socket):
        self.messages = load_messages()
        self.channel = grpc.insecure_channel("unix:" + socket, options=[("grpc.default_authority", "localhost")])

    def call(self, method, request):
        reply = getattr(self.messages, method + "Response")
        stub = self.channel.unary_unary(
            "/runtime.v1.RuntimeService/" + method,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=reply.FromString)
        return stub(request, timeout=30)


def sandbox_config(messages, arguments):
    config = messages.PodSandboxConfig(log_directory=arguments.log_directory)
    config.metadata.name = arguments.pod
    config.metadata.uid = arguments.namespace + "-" + arguments.pod
    config.metadata.namespace = arguments.namespace
    config.labels.update({"io.kubernetes.pod.name": arguments.pod, "io.kubernetes.pod.namespace": arguments.namespace})
    config.linux.cgroup_parent = arguments.cgroup_parent
    config.linux.security_context.namespace_options.network = messages.NODE
    config.linux.security_context.namespace_options.pid = messages.CONTAINER
    return config


def container_config(messages, arguments):
    config = messages.ContainerConfig(command=["/keep-running"], log_path=arguments.pod + ".log")
    config.metadata.name = arguments.container
    config.image.image = arguments.image
    config.labels.update({"io.kubernetes.container.name": arguments.container, "io.kubernetes.pod.name": arguments.pod,
                          "io.kubernetes.pod.namespace": arguments.namespace})
    config.linux.security_context.namespace_options.network = messages.NODE
    config.linux.security_context.namespace_options.pid = messages.CONTAINER
    for mount in arguments.mount:
        source, destination, *options = mount.split(":")
        config.mounts.add(host_path=source, container_path=destination, readonly="ro" in options)
    return config


def run(runtime, arguments):
    messages = runtime.messages
    sandbox = sandbox_config(messages, arguments)
    pod = runtime.call("RunPodSandbox", messages.RunPodSandboxRequest(config=sandbox)).pod_sandbox_id
    request = messages.CreateContainerRequest(
        pod_sandbox_id=pod, config=container_config(messages, arguments), sandbox_config=sandbox)
    container = runtime.call("CreateContainer", request).container_id
    runtime.call("StartContainer", messages.StartContainerRequest(container_id=container))
    print(container)


def pid(runtime, arguments):
    request = runtime.messages.ContainerStatusRequest(container_id=arguments.id, verbose=True)
    print(json.loads(runtime.call("ContainerStatus", request).info["info"])["pid"])


def stop(runtime, arguments):
    runtime.call("StopContainer", runtime.messages.StopContainerRequest(container_id=arguments.id, timeout=0))


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("socket")
    commands = parser.add_subparsers(required=True, dest="command")
    make = commands.add_parser("run")
    for option in ("pod", "namespace", "container", "image", "cgroup-parent", "log-directory"):
        make.add_argument("--" + option, required=True)
    make.add_argument("--mount", action="append", default=[])
    for name in ("pid", "stop"):
        commands.add_parser(name).add_argument("id")
    return parser.parse_args()


def main():
    arguments = parse()
    runtime = Runtime(arguments.socket)
    {"run": run, "pid": pid, "stop": stop}[arguments.command](runtime, arguments)


if __name__ == "__main__":
    main()
