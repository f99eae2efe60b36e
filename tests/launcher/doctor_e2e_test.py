"""mirrorfs doctor on this machine: what is fine, and each thing that can be wrong with what a mount would say of it."""

import json
import os
import socket
import subprocess

import world


class DoctorTest(world.World):

    kubectl = ""

    def environment(self):
        """Without a cluster."""
        return {**super().environment(), "MIRRORFS_KUBECTL": self.kubectl or os.path.join(self.place, "no-kubectl"),
                "KUBECONFIG": os.path.join(self.place, "no-kubeconfig")}

    def doctor(self, *words, code=0):
        """{check: (result, text)}; the last one of a name counts."""
        result = self.run_command("doctor", "-o", "json", *words)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return {check["check"]: (check["result"], check["text"]) for check in json.loads(result.stdout)}

    def assert_failed(self, checks, name, message):
        self.assertEqual(checks[name][0], "failed", checks)
        self.assertIn(message, checks[name][1])

    def test_all_is_well(self):
        checks = self.doctor("-t", f"dir:{self.source}", "--mountpoint", self.directory("mnt"))
        self.assertEqual({name: result for name, (result, _) in checks.items() if result != "ok"}, {})
        self.assertEqual(list(checks), ["kernel", "FUSE", "namespaces", "programs", "state", "mounts", "runtimes",
                                        "mount point", "target"])
        self.assert_nothing_left()
        text = self.succeed("doctor", "-t", f"dir:{self.source}")
        self.assertRegex(text, r"(?m)^ok       FUSE +/dev/fuse can be opened$")

    def test_a_cluster_is_not_needed_by_others(self):
        checks = self.doctor()
        self.assertEqual(checks["kubectl"][0], "warning")
        self.assertIn("MIRRORFS_KUBECTL", checks["kubectl"][1])

    def test_a_target_in_a_cluster_needs_it(self):
        self.assert_failed(self.doctor("-t", "pod/web", code=6), "kubectl", "no-kubectl")

    def test_a_kubectl_that_is_too_old_is_told(self):
        self.kubectl = self.write("old-kubectl", "#!/bin/sh\necho '{\"clientVersion\": {\"gitVersion\": \"v1.18.3\"}}'\n")
        os.chmod(self.kubectl, 0o755)
        self.assert_failed(self.doctor("-t", "pod/web", code=6), "kubectl", "is version 1.18.3: mirrorfs needs 1.27")

    def test_no_such_target(self):
        self.assert_failed(self.doctor("-t", "dir:/nonexistent", code=3), "target", "/nonexistent")
        self.assert_failed(self.doctor("-t", f"unix:{self.place}/nobody", "--deadline", "200ms", code=6), "target",
                           "nobody")
        self.assert_nothing_left()

    def test_wrong_words(self):
        self.fail_with(2, "did you mean --target?", "doctor", "--targt", "dir:/")
        self.fail_with(2, "-o yaml: write json", "doctor", "-o", "yaml")
        self.assertIn("Usage: mirrorfs doctor", self.succeed("doctor", "-h"))

    def test_programs_that_are_missing_or_of_another_version(self):
        daemon = os.path.join(self.bin, "mirrorfsd")
        os.unlink(daemon)
        self.assert_failed(self.doctor(code=6), "programs", "mirrorfsd is not where it should be")
        with open(daemon, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\necho mirrorfsd 99.0\n")
        os.chmod(daemon, 0o755)
        self.assert_failed(self.doctor(code=6), "programs", "is of version 99.0, and this is mirrorfs")

    def test_a_dead_mount_is_named(self):
        mountpoint = self.directory("mnt")
        self.succeed("mount", f"dir:{self.source}", mountpoint)
        self.assertEqual(self.doctor()["mounts"][0], "ok")
        self.assert_failed(self.doctor("--mountpoint", mountpoint, code=5), "mount point", "is mounted there already")
        self.kill(self.status(mountpoint)["daemon_pid"])
        self.wait_for(lambda: self.status(mountpoint)["state"] == "daemon dead", "the state")
        result, text = self.doctor()["mounts"]
        self.assertEqual(result, "warning")
        self.assertIn(f"mirrorfs umount {mountpoint}", text)
        self.succeed("umount", mountpoint)
        self.assert_nothing_left()

    def test_a_mount_point_that_will_not_do(self):
        self.assert_failed(self.doctor("--mountpoint", self.source, code=5), "mount point", "it is not empty")
        self.assert_failed(self.doctor("--mountpoint", f"{self.place}/no", code=5), "mount point", "does not exist")

    def test_a_runtime_that_answers(self):
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("/run/docker.sock")
            listener.listen()
            self.assertIn("docker (", self.doctor()["runtimes"][1])
        os.unlink("/run/docker.sock")
        self.assertNotIn("docker (", self.doctor()["runtimes"][1])

    def test_a_state_directory_of_somebody_else(self):
        os.mkdir("/run/mirrorfs", 0o777)
        os.chmod("/run/mirrorfs", 0o777)
        self.addCleanup(os.rmdir, "/run/mirrorfs")
        self.assert_failed(self.doctor(code=4), "state", "is not a private directory of yours")

    def test_without_fuse(self):
        """The device is there, and cannot be opened: as in a container that was given the name only."""
        place = self.directory("nodev")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "nodev", "none", place], check=True)
        node = os.path.join(place, "fuse")
        subprocess.run(["mknod", node, "c", "10", "229"], check=True)
        subprocess.run(["mount", "--bind", node, "/dev/fuse"], check=True)
        try:
            self.assert_failed(self.doctor(code=4), "FUSE", "/dev/fuse cannot be opened")
        finally:
            subprocess.run(["umount", "/dev/fuse"], check=True)
            subprocess.run(["umount", place], check=True)


class UserDoctorTest(DoctorTest):

    user = world.NOBODY

    def test_without_fuse(self):
        os.chmod("/dev/fuse", 0o600)
        self.addCleanup(os.chmod, "/dev/fuse", 0o666)
        self.assert_failed(self.doctor(code=4), "FUSE", "/dev/fuse cannot be opened")

    def test_all_is_well(self):
        checks = self.doctor("-t", f"dir:{self.source}", "--mountpoint", self.directory("mnt"))
        self.assertIn("fusermount3", checks["FUSE"][1])
        self.assertEqual(checks["target"][0], "ok")
        self.assert_nothing_left()

    def test_a_state_directory_of_somebody_else(self):
        run = self.environment()["XDG_RUNTIME_DIR"]
        os.mkdir(os.path.join(run, "mirrorfs"), 0o700)
        self.assert_failed(self.doctor(code=4), "state", "is not a private directory of yours")
        os.rmdir(os.path.join(run, "mirrorfs"))

    def test_a_runtime_that_answers(self):
        """Of root, and closed to others: a warning, as there are targets that do without."""
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("/run/docker.sock")
            os.chmod("/run/docker.sock", 0o600)
            listener.listen()
            self.addCleanup(os.unlink, "/run/docker.sock")
            result = self.run_command("doctor")
        self.assertRegex(result.stdout, r"(?m)^warning  runtimes +docker: .* may not be opened")


if __name__ == "__main__":
    world.main()
