#!/usr/bin/env python3
"""Dependencies run one way (docs/architecture.md). Checks every #include, and where file system calls are made.

usage: include_directions.py ROOT
"""

import pathlib
import re
import sys

from sources import PRODUCT_FOLDERS, code_only, sources

# Folder (the longest prefix counts): the project's own folders it may include from, besides itself.
ALLOWED = {
    "protos/shared": [],
    "protos/certificates": ["protos/shared"],
    "protos/wire": ["protos/shared", "protos/mirrorfs"],
    "protos/rootfs": ["protos/shared"],
    "protos/layer": ["protos/shared"],
    "protos/policy": ["protos/shared"],
    "protos/preface": ["protos/shared"],
    "agent/target": ["protos/shared", "protos/rootfs/id_map.h", "protos/rootfs/identity.h"],
    "agent/privileges": ["protos/shared"],
    "agent/service": ["protos", "agent/target"],
    "agent/shared": ["protos/shared", "protos/certificates", "protos/preface", "agent"],
    "agent": ["protos/shared", "protos/certificates", "agent"],  # main.cc and options: they wire things together
    "fusefs/core": ["protos/shared"],
    "fusefs/kernel": ["protos/shared", "fusefs/core"],
    "fusefs/remote": ["protos"],
    "fusefs/view": ["protos/shared", "protos/policy", "protos/layer", "protos/rootfs/component_name.h",
                    "protos/rootfs/link_target.h"],
    "fusefs/transfer": ["protos/shared"],
    "fusefs/daemon": ["protos/shared", "protos/policy", "protos/layer", "protos/rootfs", "fusefs/core", "fusefs/kernel",
                      "fusefs/remote", "fusefs/transfer", "fusefs/view"],
    "launcher": ["protos/shared", "protos/certificates", "protos/preface", "protos/policy", "protos/layer"],
}

# Library headers that only some folders may see.
CONFINED = [
    ("libfuse", re.compile(r"^<(fuse3/)?fuse\w*\.h>$|^<fuse3/"), ["fusefs/kernel"]),
    (
        "gRPC and protobuf",
        re.compile(r"^[<\"](grpc|grpcpp|grpc\+\+|google/protobuf)/|\.pb\.h[>\"]$|\.grpc\.pb\.h[>\"]$"),
        ["protos/wire", "agent/service", "agent/target", "fusefs/remote"],
    ),
    ("libseccomp and capabilities", re.compile(r"^<(seccomp|sys/capability|cap-ng)\.h>$"), ["agent/privileges"]),
    ("OpenSSL", re.compile(r"^<openssl/"), ["protos/certificates", "agent", "launcher/agentmodes"]),
    ("Boost.Program_options", re.compile(r"^<boost/program_options"), ["agent", "fusefs/daemon", "launcher"]),
]

# Calls that touch files by name. In the agent only the rooted file system makes them on the container's tree; the
# others named here touch the host's own files: /proc, runtime sockets, what the agent itself keeps.
FILE_CALLS = re.compile(
    r"(?<![\w.>])(?:::)?(open|openat|openat2|creat|unlink|unlinkat|rename|renameat|renameat2|mkdir|mkdirat|rmdir|mknodat|"
    r"symlinkat|linkat|readlinkat|readlink|fstatat|statx|lstat|stat|chmod|fchmodat|chown|fchownat|lchown|truncate|"
    r"utimensat|opendir|fdopendir|getdents64|name_to_handle_at|open_by_handle_at|listxattr|getxattr|setxattr)\s*\(|"
    r"std::(i|o)?fstream\b|std::filesystem\b"
)
FILE_CALL_FOLDERS = ["agent/target"]
FILE_CALL_EXCEPTIONS = {
    "agent/listener.cc": ["stat", "lstat", "unlink"],  # the path of the agent's own socket
    "agent/main.cc": ["unlink"],  # likewise
    # what the agent was put into, removed by it at the end
    "agent/own_directory.cc": ["open", "opendir", "lstat", "unlink", "unlinkat"],
    "agent/shared/agent_table.cc": ["unlink"],  # of a child's socket
    "agent/shared/read_file.cc": ["std::ifstream"],  # the pod's own token and certificates
    "agent/shared/run_shared.cc": ["mkdir"],  # for its own sockets
    "agent/secrets.cc": ["std::ifstream"],  # token and TLS files of the host, read before privileges are given up
}

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"][^>"]+[>"])', re.M)


def folder_of(path):
    """The key of ALLOWED that rules this path, or None."""
    text = path.as_posix()
    matches = [folder for folder in ALLOWED if text.startswith(folder + "/")]
    return max(matches, key=len) if matches else None


def within(path, folders):
    return any(path == folder or path.startswith(folder + "/") for folder in folders)


def own_include_problem(path, target):
    folder = folder_of(path)
    if folder is None:
        return f"{path}: lies in no folder that the rules know"
    if folder == "agent" and within(target, ["agent", "protos/shared", "protos/rootfs", "protos/certificates", "protos/wire/protocol_version.h"]):
        return None
    if within(target, [folder] + ALLOWED[folder]):
        return None
    return f"{path}: includes {target}; {folder} may include only {', '.join(ALLOWED[folder]) or 'itself'}"


def include_problems(path, text):
    for include in INCLUDE.findall(text):
        target = include[1:-1]
        if include[0] == '"' and target.split("/")[0] in FOLDERS_OF_OURS and not target.endswith(".pb.h"):
            problem = own_include_problem(path, target)
            if problem:
                yield problem
        for name, pattern, folders in CONFINED:
            if pattern.search(include) and not allowed_here(path, folders):
                yield f"{path}: includes {include}; {name} belongs to {', '.join(folders)}"


FOLDERS_OF_OURS = PRODUCT_FOLDERS + ("tests",)


def allowed_here(path, folders):
    """`agent` alone names the files that lie directly in it."""
    return any(
        path.as_posix().startswith(folder + "/") if "/" in folder or folder == "launcher" else path.parent.as_posix() == folder
        for folder in folders
    )


def file_call_problems(path, text):
    if not path.as_posix().startswith("agent/") or within(path.as_posix(), FILE_CALL_FOLDERS):
        return
    for match in FILE_CALLS.finditer(code_only(text)):
        call = match.group(1) or match.group(0)
        if call in FILE_CALL_EXCEPTIONS.get(path.as_posix(), ()):
            continue
        yield f"{path}: calls {call}; files are touched in protos/rootfs and {', '.join(FILE_CALL_FOLDERS)} only"


def problems(root):
    for path in sources(root, PRODUCT_FOLDERS):
        text = (pathlib.Path(root) / path).read_text()
        yield from include_problems(path, text)
        yield from file_call_problems(path, text)


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else "."
    checked = len(sources(root, PRODUCT_FOLDERS))
    found = list(problems(root))
    for problem in found:
        print(problem)
    print(f"include directions: {checked} files, {len(found)} problems")
    return 1 if found or not checked else 0


if __name__ == "__main__":
    sys.exit(main())
