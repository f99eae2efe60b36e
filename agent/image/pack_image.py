#!/usr/bin/env python3
"""Packs layer tars into an image archive (docker-archive) that docker, podman and containerd load, without any of them.

The same input gives the same bytes. Example: the agent's image, FROM scratch, with one layer made of one file:
    pack_image.py --name mirrorfs-agent:0.1 --file build/bin/mirrorfs-agent=/mirrorfs-agent \
        --entrypoint /mirrorfs-agent --output mirrorfs-agent.tar
"""
import argparse
import hashlib
import io
import json
import platform
import tarfile

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
EPOCH = "1970-01-01T00:00:00Z"


def layer_of_files(files):
    """One layer with the given "source=/destination" files, owned by root, mode 0755."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for pair in files:
            source, destination = pair.split("=", 1)
            info = tarfile.TarInfo(destination.lstrip("/"))
            with open(source, "rb") as content:
                info.size = content.seek(0, io.SEEK_END)
                info.mode = 0o755
                content.seek(0)
                tar.addfile(info, content)
    return buffer.getvalue()


def image_config(arguments, layers):
    config = {"Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]}
    if arguments.entrypoint:
        config["Entrypoint"] = arguments.entrypoint
    if arguments.command:
        config["Cmd"] = arguments.command
    diff_ids = ["sha256:" + hashlib.sha256(layer).hexdigest() for layer in layers]
    return {
        "architecture": ARCHITECTURES.get(arguments.machine, arguments.machine),
        "os": "linux",
        "created": EPOCH,
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": [{"created": EPOCH} for _ in layers],
    }


def add(tar, name, data):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


def qualified(name):
    """containerd wants the registry's name too; the same name without it is what docker shows."""
    if ":" not in name.rsplit("/", 1)[-1]:
        name += ":latest"
    if "/" not in name:
        name = "library/" + name
    return name if "." in name.split("/")[0] else "docker.io/" + name


def write_archive(arguments, layers):
    config = json.dumps(image_config(arguments, layers), sort_keys=True).encode()
    config_name = hashlib.sha256(config).hexdigest() + ".json"
    layer_names = [hashlib.sha256(layer).hexdigest() + "/layer.tar" for layer in layers]
    manifest = [{"Config": config_name, "RepoTags": [qualified(arguments.name)], "Layers": layer_names}]
    with tarfile.open(arguments.output, "w", format=tarfile.PAX_FORMAT) as tar:
        add(tar, config_name, config)
        for name, layer in zip(layer_names, layers):
            add(tar, name, layer)
        add(tar, "manifest.json", json.dumps(manifest).encode())


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", required=True, help="name[:tag]")
    parser.add_argument("--output", required=True)
    parser.add_argument("--layer", action="append", default=[], help="a layer's tar, lowest first")
    parser.add_argument("--file", action="append", default=[], metavar="SOURCE=/PATH", help="goes into a layer on top")
    parser.add_argument("--entrypoint", nargs="*")
    parser.add_argument("--command", nargs="*")
    parser.add_argument("--machine", default=platform.machine())
    return parser.parse_args()


def main():
    arguments = parse()
    layers = []
    for path in arguments.layer:
        with open(path, "rb") as layer:
            layers.append(layer.read())
    if arguments.file:
        layers.append(layer_of_files(arguments.file))
    write_archive(arguments, layers)


if __name__ == "__main__":
    main()
