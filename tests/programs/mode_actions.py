"""Every kind of access, each in a directory of its own: mode_actions.py DIRECTORY

Prints as JSON what came of each (OK, or the name of its errno), and the tree as it is seen afterwards. The text can be
handed to `python3 -c`, so that nothing of it has to be looked for; DIRECTORY may be the current one.
"""

import errno
import hashlib
import json
import mmap
import os
import stat
import sys


def write(path, text, mode="w"):
    with open(path, mode, encoding="utf-8") as file:
        file.write(text)


def make_tree(directory, word):
    """What is there before: files that hold `word`, for each action."""
    for name in ACTIONS:
        os.makedirs(f"{directory}/{name}/sub")
        os.mkdir(f"{directory}/{name}/empty")
        for path in ("file", "sub/below"):
            write(f"{directory}/{name}/{path}", f"{word}\n")
        os.setxattr(f"{directory}/{name}/file", "user.a", word.encode())


def read(at):
    with open(f"{at}/file", encoding="utf-8") as file:
        return file.read()


def overwrite(at):
    with open(f"{at}/file", "r+", encoding="utf-8") as file:
        file.write("NEW")


def set_attributes(at):
    os.setxattr(f"{at}/file", "user.b", b"value")
    os.removexattr(f"{at}/file", "user.a")


def mmap_write(at):
    with open(f"{at}/file", "r+b") as file, mmap.mmap(file.fileno(), 0) as area:
        area[0:6] = b"mapped"


ACTIONS = {
    "read": read,
    "create": lambda at: write(f"{at}/new", "created\n", "x"),
    "write": overwrite,
    "append": lambda at: write(f"{at}/file", "more\n", "a"),
    "truncate": lambda at: os.truncate(f"{at}/file", 2),
    "open-and-truncate": lambda at: write(f"{at}/file", "fresh\n"),
    "rename": lambda at: os.rename(f"{at}/file", f"{at}/moved"),
    "rename-directory": lambda at: os.rename(f"{at}/sub", f"{at}/moved"),
    "link": lambda at: os.link(f"{at}/file", f"{at}/second"),
    "symlink": lambda at: os.symlink("file", f"{at}/link"),
    "unlink": lambda at: os.unlink(f"{at}/file"),
    "mkdir": lambda at: os.mkdir(f"{at}/made"),
    "rmdir": lambda at: os.rmdir(f"{at}/empty"),
    "chmod": lambda at: os.chmod(f"{at}/file", 0o604),
    "xattr": set_attributes,
    "mmap-write": mmap_write,
}


def seen(directory):
    """A line for each name, as any side shows it: sizes and links of directories are a file system's own affair."""
    lines = []
    for at, names, files in os.walk(directory):
        for path in (os.path.join(at, name) for name in names + files):
            info = os.lstat(path)
            line = [os.path.relpath(path, directory), oct(info.st_mode)]
            if stat.S_ISLNK(info.st_mode):
                line.append(os.readlink(path))
            if stat.S_ISREG(info.st_mode):
                with open(path, "rb") as file:
                    line += [info.st_size, info.st_nlink, hashlib.sha256(file.read()).hexdigest()]
                line += [[name, os.getxattr(path, name).decode()] for name in sorted(os.listxattr(path))]
            lines.append(line)
    return sorted(lines)


def main():
    results = {}
    for name, act in ACTIONS.items():
        try:
            act(f"{sys.argv[1]}/{name}")
            results[name] = "OK"
        except OSError as failure:
            results[name] = errno.errorcode[failure.errno]
    json.dump({"results": results, "tree": seen(sys.argv[1])}, sys.stdout)


if __name__ == "__main__":
    main()
