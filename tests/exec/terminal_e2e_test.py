"""Job control, window sizes and prompts, on a terminal with an interactive shell."""

import os
import shlex
import signal
import unittest

import exec_world


class TerminalTest(exec_world.ExecWorld):

    def setUp(self):
        super().setUp()
        environment = {**self.environment(), "PS1": "prompt> ", "TERM": "dumb"}
        environment.pop("PROMPT_COMMAND", None)
        shell = ["bash", "--norc", "--noprofile", "-i"]
        if self.user:
            shell = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", "--inh-caps=-all",
                     "--", *shell]
        self.terminal = exec_world.Terminal(shell, environment, self.place)
        self.addCleanup(self.terminal.close)
        self.terminal.resize(24, 1000)  # no line is broken
        self.lines = 0
        self.prompt()

    def tearDown(self):
        self.terminal.close()  # its shell ends, with all of its jobs
        super().tearDown()

    def prompt(self):
        return self.terminal.expect("prompt> ")

    def run_line(self, line, prompt="prompt> "):
        """What a line prints. Its echo is told from its output, and both from what came before."""
        self.lines += 1
        self.terminal.send(f"{line}; echo end\"\"ed {self.lines}\n")
        self.terminal.expect(f"end\"\"ed {self.lines}\r\n")
        output = self.terminal.expect(f"ended {self.lines}\r\n")
        self.terminal.expect(prompt)
        return output.replace("\r", "")

    def exec_line(self, *words, kind="exec", options=()):
        program = ["--", *words] if words else []
        line = [f"{self.bin}/mirrorfs", kind, "--target", self.target, *options, *program]
        return shlex.join(line)

    def start_line(self, text, before=":", end=""):
        """Starts a shell script and waits until it has done what comes before, and says "started"."""
        self.terminal.send(self.exec_line("sh", "-c", f"{before}; echo start\"\"ed $$; {text}") + end + "\n")
        self.terminal.expect("started ")
        return int(self.terminal.expect("\r\n"))

    def start_sleep(self, before=":", output="", end=""):
        """A program in the foreground. A shell that is about to start one would lose a Ctrl-C: it is the program by then."""
        pid = self.start_line(f"exec sleep 100 {output}", before=before, end=end)
        self.wait_for(lambda: self.foreground_name() == "sleep", "sleep in the foreground")
        return pid

    def bring_to_foreground(self, group):
        self.terminal.send("fg\n")
        self.wait_for(lambda: os.tcgetpgrp(self.terminal.fd) == group, "the job in the foreground")

    def test_ctrl_c(self):
        self.start_sleep()
        self.terminal.send("\x03")
        self.prompt()
        self.assertEqual(self.run_line("echo $?"), "130\n")

    def test_a_program_that_takes_ctrl_c_itself(self):
        self.start_line("while :; do sleep 0.05; done", before="trap 'echo caught; exit 5' INT")
        self.terminal.send("\x03")
        self.assertIn("caught", self.prompt())
        self.assertEqual(self.run_line("echo $?"), "5\n")

    def test_ctrl_backslash(self):
        self.start_sleep(before="ulimit -c 0")
        self.terminal.send("\x1c")
        self.prompt()
        self.assertEqual(self.run_line("echo $?"), "131\n")

    def test_ctrl_z_and_fg(self):
        pid = self.start_line("while read line; do echo got $line; cat /srv/nonce; done")
        self.terminal.send("\x1a")
        self.assertIn("Stopped", self.prompt())
        self.assertIn("Stopped", self.run_line("jobs"))
        self.bring_to_foreground(pid)
        self.terminal.send("hello\n")
        self.terminal.expect("got hello")
        self.terminal.expect(self.nonce)
        self.terminal.send("\x04")
        self.prompt()
        self.assertEqual(self.run_line("echo $?"), "0\n")

    def test_in_the_background(self):
        pid = self.start_line("read line; cat /srv/nonce", end=" &")
        self.wait_for(lambda: "Stopped" in self.run_line("/bin/true; jobs"), "the stop of a background reader")
        self.bring_to_foreground(pid)
        self.terminal.send("hello\n")
        self.terminal.expect(self.nonce)
        self.prompt()

    def test_process_group_and_terminal(self):
        pid = self.start_sleep()
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            _, _, group, session, terminal, foreground, *_ = file.read().rsplit(")", 1)[1].split()
        self.assertEqual(int(group), pid)
        self.assertEqual(int(foreground), pid)
        self.assertEqual(int(session), self.terminal.pid)
        self.assertNotEqual(int(terminal), 0)
        os.kill(-pid, signal.SIGTERM)
        self.prompt()
        self.assertEqual(self.run_line("echo $?"), "143\n")

    def test_window_size(self):
        self.terminal.resize(33, 777)
        self.assertEqual(self.run_line(self.exec_line("stty", "size")), "33 777\n")
        self.start_line("while :; do sleep 0.05; done", before="trap 'stty size; exit' WINCH")
        self.terminal.resize(44, 888)
        self.terminal.expect("44 888")
        self.prompt()

    def test_the_terminal_has_its_name(self):
        name = self.run_line("tty")
        self.assertEqual(self.run_line(self.exec_line("tty")), name)
        self.assertIn(self.nonce, self.run_line(self.exec_line("sh", "-c", "cat /srv/nonce > /dev/tty")))

    def test_a_pipeline_is_one_job(self):
        pid = self.start_sleep(before="exec 3>&1 1>&2", output=">&3", end=" | cat")
        self.assertEqual(os.tcgetpgrp(self.terminal.fd), pid)
        self.terminal.send("\x03")
        self.prompt()
        self.assertEqual(self.run_line(self.exec_line("cat", "/srv/nonce") + " | tr a-z A-Z"),
                         self.nonce.upper() + "\n")

    def test_shell_has_a_tagged_prompt(self):
        self.terminal.send("SHELL=/bin/bash " + self.exec_line(kind="shell") + "\n")
        self.terminal.expect(f"({self.target}) ")
        self.terminal.send("cat /srv/nonce\n")
        self.terminal.expect(self.nonce)
        self.terminal.expect(f"({self.target}) ")
        self.terminal.send("exit 3\n")
        self.prompt()
        self.assertEqual(self.run_line("echo $?"), "3\n")

    def test_a_plain_shell_has_a_tagged_prompt(self):
        self.terminal.send("SHELL=/bin/dash " + self.exec_line(kind="shell") + "\n")
        self.terminal.expect(f"({self.target}) ")
        self.terminal.send("exit 4\n")
        self.prompt()
        self.assertEqual(self.run_line("echo $?"), "4\n")

    def test_a_shell_reads_the_users_own_start_file(self):
        with open(f"{self.home}/.bashrc", "w", encoding="utf-8") as file:
            file.write("PS1='mine> '; alias nonce='cat /srv/nonce'\n")
        self.terminal.send("SHELL=/bin/bash " + self.exec_line(kind="shell") + "\n")
        self.terminal.expect(f"({self.target}) mine> ")
        self.terminal.send("nonce\n")
        self.terminal.expect(self.nonce)
        self.terminal.send("exit\n")
        self.prompt()

    def test_job_control_in_the_shell(self):
        tag = f"({self.target}) "
        self.terminal.send("SHELL=/bin/bash " + self.exec_line(kind="shell") + "\n")
        self.terminal.expect(tag)
        self.terminal.send("sleep 100\n")
        self.wait_for(lambda: self.foreground_name() == "sleep", "sleep in the foreground")
        self.terminal.send("\x1a")
        self.terminal.expect("Stopped")
        self.terminal.expect(tag)
        jobs = [self.run_line("kill %1", prompt=tag)]
        # bash loses the end of a child that comes while it prints its jobs; that of another one makes it look again.
        self.wait_for(lambda: jobs.append(self.run_line("/bin/true; jobs", prompt=tag)) or jobs[-1] == "", jobs)
        self.terminal.send("exit\n")
        self.prompt()

    def foreground_name(self):
        group = os.tcgetpgrp(self.terminal.fd)
        try:
            with open(f"/proc/{group}/comm", encoding="utf-8") as file:
                return file.read().strip()
        except OSError:
            return ""

    # --- What dies is told in one line

    def run_of(self, pid):
        run = self.status(f"exec/{pid}")
        return run["pid"], run["agent_pid"], run["daemon_pid"]

    def test_a_killed_agent_is_told(self):
        pid = self.start_line("read line; cat /srv/nonce")
        _, agent, _ = self.run_of(pid)
        self.kill(agent)
        self.terminal.expect(f"mirrorfs: the agent of {self.target} died and is started again")
        self.terminal.send("\n")
        self.terminal.expect(self.nonce)
        self.prompt()

    def test_a_killed_daemon_is_told(self):
        pid = self.start_line("read line; read nonce < /srv/nonce; echo rc $?")
        _, _, daemon = self.run_of(pid)
        self.kill(daemon)
        self.terminal.expect(f"mirrorfs: the daemon that serves {self.target} was killed by signal 9")
        self.terminal.send("\n")
        self.terminal.expect("Transport endpoint is not connected")
        self.prompt()

    def test_a_killed_keeper_is_told(self):
        pid = self.start_line("read line; cat /srv/nonce")
        keeper, _, _ = self.run_of(pid)
        self.kill(keeper)
        self.terminal.expect("mirrorfs: the keeper of this run was killed")
        self.terminal.send("\n")
        self.terminal.expect(self.nonce)
        self.prompt()


class UserTerminalTest(TerminalTest):
    """All of it, as an ordinary user."""

    user = exec_world.NOBODY


if __name__ == "__main__":
    exec_world.main()
