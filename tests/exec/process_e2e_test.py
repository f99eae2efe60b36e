"""The program keeps what it would have without mirrorfs: directory, environment, descriptors, limits, signals, exit code."""

import errno
import os
import resource
import shutil
import signal
import subprocess
import time
import unittest

import exec_world


class ProcessTest(exec_world.ExecWorld):

    def test_it_reads_the_containers_files_and_runs_this_machines_programs(self):
        self.assertEqual(self.output_of("cat", "/srv/nonce"), self.nonce + "\n")
        self.assertEqual(self.error_of(os.stat, "/srv/nonce"), 2)
        self.assert_nothing_left()

    def test_a_program_of_the_container(self):
        self.assertEqual(self.output_of("/srv/program", "a", "b c"), f"{self.nonce} a b c\n")

    def test_exit_codes(self):
        for code in (0, 1, 7, 255):
            self.assertEqual(self.run_exec("sh", "-c", f"exit {code}").returncode, code)

    def test_signals(self):
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV):
            self.assertEqual(self.run_exec("sh", "-c", f"kill -{int(number)} $$").returncode, -number)

    def test_the_launcher_becomes_the_program(self):
        child = self.start_shell("read line", stdin=subprocess.PIPE)
        with open(f"/proc/{child.pid}/comm", encoding="utf-8") as file:
            self.assertEqual(file.read(), "sh\n")
        self.assertEqual(os.getpgid(child.pid), os.getpgid(0))
        child.communicate("\n")

    def test_directory(self):
        self.directory("here")
        self.assertEqual(self.output_of("/bin/pwd", cwd=f"{self.place}/here"), f"{self.place}/here\n")
        self.write("here/file", "local\n")
        self.assertEqual(self.output_of("cat", "file", cwd=f"{self.place}/here"), "local\n")
        self.assertEqual(self.output_of("/bin/pwd", cwd="/"), "/\n")

    def test_a_deleted_directory(self):
        line = " ".join(self.exec_command("sh", "-c", "'ls -A . | wc -l; cat /srv/nonce; /bin/pwd'"))
        result = subprocess.run(["sh", "-c", f"mkdir gone && cd gone && rmdir ../gone && {line}"], cwd=self.place,
                                capture_output=True, text=True, check=False, timeout=exec_world.LIMIT,
                                env=self.environment())
        self.assertEqual(result.stdout, f"0\n{self.nonce}\n", result.stderr)
        self.assertEqual(result.returncode, 1)  # of pwd, as without us

    def test_environment(self):
        text = self.output_of("env")
        expected = {f"{name}={value}" for name, value in self.environment().items() if "\n" not in value}
        added = set(text.splitlines()) - expected
        self.assertEqual(expected - set(text.splitlines()), set())
        self.assertEqual({entry.split("=")[0] for entry in added} - {"_"}, {"MIRRORFS_TARGET", "MIRRORFS_RUN"})

    def test_arguments_are_bytes(self):
        words = ["", " ", "-x", "--", "$HOME", "new\nline", "\udcff"]
        self.assertEqual(self.run_exec("printf", "[%s]", *words, errors="surrogateescape").stdout,
                         "".join(f"[{word}]" for word in words))

    def test_standard_input_and_descriptors(self):
        self.assertEqual(self.run_exec("tr", "a-z", "A-Z", stdin=None, input="hello").stdout, "HELLO")
        reader, writer = os.pipe()
        os.write(writer, b"through descriptor\n")
        os.close(writer)
        self.assertEqual(self.output_of("sh", "-c", f"cat <&{reader}", pass_fds=[reader]), "through descriptor\n")
        os.close(reader)

    def test_no_descriptor_of_ours_is_left_to_it(self):
        self.assertEqual(self.shell("ls /proc/self/fd").split(), ["0", "1", "2", "3"])  # 3: the listing itself

    def test_closed_standard_descriptors_stay_closed(self):
        self.directory("here")
        for closed in ("<&-", "<&- >&-", "<&- 2>&-", "2>&-"):
            line = " ".join(self.exec_command("sh", "-c", f"'ls -l /proc/$$/fd > {self.place}/here/descriptors'"))
            subprocess.run(["sh", "-c", f"{line} {closed}"], cwd=self.place, env=self.environment(), check=False,
                           timeout=exec_world.LIMIT)
            with open(f"{self.place}/here/descriptors", encoding="utf-8") as file:
                listing = file.read()
            os.unlink(f"{self.place}/here/descriptors")
            for number, redirection in ((0, "<&-"), (2, "2>&-")):
                self.assertEqual(f" {number} -> " in listing, redirection not in closed, f"{closed}: {listing}")

    def test_umask_limits_and_niceness(self):
        def prepare():
            os.umask(0o027)
            os.nice(3)
            resource.setrlimit(resource.RLIMIT_NOFILE, (40, 50))
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        text = self.output_of("sh", "-c", "umask; ulimit -Sn; ulimit -Hn; ulimit -f; nice", preexec_fn=prepare)
        self.assertEqual(text.split(), ["0027", "40", "50", "0", str(os.nice(0) + 3)])

    def test_ignored_and_blocked_signals(self):
        def prepare():
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            signal.signal(signal.SIGUSR1, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
        text = self.output_of("grep", "-E", "Sig(Blk|Ign)", "/proc/self/status", preexec_fn=prepare)
        values = {line.split(":")[0]: int(line.split()[1], 16) for line in text.splitlines()}
        self.assertEqual(values["SigBlk"], 1 << (signal.SIGUSR2 - 1))
        for number in (signal.SIGHUP, signal.SIGUSR1):
            self.assertTrue(values["SigIgn"] & (1 << (number - 1)))

    def test_nohup(self):
        child = self.start_exec("nohup", "sh", "-c", "echo ready; kill -HUP $$; sleep 0.2; cat /srv/nonce")
        self.assertEqual(child.communicate(timeout=exec_world.LIMIT)[0].splitlines()[-1], self.nonce)
        self.assert_nothing_left()

    def test_in_a_shell_script(self):
        line = " ".join(self.exec_command("cat", "/srv/nonce"))
        script = f"set -e\nfor i in 1 2 3; do echo $({line}); done | sort | uniq -c\n{line} | cmp - {self.container}/srv/nonce\n"
        result = subprocess.run(["sh"], input=script, cwd=self.place, capture_output=True, text=True, check=False,
                                timeout=exec_world.LIMIT, env=self.environment())
        self.assertEqual(result.stdout.split(), ["3", self.nonce], result.stderr)
        self.assertEqual(result.returncode, 0)

    def test_nested(self):
        inner = self.make_container("inner", "the inner one")
        words = [f"{self.bin}/mirrorfs", "exec", "--target", f"dir:{inner}", "--", "cat", "/srv/nonce"]
        text = self.output_of("sh", "-c", " ".join(words) + "; cat /srv/nonce")
        self.assertEqual(text, f"the inner one\n{self.nonce}\n")
        self.assert_nothing_left()

    def test_nothing_is_seen_outside(self):
        child = self.start_shell("read line", stdin=subprocess.PIPE)
        self.assertEqual(self.mounts(), {})
        self.assertFalse(os.path.exists("/srv/nonce"))
        child.communicate("\n")
        self.assert_nothing_left()

    def test_bound_trees_stay_whatever_becomes_of_their_names_in_the_container(self):
        child = self.start_shell("while read line; do ls /usr/bin/env; done", stdin=subprocess.PIPE)

        def bound():
            child.stdin.write("\n")
            child.stdin.flush()
            self.assertEqual(child.stdout.readline(), "/usr/bin/env\n")
            with open(f"/proc/{child.pid}/mountinfo", encoding="utf-8") as file:
                return file.read()
        before = bound()
        for _ in range(2):
            made = self.directory("container/usr")
            time.sleep(1.1)  # what is remembered of names has gone by then
            self.assertEqual(bound(), before)
            os.rmdir(made)
            time.sleep(1.1)
            self.assertEqual(bound(), before)
        child.communicate()

    def test_it_can_look_at_its_own_run(self):
        text = self.shell(f"cat /srv/nonce; {self.bin}/mirrorfs stats $MIRRORFS_RUN; {self.bin}/mirrorfs status")
        self.assertIn("calls to the agent", text)
        self.assertIn("exec/", text)
        self.assertIn(self.target, text)

    def test_umount_leaves_runs_alone(self):
        child = self.start_shell("read line; cat /srv/nonce", stdin=subprocess.PIPE)
        self.succeed("umount", "--all")
        self.fail_with(7, "ends when that does", "umount", f"exec/{child.pid}")
        self.assertEqual(child.communicate("\n")[0], self.nonce + "\n")


class UserProcessTest(ProcessTest):
    """All of it, as an ordinary user."""

    user = exec_world.NOBODY

    def test_ids_are_the_same(self):
        self.assertEqual(self.output_of("id", "-u").strip(), str(self.user))
        self.assertIn("CapEff:\t0000000000000000", self.output_of("cat", "/proc/self/status"))

    def test_files_of_this_machine_are_had_with_ones_own_rights(self):
        # /etc is split, so the daemon serves it.
        result = self.run_exec("cat", "/etc/shadow")
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertIn(os.strerror(errno.EACCES), result.stderr)

    def test_set_id_programs_have_no_effect(self):
        here = os.path.join(self.place, "set-id")
        there = os.path.join(self.container, "srv/set-id")
        for path in (here, there):
            shutil.copy("/usr/bin/id", path)
            os.chown(path, 0, 0)
            os.chmod(path, 0o4755)
        outside = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", here, "-u"]
        self.assertEqual(subprocess.check_output(outside, text=True), "0\n")
        for path in (here, "/srv/set-id"):
            self.assertEqual(self.output_of(path, "-u"), f"{self.user}\n", path)

    def test_files_of_others_are_shown_as_ones_own(self):
        os.chown(os.path.join(self.container, "srv/nonce"), 4711, 4712)
        self.assertEqual(self.output_of("stat", "-c", "%u:%g", "/srv/nonce"), f"{self.user}:{self.user}\n")


class OtherUserTest(exec_world.ExecWorld):
    """As a user whose number is not the one that the kernel shows for those who do not exist in a namespace."""

    user = 4321

    def test_files_of_others_are_nobodys_in_bound_trees(self):
        os.chown(os.path.join(self.container, "srv/nonce"), 4711, 4712)
        self.assertEqual(self.output_of("stat", "-c", "%U %u:%g", "/usr/bin/env", "/srv/nonce"),
                         f"nobody {exec_world.NOBODY}:{exec_world.NOBODY}\nUNKNOWN {self.user}:{self.user}\n")


if __name__ == "__main__":
    exec_world.main()
