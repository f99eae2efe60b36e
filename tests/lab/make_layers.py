#!/usr/bin/python3
"""Writes the layers of the lab's image: make_layers.py BUSYBOX OUTPUT_DIRECTORY.

The first layer is a small system with files of every kind under /lower; the second changes, replaces and removes some
of them, so that a container of the image has lower files in two layers, whiteouts and an opaque directory.
"""
import io
import os
import subprocess
import sys
import tarfile

CLOCK = 1600000000  # every file's mtime, unless said otherwise
KEEP_RUNNING = b"""#!/bin/sh
# The container's first process: stays until it is told to end.
trap 'exit 0' TERM INT
while :; do sleep 3600 & wait $!; done
"""


class Layer:
    def __init__(self, path):
        self.tar = tarfile.open(path, "w", format=tarfile.PAX_FORMAT, encoding="utf-8", errors="surrogateescape")

    def add(self, name, kind=tarfile.REGTYPE, data=b"", mode=0o644, owner=(0, 0), link="", mtime=CLOCK, xattrs=None):
        info = tarfile.TarInfo(name)
        info.type, info.mode, info.mtime, info.linkname = kind, mode, mtime, link
        info.uid, info.gid = owner
        info.size = len(data)
        for key, value in (xattrs or {}).items():
            info.pax_headers["SCHILY.xattr." + key] = value
        self.tar.addfile(info, io.BytesIO(data))

    def directory(self, name, mode=0o755, owner=(0, 0)):
        self.add(name, tarfile.DIRTYPE, mode=mode, owner=owner)

    def symlink(self, name, target):
        self.add(name, tarfile.SYMTYPE, link=target, mode=0o777)

    def hard_link(self, name, target):
        self.add(name, tarfile.LNKTYPE, link=target)


def add_system(layer, busybox):
    for name in ("bin", "dev", "etc", "etc/alternatives", "home", "lower", "opt", "proc", "run", "srv", "sys", "usr",
                 "usr/bin", "usr/share", "var", "var/log", "volumes", "volumes/bind", "volumes/readonly",
                 "volumes/tmpfs"):
        layer.directory(name)
    layer.directory("home/app", owner=(1000, 1000))
    layer.directory("root", mode=0o700)
    layer.directory("tmp", mode=0o1777)
    with open(busybox, "rb") as program:
        layer.add("bin/busybox", data=program.read(), mode=0o755)
    applets = subprocess.run([busybox, "--list"], check=True, capture_output=True, text=True).stdout.split()
    for applet in applets:
        if applet != "busybox":
            layer.symlink("bin/" + applet, "busybox")
    layer.add("etc/passwd", data=b"root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home/app:/bin/sh\n")
    layer.add("etc/group", data=b"root:x:0:\napp:x:1000:\nstaff:x:50:app\n")
    layer.add("etc/shadow", data=b"root:*:19000:0:99999:7:::\n", mode=0o640, owner=(0, 42))
    layer.add("etc/hostname", data=b"lab\n")
    layer.add("etc/os-release", data=b'PRETTY_NAME="mirrorfs lab container"\nID=mirrorfs-lab\n')
    layer.add("keep-running", data=KEEP_RUNNING, mode=0o755)
    # Absolute links: followed on the wrong side they show the host's file.
    layer.symlink("etc/alternatives/editor", "/usr/bin/vi")
    layer.symlink("etc/alternatives/release", "/etc/os-release")
    layer.symlink("usr/bin/editor", "/etc/alternatives/editor")
    layer.symlink("usr/bin/vi", "/bin/busybox")


def add_files(layer):
    layer.add("lower/regular.txt", data=b"from the first layer\n")
    layer.add("lower/empty")
    layer.add("lower/binary", data=bytes(range(256)) * 4096)
    layer.add("lower/changed.txt", data=b"first version\n")
    layer.add("lower/removed.txt", data=b"removed by the second layer\n")
    layer.add("lower/hard_a", data=b"two names\n")
    layer.hard_link("lower/hard_b", "lower/hard_a")
    layer.add("lower/setuid", data=b"#!/bin/sh\n", mode=0o4755)
    layer.add("lower/setgid", data=b"#!/bin/sh\n", mode=0o2755, owner=(0, 50))
    layer.add("lower/private_root", data=b"root only\n", mode=0o600)
    layer.add("lower/private_app", data=b"app only\n", mode=0o600, owner=(1000, 1000))
    layer.add("lower/no_mode", data=b"nobody\n", mode=0o000)
    layer.add("lower/group_staff", data=b"staff\n", mode=0o640, owner=(0, 50))
    layer.add("lower/other_owner", data=b"12345:23456\n", owner=(12345, 23456))
    layer.add("lower/script", data=b"#!/bin/sh\necho ran\n", mode=0o755)
    layer.add("lower/old", data=b"1985\n", mtime=500000000)
    layer.add("lower/with_xattr", data=b"xattr\n", xattrs={"user.lab": "value"})
    layer.add("lower/fifo", tarfile.FIFOTYPE, mode=0o644)
    layer.add("lower/" + "n" * 255, data=b"the longest name\n")
    layer.add("lower/gr\u00fc\u00df \u4e16\u754c", data=b"unicode\n")
    layer.add("lower/new\nline", data=b"newline\n")
    layer.add("lower/not-utf8-" + os.fsdecode(b"\xff\xfe"), data=b"bytes\n")


def add_directories(layer):
    layer.directory("lower/setgid_dir", mode=0o2775, owner=(0, 50))
    layer.directory("lower/sticky_dir", mode=0o1777)
    layer.add("lower/sticky_dir/of_app", owner=(1000, 1000))
    layer.directory("lower/private_dir", mode=0o700)
    layer.add("lower/private_dir/inside", data=b"inside\n")
    layer.directory("lower/app_dir", owner=(1000, 1000))
    layer.add("lower/app_dir/file", data=b"of app\n", owner=(1000, 1000))
    layer.directory("lower/opaque")
    layer.add("lower/opaque/hidden", data=b"hidden by the second layer\n")
    layer.directory("lower/many")
    for number in range(1000):
        layer.add("lower/many/file%04d" % number, data=b"%d\n" % number)
    deep = "lower/deep"
    layer.directory(deep)
    for level in range(20):
        deep += "/level%02d" % level
        layer.directory(deep)
    layer.add(deep + "/bottom", data=b"deep\n")


def add_links(layer):
    layer.directory("lower/links")
    for name, target in (("relative", "../regular.txt"), ("absolute", "/lower/regular.txt"), ("to_dir", "../many"),
                         ("absolute_dir", "/lower/many"), ("dangling", "nothing/here"),
                         ("dangling_absolute", "/nothing"), ("loop_a", "loop_b"), ("loop_b", "loop_a"),
                         ("self", "self"), ("above", "../../../../../../etc/passwd"),
                         ("host_file", "/etc/machine-id"), ("long", "x" * 4000)):
        layer.symlink("lower/links/" + name, target)
    layer.symlink("lower/links/chain00", "../regular.txt")
    for number in range(1, 40):
        layer.symlink("lower/links/chain%02d" % number, "chain%02d" % (number - 1))


def add_second_layer(layer):
    layer.directory("lower")
    layer.add("lower/changed.txt", data=b"second version, longer than the first\n", mode=0o640, owner=(1000, 50))
    layer.add("lower/.wh.removed.txt")
    layer.directory("lower/opaque")
    layer.add("lower/opaque/.wh..wh..opq")
    layer.add("lower/opaque/shown", data=b"from the second layer\n")
    layer.add("lower/second.txt", data=b"from the second layer\n")
    layer.add("lower/many/file0500", data=b"five hundred, changed\n")


def main():
    busybox, output = sys.argv[1:]
    first = Layer(os.path.join(output, "layer1.tar"))
    add_system(first, busybox)
    add_files(first)
    add_directories(first)
    add_links(first)
    first.tar.close()
    second = Layer(os.path.join(output, "layer2.tar"))
    add_second_layer(second)
    second.tar.close()


if __name__ == "__main__":
    main()
