"""The reference programs of tools that preload a library (reference/README.md), unchanged."""

import os
import shutil

import program_world

# A network in which anybody may serve port 80, which the web server does.
OWN_NETWORK = ("unshare", "--net", "sh", "-c", "busybox ifconfig lo 127.0.0.1 up && "
               "echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start && exec \"$@\"", "sh")
# Starts the server, says something to it when it listens, and shows what it printed. Ends if it does.
WEB_SERVER = """
node {0}/app.mjs > {1} 2>&1 & server=$!
until grep -q 'server listening' {1} && grep -q 'bytes from' {1}; do kill -0 $server || break; sleep 0.05; done
bash -c 'exec 3<>/dev/tcp/localhost/80 && echo to the server >&3 && read -r line <&3 && echo answer: $line'
kill $server; wait $server; cat {1}
"""


class ReferencesTest(program_world.ProgramWorld):

    def setUp(self):
        super().setUp()
        self.reference = f"{self.place}/reference"
        shutil.copytree(os.path.join(program_world.HERE, "reference"), self.reference)

    def content(self, path):
        with open(path, encoding="utf-8") as file:
            return file.read()

    def test_python(self):
        text = f"{self.nonce} and more than forty-two characters of text"
        inside = self.put_outside("/tmp/test", text)
        run = f"cd {self.reference}; python3 -c \"import os; TEXT = 'written'; exec(open('%s.py').read())\""
        self.begin("--read-only", "^/tmp/test$")
        programs = {
            "open": (f"python3 {self.reference}/open.py", text[:42]),
            "os_open": (f"python3 {self.reference}/os_open.py; cat /tmp/test", text),
            "dir_fd": (f"{run % 'dir_fd'}; cat /tmp/test", text),
        }
        for name, (command, expected) in programs.items():
            with self.subTest(program=name):
                self.session.let_all_expire()
                self.remote(command, expected)
        output, code = self.session.run(f"{run % 'write'} && cat /tmp/test && {run % 'lseek'} && tr '\\0' 0 < /tmp/test")
        self.assertEqual((output, code), ("written0000000000written\n", 0))
        self.assertEqual(self.content(inside), text)
        self.assertEqual(self.content("/tmp/test"), text.replace(self.nonce, program_world.POISON))
        self.session.end()
        self.begin("--read-only", "^/tmp/test$")
        self.fails_without_agent(*(command for command, _ in programs.values()), run % "write", run % "lseek")

    def test_the_web_server_with_its_file_operations(self):
        self.put_outside("/var/log/dpkg.log", f"{self.nonce} " * 10)
        if self.user:
            with open(f"{self.container}/etc/hosts", "w", encoding="utf-8") as file:  # empty in the image
                file.write("127.0.0.1 localhost\n")
        made = f"{self.container}/tmp/node_sample.txt"
        self.begin("--read-write", "^/tmp/node_sample", wrap=OWN_NETWORK)
        seen = " ".join(f"{ord(letter):02x}" for letter in self.nonce)  # as node shows a buffer
        output = self.remote(WEB_SERVER.format(self.reference, f"{self.directory('out')}/log"), f"<Buffer {seen}")
        self.addCleanup(os.unlink, made)
        for text in ("bytesRead: 128", "bytesWritten: 19", "server listening to", "answer: to the server"):
            self.assertIn(text, output)
        self.assertNotIn("Failed", output)
        self.assertEqual(self.content(made), "mirrord sample node")
        self.assertFalse(os.path.exists("/tmp/node_sample.txt"))
        # Neither its files nor the address of localhost are to be had.
        self.fails_without_agent(f"timeout 20 node {self.reference}/app.mjs | tee /dev/stderr | grep bytesRead")


class UserReferencesTest(program_world.UserWorld, ReferencesTest):
    """All of it, as an ordinary user."""


if __name__ == "__main__":
    program_world.main()
