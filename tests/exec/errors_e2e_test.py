"""Bad input: a message that says what, where, why and what to do, the right exit code, and nothing left."""

import os
import subprocess
import unittest

import exec_world


class ErrorsTest(exec_world.ExecWorld):

    def refuse(self, code, message, *words):
        self.fail_with(code, message, *words)
        self.assert_nothing_left()

    def refuse_exec(self, code, message, *program, options=()):
        self.refuse(code, message, "exec", "--target", self.target, *options, "--", *program)

    def test_unknown_program(self):
        self.refuse_exec(127, "no-such-program: not found", "no-such-program")
        self.refuse_exec(127, "/srv/missing: not found", "/srv/missing")
        self.refuse_exec(127, "/srv/nonce/x: not found", "/srv/nonce/x")

        self.refuse_exec(127, "no-such-program: not found: neither", "no-such-program", options=["--fs-mode", "local"])

    def test_a_run_that_has_ended(self):
        for command in ("stats", "umount"):
            self.refuse(8, "exec/1: there is no such run; 'mirrorfs status' lists them", command, "exec/1")

    def test_a_missing_interpreter(self):
        self.write("container/srv/script", "#!/no/interpreter\n")
        os.chmod(os.path.join(self.container, "srv/script"), 0o755)
        self.refuse_exec(127, "the interpreter that it names is missing", "/srv/script")

    def test_what_cannot_be_run(self):
        self.refuse_exec(126, "/srv/not-a-program cannot be run: Permission denied", "/srv/not-a-program")
        self.refuse_exec(126, "/srv cannot be run: Permission denied", "/srv")

    def test_a_program_without_a_format_is_a_shell_script(self):
        self.write("container/srv/bare", "cat /srv/nonce\n")
        os.chmod(os.path.join(self.container, "srv/bare"), 0o755)
        self.assertEqual(self.output_of("/srv/bare"), self.nonce + "\n")

    def test_words(self):
        self.refuse(2, "the target is missing", "exec", "--", "true")
        self.refuse(2, "the program is missing", "exec", "--target", self.target)
        self.refuse(2, "write -- before the program", "exec", "--target", self.target, "true")
        self.refuse(2, "did you mean --target?", "exec", "--traget", self.target, "--", "true")
        self.refuse(2, "did you mean", "exec", "--target", "dokcer/web", "--", "true")
        self.refuse(2, "a word too many", "shell", "--target", self.target, "bash")
        self.refuse(2, "there is no command 'exce'; did you mean exec?", "exce")

    def test_no_such_target(self):
        self.target = f"dir:{self.place}/missing"
        self.refuse_exec(3, "there is no such directory", "true")
        self.target = "pid/999999999"
        self.refuse_exec(3, "999999999", "true")

    def test_bad_patterns(self):
        self.refuse_exec(2, "flag --local", "true", options=["--local", "("])

    def test_only_a_process_has_an_environment(self):
        self.refuse_exec(2, "a directory has none", "true", options=["--env"])
        self.refuse_exec(2, "a directory has none", "true", options=["--container-cwd"])

    def test_the_agent_cannot_be_started(self):
        self.refuse_exec(6, "mirrorfs-agent is not where it should be", "true", options=["--agent-program", "/missing"])
        self.refuse_exec(6, "before it was ready", "true", options=["--agent-program", "/bin/false"])

    def test_the_daemon_cannot_be_started(self):
        self.refuse_exec(6, "mirrorfsd is not where it should be", "true", options=["--mirrorfsd", "/missing"])
        self.refuse_exec(6, "before it was ready", "true", options=["--mirrorfsd", "/bin/false"])

    def test_dry_run_starts_nothing(self):
        text = self.succeed("exec", "--target", self.target, "--dry-run", "--agent-program", "/missing", "--", "no such", "x")
        self.assertIn("program      'no such' x", text)
        self.assertIn("bound from this machine", text)
        self.assertIn("^/etc/hosts$", text)
        self.assert_nothing_left()

    def test_help(self):
        self.assertIn("mirrorfs exec --target TARGET", self.succeed("help", "exec"))
        self.assertIn("--dry-run", self.succeed("exec", "--help"))
        self.assertIn("prompt", self.succeed("shell", "--help"))

    # --- What the machine does not allow

    def test_no_fuse(self):
        self.refuse_in("mount -t tmpfs none /dev && mknod -m 0666 /dev/null c 1 3", 5, "this kernel or container has no FUSE")

    def refuse_in(self, setup, code, message):
        """Runs it in a namespace in which `setup` has been done."""
        line = self.exec_command("true")
        result = subprocess.run(["unshare", "--mount", "sh", "-c", f"{setup} && exec \"$@\"", "sh", *line],
                                env=self.environment(), capture_output=True, text=True, check=False,
                                timeout=exec_world.LIMIT, cwd=self.place)
        self.assertIn(message, result.stderr)
        self.assertEqual(result.returncode, code, result.stderr)
        self.assert_nothing_left()


class UserErrorsTest(ErrorsTest):
    """All of it, as an ordinary user."""

    user = exec_world.NOBODY

    def test_another_users_process(self):
        self.target = "pid/1"
        self.refuse_exec(4, "root", "true")

    def test_caller(self):
        self.refuse_exec(4, "--as caller", "true", options=["--as", "caller"])

    def test_fuse_that_may_not_be_opened(self):
        self.refuse_in("mknod -m 0600 /run/fuse c 10 229 && mount --bind /run/fuse /dev/fuse", 4,
                       "/dev/fuse cannot be opened: Permission denied")

    def test_no_user_namespaces(self):
        # A limit that holds for the user namespaces below this one only.
        limit = "echo 0 > /proc/sys/user/max_user_namespaces"
        line = [f"{self.bin}/mirrorfs", "exec", "--target", self.target, "--", "true"]
        enter = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", "--", "unshare", "--user",
                 f"--map-user={self.user}", f"--map-group={self.user}", "--keep-caps", "sh", "-c",
                 f"{limit} && exec setpriv --inh-caps=-all --ambient-caps=-all \"$@\"", "sh", *line]
        result = subprocess.run(enter, env=self.environment(), capture_output=True, text=True, check=False,
                                timeout=exec_world.LIMIT, cwd=self.place)
        self.assertIn("/proc/sys/user/max_user_namespaces is 0", result.stderr)
        self.assertEqual(result.returncode, 4, result.stderr)
        self.assert_nothing_left()


if __name__ == "__main__":
    exec_world.main()
