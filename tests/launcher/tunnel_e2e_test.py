"""mirrorfs mount with the agent in the container (--agent exec): real Docker and podman, as root and as others."""

import errno
import json
import os
import stat
import subprocess
import unittest

import tunnel_case
import world

BUSYBOX = "/bin/busybox"


class TunnelTest(tunnel_case.TunnelCase):

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def write_into(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def check_reading_and_writing(self):
        self.assertEqual(self.read("lower/regular.txt").strip(), "from the first layer")
        self.write_into("tmp/by-mirrorfs", "x")
        self.assertEqual(self.inside("cat", "/tmp/by-mirrorfs"), "x")
        os.rename(self.path("tmp/by-mirrorfs"), self.path("tmp/renamed"))
        self.inside("rm", "/tmp/renamed")

    def test_how_far_it_has_come_is_told(self):
        said = self.run_command("mount", *self.options, "--progress", "json", self.target, self.mountpoint)
        self.assertEqual(said.returncode, 0, said.stderr)
        lines = [json.loads(line) for line in said.stderr.splitlines() if line.startswith("{")]
        self.assertEqual([line["step"] for line in lines], ["placed", "started", "attached"])
        self.assertIn("/.mirrorfs-agent-", lines[0]["detail"])
        self.umount()

    def test_as_root(self):
        self.mount("--rw")
        self.assertEqual(len(self.agents()), 1)
        self.check_reading_and_writing()
        # The rights of the container's root: it may read what is others', and give files away.
        self.inside("sh", "-c", "echo secret > /tmp/s; chown 1000:1000 /tmp/s; chmod 600 /tmp/s")
        self.wait_for(lambda: os.path.exists(self.path("tmp/s")), "the file, which may take a second to be seen")
        self.assertEqual(self.read("tmp/s"), "secret\n")
        os.chown(self.path("tmp/s"), 7, 8)
        self.assertEqual(self.inside("stat", "-c", "%u:%g", "/tmp/s"), "7:8")
        self.assertEqual(self.status(self.mountpoint)["target"], self.target)
        self.umount()
        self.assert_container_is_clean()

    def test_read_only_reads_all_that_the_containers_root_may(self):
        self.inside("sh", "-c", "echo secret > /tmp/s; chown 1000:1000 /tmp/s; chmod 600 /tmp/s")
        self.mount()
        self.wait_for(lambda: os.path.exists(self.path("tmp/s")), "the file, which may take a second to be seen")
        self.assertEqual(self.read("tmp/s"), "secret\n")
        self.assertEqual(self.error_of(os.unlink, self.path("tmp/s")), errno.EROFS)
        self.umount()

    def capabilities_of(self, pid):
        found = set()
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/status", encoding="utf-8") as file:
                status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
            self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))
            found.add(int(status["CapPrm"], 16))
        return found

    def test_what_the_agent_keeps_of_what_docker_gives_to_root(self):
        dac_override, chown, fowner, fsetid, setfcap = 1 << 1, 1 << 0, 1 << 3, 1 << 4, 1 << 31
        for options, kept in (((), dac_override), (("--rw",), dac_override | chown | fowner | fsetid | setfcap)):
            self.mount(*options)
            self.assertEqual(self.read("lower/regular.txt").strip(), "from the first layer")
            self.assertEqual([self.capabilities_of(pid) for pid in self.agents()], [{kept}])
            relays = self.in_container("mirrorfs-agent", "relay")
            self.assertNotEqual(relays, [])
            self.assertEqual([self.capabilities_of(pid) for pid in relays], [{0}] * len(relays))
            self.umount()

    def test_as_a_user_without_any_right(self):
        self.name = self.run_container("--user", "1000:1000", "--cap-drop", "ALL")
        self.target = f"docker/{self.name}"
        self.mount("--rw")
        self.check_reading_and_writing()
        self.write_into("tmp/made", "x")
        self.assertEqual(os.stat(self.path("tmp/made")).st_uid, 1000)
        self.assertEqual(self.error_of(os.mkdir, self.path("etc/x")), errno.EACCES)
        self.umount()
        self.assert_container_is_clean()

    def test_no_other_identity(self):
        for identity in ("caller", "0:0"):
            self.fail_with(4, "has the rights of the container's user", "mount", *self.options, "--as", identity,
                           self.target, self.mountpoint)

    def test_other_targets_and_words(self):
        self.fail_with(2, "goes with docker/NAME, podman/NAME and targets in a cluster", "mount", "--agent", "exec", f"dir:{self.source}",
                       self.mountpoint)
        self.fail_with(2, "write auto, job, ephemeral, shared or exec", "mount", "--agent", "magic", self.target, self.mountpoint)
        self.fail_with(2, "--agent-program /bin/x", "mount", "--agent", "/bin/x", self.target, self.mountpoint)

    def become_member_of_group_docker(self):
        socket = self.lab.DOCKER_WEB_SOCKET
        before = os.stat(socket)
        self.addCleanup(os.chown, socket, before.st_uid, before.st_gid)
        self.addCleanup(os.chmod, socket, stat.S_IMODE(before.st_mode))
        os.chown(socket, 0, world.NOBODY)
        os.chmod(socket, 0o660)
        os.chown(self.mountpoint, world.NOBODY, world.NOBODY)
        self.user = world.NOBODY

    def test_an_ordinary_user_who_may_use_docker(self):
        self.become_member_of_group_docker()
        for how in (self.options, self.options[2:]):  # asked for, and by itself
            self.options = how
            self.mount("--rw")
            self.assertEqual(len(self.agents()), 1, how)
            # Seen with the user's eyes: nobody else may look into his mount.
            shown = subprocess.run(["setpriv", f"--reuid={world.NOBODY}", f"--regid={world.NOBODY}", "--clear-groups", "--",
                                    "cat", self.path("lower/regular.txt")], capture_output=True, text=True, check=False,
                                   timeout=world.LIMIT, cwd="/")
            self.assertEqual(shown.stdout.strip(), "from the first layer", shown.stderr)
            self.umount()
            self.assert_container_is_clean()

    def test_an_ordinary_user_who_may_not_is_told_both_ways(self):
        os.chown(self.mountpoint, world.NOBODY, world.NOBODY)
        os.chmod(self.lab.DOCKER_WEB_SOCKET, 0o600)
        self.user = world.NOBODY
        self.fail_with(4, f"Nor can the agent run in the container: {self.target}: the runtime's socket may not", "mount",
                       *self.options[2:], self.target, self.mountpoint)
        self.assert_nothing_left()

    # --- Bad input

    def refuse(self, code, message, *run_options, **more):
        self.name = self.run_container(*run_options, **more)
        self.target = f"docker/{self.name}"
        self.fail_with(code, message, "mount", *self.options, self.target, self.mountpoint)
        self.assert_nothing_left()

    def test_no_shell(self):
        image = self.image_of("mirrorfs-test-distroless", f"{BUSYBOX}=/bin/sleep")
        self.refuse(6, "no shell (sh) in its image. Run mirrorfs as root", image=image, command=("/bin/sleep", "1000"))

    def test_nowhere_to_write(self):
        self.refuse(6, "/tmp (cannot be written)", "--read-only")

    def test_nowhere_to_run(self):
        self.refuse(6, "/tmp (noexec or full)", "--read-only", "--tmpfs", "/tmp:rw,noexec")

    def test_not_enough_space(self):
        self.refuse(6, "did not arrive whole", "--read-only", "--tmpfs", "/tmp:rw,exec,size=1m")

    def test_read_only_with_a_place(self):
        self.name = self.run_container("--read-only", "--tmpfs", "/tmp:rw,exec")
        self.target = f"docker/{self.name}"
        self.mount("--rw")
        self.assertEqual(self.read("lower/regular.txt").strip(), "from the first layer")
        self.assertEqual(self.error_of(os.mkdir, self.path("etc/x")), errno.EROFS)
        self.umount()
        self.assert_container_is_clean()

    def test_containers_that_do_not_run(self):
        for target, message in ((self.lab.DOCKER_STOPPED_TARGET, "does not run: start it first"),
                                ("docker/nowhere", "there is no such container")):
            self.fail_with(3, message, "mount", *self.options, target, self.mountpoint)
            self.assert_nothing_left()
        self.lab.docker("pause", self.name)
        self.addCleanup(self.lab.docker, "unpause", self.name)
        self.fail_with(3, "is paused: unpause it first", "mount", *self.options, self.target, self.mountpoint)

    def test_no_client(self):
        environment = {**self.environment(), "MIRRORFS_DOCKER": "/nowhere/docker"}
        result = subprocess.run(self.command("mount", *self.options, self.target, self.mountpoint), env=environment,
                                capture_output=True, text=True, check=False, timeout=world.LIMIT)
        self.assertEqual((result.returncode, result.stderr.count("\n")), (6, 1), result.stderr)
        self.assertIn("MIRRORFS_DOCKER=/nowhere/docker cannot be run", result.stderr)
        self.assert_nothing_left()


class PodmanTest(tunnel_case.LabCase, world.World):
    """podman's clients find their containers in the lab's mount namespace only."""

    runtimes = ("podman", "rootless")

    def setUp(self):
        super().setUp()
        self.mountpoint = self.directory("mnt")
        devices = "; ".join(f"mount --bind /proc/{os.getpid()}/root/dev/{name} /dev/{name}" for name in ("fuse", "null"))
        subprocess.run(self.lab.inside("sh", "-c", devices), check=True)

    def check(self, as_whom, target, *options):
        mirrorfs = os.path.join(self.bin, "mirrorfs")

        def run(*command):
            return subprocess.run(as_whom(*command), capture_output=True, text=True, check=False, timeout=world.LIMIT,
                                  stdin=subprocess.DEVNULL)

        mounted = run(mirrorfs, "mount", "--rw", "--agent", "exec", *options, target, self.mountpoint)
        self.assertEqual(mounted.returncode, 0, mounted.stderr)
        try:
            shown = run("cat", os.path.join(self.mountpoint, "lower/regular.txt"))
            self.assertEqual(shown.stdout.strip(), "from the first layer", shown.stderr)
            made = run("sh", "-c", f"echo x > {self.mountpoint}/tmp/made && rm {self.mountpoint}/tmp/made")
            self.assertEqual(made.returncode, 0, made.stderr)
        finally:
            unmounted = run(mirrorfs, "umount", self.mountpoint)
        self.assertEqual(unmounted.returncode, 0, unmounted.stderr)
        self.assert_nothing_left()

    def test_rootless(self):
        user = int(self.lab.LAB_ROOTLESS_UID)
        os.chown(self.mountpoint, user, user)
        self.check(self.lab.as_user, self.lab.ROOTLESS_WEB_TARGET)

    def test_root(self):
        self.check(self.lab.inside, self.lab.PODMAN_WEB_TARGET, "--runtime-socket", self.lab.LAB_PODMAN_SOCKET)


if __name__ == "__main__":
    world.main()
