"""Programs of every kind that read the container's files."""

import os
import subprocess
import time

import program_world
import sources

GDB = "gdb -q -nx -batch -return-child-result -iex 'set debuginfod enabled off' -iex 'set auto-load off'"

# What reads {data}, which only it reads: so the container is asked for it. All of it prints the nonce.
PROGRAMS = {
    "cat": "cat {data}",
    "busybox": "/bin/busybox cat {data}",
    "python_open": "python3 -c 'print(open(\"{data}\").read())'",
    "python_os_open": "python3 -c 'import os; print(os.read(os.open(\"{data}\", os.O_RDONLY), 1000))'",
    "python_dir_fd": "python3 -c 'import os; d = os.open(\"{path}\", os.O_RDONLY | os.O_DIRECTORY); "
                     "print(os.read(os.open(\"{name}\", os.O_RDONLY, dir_fd=d), 1000))'",
    "python_mmap": "python3 -c 'import mmap; f = open(\"{data}\", \"rb\"); "
                   "print(mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)[:])'",
    "numpy_memmap": "python3 -c 'import numpy; print(numpy.memmap(\"{data}\", mode=\"r\").tobytes())'",
    "perl": "perl -e 'open(my $f, \"<\", \"{data}\") or die $!; print while <$f>'",
    "a_perl_program": "perl {path}/program.pl {data}",
    "bash": "bash -c 'x=$(< {data}) && echo \"$x\"'",
    "a_bash_script": "{path}/bash_script {data}",
    "a_dash_script": "{path}/dash_script {name}",
    "a_loop_of_the_shell": "while read line; do echo \"$line\"; done < {data}",
    "cmp": "cmp {data} {data} && cmp {data} {path}/other || cat {data}",
    "a_pipeline": "sort {data} | tee /dev/null | grep nonce:",
    "grep_and_find": "find {path} -name {name} -exec grep -r nonce: {{}} +",
    "tar": "tar -C {path} -cf - {name} | tar -xOf - {name}",
    "another_directory": "cd / && cd {path}/sub/.. && cat ./{name}",
    "links_of_two_hops": "cat {path}/hop",
    "strace": "strace -f -o '|grep -c openat' -e trace=openat cat {data}",
    "gdb": GDB + " -ex run --args cat {data}",
    "go": "{place}/go-program {data}",
    "musl": "{place}/musl-program {data}",
    "a_program_of_the_container": "{path}/program {data}",
}


class ReadersTest(program_world.ProgramWorld):

    def test_programs(self):
        self.assert_static("/bin/busybox")
        for name, make in (("go-program", sources.build_go), ("musl-program", sources.build_musl)):
            make(self, name)
            self.assert_static(f"{self.place}/{name}")
        self.put_program()
        self.put("program.pl", f"# {self.nonce}\nopen(my $f, '<', $ARGV[0]) or die $!; print while <$f>;\n")
        self.put("bash_script", "#!/bin/bash\necho \"$(< $1)\" | { read -r first; read -r second; echo $second; }\n", 0o755)
        self.put("dash_script", "#!/bin/dash\ncd $(dirname $0) && read -r line < $1 && . ./part && cat ../$(basename $PWD)/$1\n",
                 0o755)
        self.put("part", f"echo part {self.nonce}\n")
        self.put("other", f"other {self.nonce}\n")
        self.put("sub/file", "\n")
        for directory in (self.inside, self.path):
            os.symlink("absolute", f"{directory}/hop")
            os.symlink(f"{self.path}/data-links_of_two_hops", f"{directory}/absolute")
        self.begin()
        commands = {}
        for name, program in PROGRAMS.items():
            self.put(f"data-{name}", f"first line\nnonce: {self.nonce}\nlast line\n")
            commands[name] = program.format(path=self.path, place=self.place, name=f"data-{name}",
                                            data=f"{self.path}/data-{name}")
        for name, command in commands.items():
            with self.subTest(program=name):
                self.remote(command)
        self.fails_without_agent(*commands.values())

    def assert_static(self, program):
        said = subprocess.run(["file", "-L", program], capture_output=True, text=True, check=True).stdout
        self.assertIn("statically linked", said)

    def put_program(self):
        """A program in the container; at its place on this machine there is another one."""
        subprocess.run(["cp", f"{self.place}/musl-program", f"{self.inside}/program"], check=True)
        with open(f"{self.path}/program", "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\necho {program_world.POISON}\n")
        for directory in (self.inside, self.path):
            self.own(f"{directory}/program", 0o755)

    def test_io_uring(self):
        program_world.need_io_uring(self)
        for directory, size in ((self.inside, 4 << 20), (self.path, 1)):
            with open(f"{directory}/big", "wb") as file:
                file.write(os.urandom(size))
            self.own(f"{directory}/big", 0o644)
        command = (f"cd {self.place} && fio --name=read --readonly --filename={self.path}/big --rw=randread --bs=4k --size=4M "
                   "--ioengine=io_uring --iodepth=8 --output-format=terse --terse-version=3")
        self.begin()
        # Version, name, group, error, KiB read.
        self.remote(command, ";read;0;0;4096;")
        self.fails_without_agent(command)

    def test_a_program_that_hangs_fails_its_test_alone(self):
        self.put("data", f"{self.nonce}\n")
        self.begin()
        self.session.limit = 1
        self.session.stop_agent()
        with self.assertRaisesRegex(AssertionError, "did not end in 1 s.*'sleep', '1000'"):
            self.session.run("sleep 1000 & wait")

    def test_strace_shows_what_a_program_does(self):
        self.put("data", f"{self.nonce}\n")
        output = self.remote(f"strace -f -e trace=openat cat {self.path}/data")
        self.assertIn(f'openat(AT_FDCWD, "{self.path}/data", O_RDONLY) = 3', output)
        self.session.end()

    def test_python_source_and_modules_of_the_container(self):
        self.put("app.py", f"import module\nprint(module.VALUE, '{self.nonce}')\n")
        self.put("module.py", f"VALUE = 'module {self.nonce}'\n")
        self.prove(f"python3 {self.path}/app.py", "--read-only", f"^{self.path}/", expected=f"module {self.nonce} {self.nonce}")

    def test_source_suffixes_are_local(self):
        self.put("app.py", f"print('{self.nonce}')\n")
        self.begin()
        output, _ = self.session.run(f"python3 {self.path}/app.py")
        self.assertEqual(output.strip(), program_world.POISON)
        self.session.end()

    def test_local_files_ask_nothing_of_the_container(self):
        self.write("mine.txt", "on this machine\n")
        self.local(f"cat {self.place}/mine.txt /etc/os-release", "on this machine")
        self.local(f"python3 -c 'import json; print(open(\"{self.place}/mine.txt\").read())'", "on this machine")
        self.session.stop_agent()
        output, code = self.session.run(f"cat {self.place}/mine.txt && ls /usr/lib && python3 -c 'import this'")
        self.session.continue_agent()
        self.assertEqual((output[:15], code), ("on this machine", 0))
        self.session.end()

    def test_a_large_file_is_read_at_once(self):
        text = "0123456789abcde\n" * ((50 << 20) // 16)
        self.put("large", text + self.nonce)
        program = ("import os; f = os.open(\"{0}/large\", os.O_RDONLY); d = os.read(f, 60 << 20); "
                   "print(len(d), d[:-16] == b\"0123456789abcde\\n\" * ((50 << 20) // 16), d[-16:])").format(self.path)
        self.prove(f"python3 -c '{program}'", expected=f"{(50 << 20) + 16} True b'{self.nonce}'")

    def test_a_slow_reader_costs_one_call(self):
        self.put("seven", "x" * 7000)
        self.begin()
        self.session.run(f"ls -l {self.path}/seven; python3 -c pass")
        before, begun = self.session.calls(), time.monotonic()
        program = f"f = open(\"{self.path}/seven\", \"rb\", buffering=0); print(sum(len(f.read(1)) for _ in range(7001)))"
        output, _ = self.session.run(f"python3 -c '{program}'")
        self.assertEqual(output.strip(), "7000")
        # And one more, of its attributes, for each second that they are believed.
        self.assertLessEqual(self.session.calls() - before, 3 + int(time.monotonic() - begun))
        self.session.end()


class UserReadersTest(program_world.UserWorld, ReadersTest):
    """All of it, as an ordinary user."""


if __name__ == "__main__":
    program_world.main()
