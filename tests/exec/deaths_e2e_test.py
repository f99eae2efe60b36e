"""What happens when a part of a run dies, or is killed: the program goes on, and at its end nothing is left."""

import errno
import os
import select
import signal
import subprocess
import time
import unittest

import exec_world


class DeathsTest(exec_world.ExecWorld):

    READ_AGAIN = "while read line; do cat /srv/nonce 2>&1 && echo ok; echo done; done"

    def setUp(self):
        super().setUp()
        self.child = None

    def start(self, text=READ_AGAIN, options=()):
        self.child = self.start_shell(text, stdin=subprocess.PIPE, options=options)
        return self.parts(self.child)

    def ask(self):
        """What the program says when it reads its file once more."""
        self.child.stdin.write("\n")
        self.child.stdin.flush()
        lines = []
        while True:
            line = self.child.stdout.readline()
            self.assertNotEqual(line, "", "the program has ended")
            if line == "done\n":
                return "".join(lines)
            lines.append(line)

    def end(self):
        self.child.stdin.close()
        self.assertEqual(self.child.wait(timeout=exec_world.LIMIT), 0)
        self.assert_nothing_left()

    def test_the_program_killed(self):
        self.start()
        self.child.kill()
        self.child.wait()
        self.assert_nothing_left()

    def test_a_killed_agent_is_started_again(self):
        parts = self.start()
        self.kill_part(parts["agent"])
        self.assertEqual(self.ask(), f"{self.nonce}\nok\n")
        self.assertNotIn(self.parts(self.child)["agent"], (0, parts["agent"]))
        self.end()

    def test_a_frozen_agent_gives_errors_within_the_deadline(self):
        parts = self.start(options=["--deadline", "1s"])
        os.kill(parts["agent"], signal.SIGSTOP)
        self.write("container/srv/other", "not seen before\n")
        begin = time.monotonic()
        self.child.stdin.write("\n")
        time.sleep(1.1)  # what the kernel remembers of the file has gone by then
        self.assertIn(os.strerror(errno.ETIMEDOUT), self.ask())
        self.assertLess(time.monotonic() - begin, 30)
        os.kill(parts["agent"], signal.SIGCONT)
        self.wait_for(lambda: "ok" in self.ask(), "an answer")
        self.end()

    def test_with_hard_calls_wait_for_a_frozen_agent(self):
        parts = self.start(options=["--hard"])
        os.kill(parts["agent"], signal.SIGSTOP)
        self.write("container/srv/other", "not seen before\n")
        self.child.stdin.write("\n")
        self.child.stdin.flush()
        waited = select.select([self.child.stdout], [], [], 12)[0]  # the deadline would be 10 s
        self.assertEqual(waited, [], "it was told of an error")
        os.kill(parts["agent"], signal.SIGCONT)
        self.assertEqual([self.child.stdout.readline() for _ in range(3)], [f"{self.nonce}\n", "ok\n", "done\n"])
        self.end()

    def test_a_killed_daemon_leaves_an_error_and_a_living_program(self):
        text = "while read line; do read nonce < /srv/nonce && echo ok; echo done; done"
        parts = self.start(text)
        self.kill_part(parts["daemon"])
        self.wait_for(lambda: os.strerror(errno.ENOTCONN) in self.ask(), "ENOTCONN")
        # There is nothing more to do for keeper and agent.
        self.wait_for(lambda: self.state_directories() == [], "the end of the keeper")
        self.assertIsNone(self.child.poll())
        self.end()

    def test_whatever_dies_the_container_is_as_it_was(self):
        before = exec_world.texts_of_tree(self.container)
        self.addCleanup(self.discard_all)
        for part in ("agent", "keeper", "warden", "daemon"):
            with self.subTest(part):
                parts = self.start("while read line; do echo more >> /srv/nonce; mkdir -p /data/made; rm -f /srv/program; "
                                   "echo done; done")
                self.assertEqual(self.ask(), "")
                self.kill_part(parts[part])
                self.ask()
                self.end()
                self.assertEqual(exec_world.texts_of_tree(self.container), before)

    def test_a_killed_keeper(self):
        parts = self.start()
        self.kill_part(parts["keeper"])
        self.assertEqual(self.ask(), f"{self.nonce}\nok\n")
        self.assertEqual(self.status(f"exec/{self.child.pid}")["state"], "keeper dead")
        self.end()

    def test_the_process_behind_the_keeper_killed(self):
        parts = self.start()
        self.kill_part(parts["warden"])
        self.kill_part(parts["agent"])
        self.assertEqual(self.ask(), f"{self.nonce}\nok\n")
        self.end()

    def test_both_killed_the_next_run_clears_up(self):
        parts = self.start()
        self.kill_part(parts["warden"])
        self.kill_part(parts["keeper"])
        self.assertEqual(self.output_of("cat", "/srv/nonce"), self.nonce + "\n")  # leaves the living one alone
        self.assertEqual(self.ask(), f"{self.nonce}\nok\n")
        self.child.stdin.close()
        self.child.wait()
        self.wait_for(lambda: parts["daemon"] not in self.processes(), "the end of the daemon")
        # The keeper of the run that has just ended may still be at it.
        self.wait_for(lambda: self.state_directories() == [f"exec-{self.child.pid}"], "the end of the other run")
        self.assertEqual(self.output_of("cat", "/srv/nonce"), self.nonce + "\n")
        self.assert_nothing_left()
        self.assertEqual(self.succeed("layers"), "There are no private layers.\n")

    def test_signals_to_the_keeper_do_not_end_the_run(self):
        parts = self.start()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            os.kill(parts["keeper"], number)
        self.kill_part(parts["agent"])
        self.assertEqual(self.ask(), f"{self.nonce}\nok\n")  # by an agent that a keeper has started
        self.assertEqual(self.parts(self.child)["keeper"], parts["keeper"])
        self.end()

    def holder_command(self):
        return ["unshare", "--root", self.container_with_sleep(), "/sleep", "1000"]

    def test_a_container_that_goes(self):
        holder = subprocess.Popen(self.holder_command())
        self.addCleanup(holder.wait)
        self.addCleanup(holder.kill)
        self.wait_for(lambda: os.readlink(f"/proc/{holder.pid}/root") != "/", "the container's process")
        self.target = f"pid/{holder.pid}"
        self.start("while read line; do cat /srv/nonce /srv/program 2>&1 && echo ok; echo done; done")
        holder.kill()
        holder.wait()
        self.wait_for(lambda: "ok" not in self.ask(), "an error")
        self.end()

    def container_with_sleep(self):
        subprocess.run(["cp", "/bin/busybox", os.path.join(self.container, "sleep")], check=True)
        return self.container

    # --- Processes that outlive the first one

    def fifo(self):
        path = os.path.join(self.place, "fifo")
        os.mkfifo(path)
        os.chmod(path, 0o666)
        return path

    def test_a_daemonising_program_keeps_the_view(self):
        fifo = self.fifo()
        daemon = (f"setsid sh -c 'cd /; read line < {fifo}; cat /srv/nonce > {self.directory('out')}/nonce' "
                  "<&- >&- 2>&- & echo started")
        self.assertEqual(self.shell(daemon), "started\n")
        self.assertNotEqual(self.state_directories(), [])
        with open(fifo, "w", encoding="utf-8") as file:
            file.write("\n")
        self.assert_nothing_left()
        with open(f"{self.place}/out/nonce", encoding="utf-8") as file:
            self.assertEqual(file.read(), self.nonce + "\n")

    def test_a_daemonising_program_does_not_keep_the_callers_pipe(self):
        fifo = self.fifo()
        self.shell(f"setsid sh -c 'read line < {fifo}' <&- >&- 2>&- & true")  # waits for the end of the pipe
        with open(fifo, "w", encoding="utf-8") as file:
            file.write("\n")
        self.assert_nothing_left()

    # --- Starting

    def test_a_launcher_killed_while_it_starts(self):
        for delay in range(0, 100, 5):
            child = self.start_exec("cat", "/srv/nonce")
            time.sleep(delay / 1000)
            child.kill()
            child.wait()
        self.assert_nothing_left()

    def test_a_launcher_interrupted_while_it_starts(self):
        child = self.start_exec("cat", "/srv/nonce", options=["--agent-program", self.slow_agent()])
        self.wait_for(self.state_directories, "the start")
        child.send_signal(signal.SIGINT)
        self.assertEqual(child.wait(), -signal.SIGINT)
        self.assert_nothing_left()

    def slow_agent(self):
        path = self.write("slow-agent", "#!/bin/sh\nexec sleep 1000\n")
        os.chmod(path, 0o755)
        return path


class UserDeathsTest(DeathsTest):
    """All of it, as an ordinary user."""

    user = exec_world.NOBODY

    def holder_command(self):
        """A process of the user's own, in a user namespace of his, as a rootless container has it."""
        return ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", "--", "unshare", "--user",
                f"--map-user={self.user}", f"--map-group={self.user}", *super().holder_command()[1:]]


class ManyRunsTest(exec_world.ExecWorld):

    RUNS = 100
    KILLED = 20

    def test_a_hundred_runs_of_which_twenty_are_killed(self):
        for number in range(self.RUNS):
            if number % (self.RUNS // self.KILLED):
                self.assertEqual(self.output_of("cat", "/srv/nonce"), self.nonce + "\n")
                continue
            child = self.start_shell("sleep 1000 & exec sleep 1000")
            self.wait_for(lambda: len(self.sleepers()) == 2, "both programs")
            sleepers = self.sleepers()
            victims = [child.pid, *list(self.parts(child).values())[:4]]
            os.kill(victims[number // 5 % len(victims)], signal.SIGKILL)
            # The others go on, and with them the run, until they are ended, too.
            for pid in sleepers:
                if pid != victims[number // 5 % len(victims)]:
                    os.kill(pid, signal.SIGKILL)
            child.wait(timeout=exec_world.LIMIT)
        self.assert_nothing_left()
        self.assertEqual(os.path.exists(self.state_base()), False)

    def sleepers(self):
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    line = file.read()
                with open(f"/proc/{pid}/environ", "rb") as file:
                    ours = self.target.encode() in file.read()
            except OSError:
                continue
            if line == b"sleep\0001000\0" and ours:
                found.append(int(pid))
        return found


class UserManyRunsTest(ManyRunsTest):

    user = exec_world.NOBODY


if __name__ == "__main__":
    exec_world.main()
