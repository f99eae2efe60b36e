#!/usr/bin/python3 -B
"""Every file of a tree, and what tells whether somebody has touched it: tree_digest.py ROOT, as JSON by path.

Of each: kind and mode, owner, size, times of modification and change, extended attributes, and content. The time of change
cannot be set by anybody: it tells of a file that was opened for writing on an overlay (and copied up), and of what was
changed and put back.
"""

import hashlib
import json
import os
import stat
import sys

KERNELS = {"proc", "sys", "dev"}  # of the root: not files of the container


def content(path, info):
    if stat.S_ISLNK(info.st_mode):
        return os.readlink(path)
    if not stat.S_ISREG(info.st_mode):
        return f"{os.major(info.st_rdev)}:{os.minor(info.st_rdev)}"
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def facts(path, info):
    attributes = {name: os.getxattr(path, name, follow_symlinks=False).hex()
                  for name in os.listxattr(path, follow_symlinks=False)}
    size = 0 if stat.S_ISDIR(info.st_mode) else info.st_size
    return {"mode": oct(info.st_mode), "owner": f"{info.st_uid}:{info.st_gid}", "size": size, "modified": info.st_mtime_ns,
            "changed": info.st_ctime_ns, "attributes": attributes, "content": content(path, info)}


def walk(root):
    found = {}
    places = [""]
    while places:
        place = places.pop()
        info = os.lstat(root + place + "/")
        found[place or "/"] = facts(root + place + "/", info)
        with os.scandir(root + place + "/") as entries:
            for entry in entries:
                path = f"{place}/{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    if place or entry.name not in KERNELS:
                        places.append(path)
                else:
                    found[path] = facts(root + path, entry.stat(follow_symlinks=False))
    return found


if __name__ == "__main__":
    json.dump(walk(sys.argv[1]), sys.stdout)
