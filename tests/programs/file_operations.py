"""A program of many small ones: what users of tools that preload a library were bitten by. file_operations.py DIRECTORY

Runs each in a directory of its own below DIRECTORY, which has the tree of make_tree(), and prints what came of it as
JSON. Nothing in that depends on where it runs, so a native directory is the oracle for any other.
"""

import ctypes
import errno
import fcntl
import io
import json
import mmap
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import zipfile

TEXT = "first line\nsecond line\nthird line\n"
ITEMS = []


def make_tree(directory):
    """What the container has before anything runs."""
    os.makedirs(f"{directory}/sub/deeper")
    files = {"text": TEXT, "sub/inner": "inner\n", "script": "#!/bin/sh\necho ran \"$@\"\n", "big": "0123456789abcdef" * 4096,
             "seven": "x" * 7000}
    for name, text in files.items():
        with open(f"{directory}/{name}", "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(f"{directory}/{name}", 0o644)
    os.chmod(f"{directory}/script", 0o755)
    os.utime(f"{directory}/text", ns=(1234567890123456789, 1234567890987654321))
    for name, target in (("one", "text"), ("two", "one"), ("absolute", f"/proc/self/cwd/../{os.path.basename(directory)}/text"),
                         ("dangling", "nothing"), ("up", "sub/../text"), ("subdir", "sub")):
        os.symlink(target, f"{directory}/{name}")
    with zipfile.ZipFile(f"{directory}/archive.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(50):
            member = zipfile.ZipInfo(f"member{number}")  # with a time of its own: two trees are made at two times
            archive.writestr(member, f"content {number} " * 100, zipfile.ZIP_DEFLATED)
    os.makedirs(f"{directory}/..2024")
    os.makedirs(f"{directory}/..2025")
    for year in ("2024", "2025"):
        with open(f"{directory}/..{year}/key", "w", encoding="utf-8") as file:
            file.write(year)
    os.symlink("..2024", f"{directory}/..data")
    os.symlink("..data/key", f"{directory}/key")


def item(function):
    ITEMS.append(function)
    return function


def read(path):
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()


def write(path, text, mode="w"):
    with open(path, mode, encoding="utf-8") as file:
        file.write(text)


def error(call, *arguments, **named):
    """The name of the error that a call gives, or what it gives."""
    try:
        return call(*arguments, **named)
    except OSError as failure:
        return errno.errorcode.get(failure.errno, failure.errno)


@item
def chdir_and_relative_paths():
    os.chdir("sub/deeper")
    write("made", "x")
    return read("../inner"), os.path.basename(os.getcwd()), os.listdir("."), read("../../text"), read("/proc/self/cwd/made")


@item
def reading_links():
    directory = os.open(".", os.O_RDONLY)
    return os.readlink("two"), os.readlink("one", dir_fd=directory), error(os.readlink, "text"), read("two"), read("up")


@item
def an_absolute_link():
    return read("absolute") == TEXT


@item
def links_are_not_followed_at_the_end():
    kinds = [stat.S_ISLNK(os.lstat(name).st_mode) for name in ("one", "dangling", "text")]
    os.rename("one", "renamed")
    os.unlink("two")
    return (kinds, sorted(os.listdir(".")), error(os.open, "dangling", os.O_RDONLY | os.O_NOFOLLOW),
            error(os.open, "subdir", os.O_RDONLY | os.O_NOFOLLOW), error(os.stat, "dangling"), read("text") == TEXT)


def renameat2(source, target, flags):
    library = ctypes.CDLL(None, use_errno=True)
    if library.renameat2(-100, source.encode(), -100, target.encode(), flags) == 0:
        return 0
    return errno.errorcode[ctypes.get_errno()]


@item
def renames():
    write("fresh", "fresh")
    results = [renameat2("fresh", "text", 1), renameat2("fresh", "text", 2)]
    os.rename("fresh", "sub/moved")
    os.rename("sub", "sub2")
    results.append(error(os.rename, "sub2", "sub2/deeper/x"))
    return results, read("text"), read("sub2/moved"), sorted(os.listdir("sub2")), read("sub2/inner")


@item
def vectors():
    descriptor = os.open("vector", os.O_RDWR | os.O_CREAT, 0o600)
    written = os.writev(descriptor, [b"one ", b"two ", b"three"])
    parts = [bytearray(3), bytearray(20)]
    return written, os.preadv(descriptor, parts, 1), bytes(parts[0]).decode(), os.pwrite(descriptor, b"X", 5), read("vector")


@item
def copies():
    source = os.open("big", os.O_RDONLY)
    target = os.open("copy", os.O_RDWR | os.O_CREAT, 0o600)
    copied = os.copy_file_range(source, target, 1000, 5)
    os.lseek(target, 0, os.SEEK_END)
    sent = os.sendfile(target, source, 100, 1000)
    shutil.copyfile("big", "whole")
    return copied, sent, read("copy")[:30], os.stat("copy").st_size, read("whole") == read("big")


@item
def allocation():
    descriptor = os.open("space", os.O_RDWR | os.O_CREAT, 0o600)
    os.posix_fallocate(descriptor, 0, 10000)
    os.ftruncate(descriptor, 20000)
    os.pwrite(descriptor, b"end", 19997)
    os.truncate("text", 5)
    return os.stat("space").st_size, os.pread(descriptor, 3, 19997).decode(), read("text")


@item
def extended_attributes():
    os.setxattr("text", "user.a", b"1")
    os.setxattr("text", "user.b", b"2")
    os.removexattr("text", "user.b")
    return (os.getxattr("text", "user.a").decode(), os.listxattr("text"), error(os.getxattr, "text", "user.b"),
            error(os.setxattr, "text", "user.a", b"3", os.XATTR_CREATE))


def in_child(call):
    """What a call gives in a process of its own."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.write(writer, json.dumps(error(call)).encode())
        os._exit(0)
    os.close(writer)
    os.wait()
    return json.loads(os.read(reader, 10000))


@item
def locks():
    def lock(kind, command):
        with open("text", "r+", encoding="utf-8") as file:
            return kind(file, command)
    results = []
    with open("text", "r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        results.append(in_child(lambda: lock(fcntl.flock, fcntl.LOCK_EX | fcntl.LOCK_NB)))
    results.append(in_child(lambda: lock(fcntl.flock, fcntl.LOCK_EX | fcntl.LOCK_NB)))
    with open("text", "r+", encoding="utf-8") as file:
        fcntl.lockf(file, fcntl.LOCK_EX, 5, 10)
        results.append(in_child(lambda: lock(fcntl.lockf, fcntl.LOCK_EX | fcntl.LOCK_NB)))
        results.append(in_child(lambda: fcntl.lockf(open("text", "r+", encoding="utf-8"), fcntl.LOCK_EX | fcntl.LOCK_NB, 5)))
    return results


@item
def listings_can_be_rewound():
    library = ctypes.CDLL(None, use_errno=True)
    library.opendir.restype = ctypes.c_void_p
    library.readdir.restype = ctypes.c_void_p
    library.telldir.restype = ctypes.c_long
    library.telldir.argtypes = library.readdir.argtypes = library.rewinddir.argtypes = [ctypes.c_void_p]
    library.seekdir.argtypes = [ctypes.c_void_p, ctypes.c_long]
    listing = library.opendir(b".")

    def names():
        found = []
        while entry := library.readdir(listing):
            found.append(ctypes.string_at(entry + 19))
        return found
    library.readdir(listing)
    place = library.telldir(listing)
    rest = names()
    library.seekdir(listing, place)
    again = names()
    library.rewinddir(listing)
    everything = names()
    return rest == again, len(everything) == len(rest) + 1, sorted(name.decode() for name in everything)


@item
def a_directory_is_no_file():
    return (error(lambda: os.read(os.open("sub", os.O_RDONLY), 10)), error(os.open, "sub", os.O_WRONLY),
            error(os.open, "text/", os.O_RDONLY), error(os.stat, "text/"), error(os.mkdir, "text"), error(os.rmdir, "sub"),
            error(os.unlink, "sub"), subprocess.run(["cat", "sub"], capture_output=True, check=False).returncode)


@item
def exclusive_creation_and_append():
    results = [error(os.open, "text", os.O_CREAT | os.O_EXCL | os.O_WRONLY)]
    descriptor = os.open("text", os.O_WRONLY | os.O_APPEND)
    os.write(descriptor, b"A")
    write("text", "B", "a")
    os.write(descriptor, b"C")
    os.open("only", os.O_CREAT | os.O_EXCL)
    return results, read("text"), error(os.open, "only", os.O_CREAT | os.O_EXCL)


@item
def modes_of_new_files():
    found = []
    for mask in (0o022, 0o077, 0):
        os.umask(mask)
        for mode in (0o640, 0o604, 0o431, 0o755):
            name = f"mode-{mask:o}-{mode:o}"
            os.close(os.open(name, os.O_CREAT | os.O_WRONLY, mode))
            os.mkdir(name + "-d", mode)
            found.append([oct(stat.S_IMODE(os.stat(path).st_mode)) for path in (name, name + "-d")])
    os.umask(0o022)
    return found


@item
def changes_of_attributes():
    directory = os.open(".", os.O_RDONLY)
    descriptor = os.open("text", os.O_RDWR)
    os.fchmod(descriptor, 0o600)
    os.chmod("seven", 0o4711, dir_fd=directory)
    os.utime("big", ns=(1, 2))
    os.ftruncate(descriptor, 3)
    return ([oct(os.stat(name).st_mode) for name in ("text", "seven")], os.stat("big").st_atime_ns, os.stat("big").st_mtime_ns,
            read("text"))


@item
def times_to_the_nanosecond():
    directory = os.open("sub", os.O_RDONLY)
    found = os.stat("../text", dir_fd=directory)
    return found.st_mtime_ns, found.st_size, os.stat("big").st_nlink, os.stat("text").st_ino == found.st_ino


@item
def calls_with_a_directory():
    directory = os.open("sub", os.O_RDONLY | os.O_DIRECTORY)
    os.mkdir("d", dir_fd=directory)
    os.close(os.open("d/file", os.O_CREAT | os.O_WRONLY, dir_fd=directory))
    os.symlink("file", "d/link", dir_fd=directory)
    os.link("inner", "d/hard", src_dir_fd=directory, dst_dir_fd=directory)
    os.rename("inner", "renamed", src_dir_fd=directory, dst_dir_fd=directory)
    os.unlink("d/file", dir_fd=directory)
    return sorted(os.listdir("sub")), sorted(os.listdir("sub/d")), read("sub/d/hard"), os.stat("sub/renamed").st_nlink


@item
def shared_and_private_maps():
    with open("text", "r+b") as file:
        shared = mmap.mmap(file.fileno(), 0)
        private = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        shared[0:5] = b"FIRST"
        private[6:10] = b"LINE"
        shared.flush()
        return read("text"), private[:10].decode()


@item
def random_access_to_an_archive():
    with zipfile.ZipFile("archive.zip") as archive:
        return archive.testzip(), archive.read("member37").decode()[:20], len(archive.namelist())


@item
def byte_by_byte():
    with open("seven", "rb", buffering=0) as file:
        return sum(len(file.read(1)) for _ in range(7001))


@item
def the_root_has_no_parent():
    return read(f"/../../..{os.getcwd()}/text") == TEXT, os.path.samefile("/..", "/"), sorted(os.listdir("/")) == sorted(os.listdir("/.."))


@item
def running_it():
    return (subprocess.run(["./script", "a"], capture_output=True, check=True).stdout.decode(),
            subprocess.run(["sub/../script", "b"], capture_output=True, check=True).stdout.decode(),
            error(subprocess.run, ["./text"], check=False), os.access("script", os.X_OK), os.access("text", os.X_OK))


@item
def one_offset_for_parent_and_child():
    descriptor = os.open("text", os.O_RDONLY)
    first = os.read(descriptor, 6)
    child = subprocess.run(["head", "-c", "4"], stdin=descriptor, capture_output=True, check=True).stdout
    copy = os.dup(descriptor)
    os.lseek(copy, 11, os.SEEK_SET)
    return first.decode(), child.decode(), os.read(descriptor, 6).decode()


@item
def forks_in_many_threads():
    results = []

    def work():
        results.append(subprocess.run(["cat", "text"], capture_output=True, check=True).stdout.decode() == TEXT)
    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@item
def shells():
    line = ("x=$(cat < text | wc -l); echo $x > count; cat count; cmp text one && echo same; exec 3< text; read a <&3; read b <&3; "
            "echo $b; cat text > two; (echo sub; cat sub/inner) | sort; test -e dangling || echo no; echo *")
    return subprocess.run(["sh", "-c", line], capture_output=True, check=True).stdout.decode()


@item
def a_config_map_is_swapped():
    before = read("key")
    os.symlink("..2025", "..data_tmp")
    os.rename("..data_tmp", "..data")
    return before, read("key")


@item
def an_unlinked_file_stays():
    with open("text", "r+", encoding="utf-8") as file:
        os.unlink("text")
        start = file.read(5)
        file.seek(0)
        file.write("FIRST")
        file.flush()
        return start, os.path.exists("text"), os.fstat(file.fileno()).st_nlink, os.pread(file.fileno(), 10, 0).decode()


@item
def strange_names():
    long = "n" * 255
    write(long, "long")
    for name in (b"\xff\xfe", b"new\nline", "\u4e16\u754c".encode()):
        with open(name, "wb") as file:
            file.write(name)
    return (error(os.mkdir, "n" * 256), read(long), sorted(name.hex() for name in os.listdir(b".") if name > b"\x7f"),
            read(os.fsdecode(b"\xff\xfe")) == os.fsdecode(b"\xff\xfe"))


@item
def paths_of_4095_bytes():
    depth = 0
    here = os.getcwd()
    while len(os.getcwd()) < 3500:
        os.mkdir("d" * 200)
        os.chdir("d" * 200)
        depth += 1
    write("deep", "deep")
    path = os.getcwd() + "/"
    path += "./" * ((4094 - len(path)) // 2 - 2)
    os.chdir(here)
    return depth > 10, read(path + "deep"), error(os.stat, path + "./" * 10 + "deep")


@item
def temporary_files_and_sockets():
    with tempfile.NamedTemporaryFile(dir=".", mode="w+") as file:
        file.write("x")
        file.flush()
        name_works = read(file.name)
    os.mkfifo("fifo")
    server = socket.socket(socket.AF_UNIX)
    server.bind("socket")
    kinds = [stat.S_IFMT(os.stat(name).st_mode) for name in ("fifo", "socket")]
    return name_works, kinds


@item
def trees():
    shutil.copytree("sub", "copied", symlinks=True)
    for number in range(30):
        write(f"copied/f{number}", str(number))
    os.makedirs("a/b/c/d")
    shutil.rmtree("sub")
    shutil.rmtree("a")
    names = sorted(os.listdir("copied"))
    os.makedirs("sub")
    return names, os.listdir("sub"), os.path.exists("a")


@item
def large_reads():
    write("large", "y" * (50 << 20))
    with io.open("large", "rb", buffering=0) as file:
        size = os.stat("large").st_size
        data = b"".join(iter(lambda: file.read(1 << 20), b""))
    os.unlink("large")
    return size, len(data), data.count(b"y")


def main():
    results = {}
    for number, function in enumerate(ITEMS):
        os.chdir(f"{sys.argv[1]}/{number}")
        try:
            results[function.__name__] = function()
        except Exception as failure:  # pylint: disable=broad-except
            results[function.__name__] = {"error": f"{type(failure).__name__}: {failure}"}
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
