"""Programs that write: what they write is theirs alone, and the container stays as it was, to the last bit."""

import os
import subprocess

import program_world
import sources


class WritersTest(program_world.ProgramWorld):

    def test_redirection(self):
        self.put("data", f"{self.nonce}\n")
        self.put("other", f"{self.nonce}\n")
        self.begin()
        self.remote(f"echo more >> {self.path}/data; cat {self.path}/data; echo new > {self.path}/new; cat {self.path}/new",
                    f"{self.nonce}\nmore\nnew\n")
        self.session.let_all_expire()
        self.remote(f"rm {self.path}/data && ls {self.path}", "new\nother\n")
        self.assert_untouched()
        self.fails_without_agent(f"ls {self.path}/third", f"cat {self.path}/other", f"echo more >> {self.path}/other")

    def test_sqlite_wal(self):
        def make(path, word):
            subprocess.run(["sqlite3", path, "pragma journal_mode=wal; create table fruit(name); "
                            f"insert into fruit values ('{word}');"], check=True, capture_output=True)
        self.put_made("shop.db", make)
        self.put_made("other.db", make)
        self.begin()
        sqlite = f"sqlite3 {self.path}/shop.db"
        output = self.remote(f"{sqlite} 'pragma journal_mode; pragma mmap_size=1048576; select name from fruit;'")
        self.assertIn("wal\n1048576\n", output)
        self.remote(f"{sqlite} \"insert into fruit values ('pear');\" && {sqlite} 'select * from fruit; pragma integrity_check;' "
                    f"&& cat {self.path}/other.db > /dev/null", f"{self.nonce}\npear\nok\n")
        self.assert_untouched()
        self.fails_without_agent(f"sqlite3 {self.path}/other.db 'select name from fruit;'")

    def test_git(self):
        def make(path, word):
            run = ["git", "-C", path, "-c", "user.name=n", "-c", "user.email=e@x"]
            subprocess.run(["git", "init", "-q", path], check=True)
            with open(f"{path}/file", "w", encoding="utf-8") as file:
                file.write(f"{word}\n")
            subprocess.run([*run, "add", "file"], check=True)
            subprocess.run([*run, "commit", "-q", "-m", f"commit {word}"], check=True)
        self.put_made("repository", make)
        self.begin()
        git = f"git -c safe.directory='*' -c user.name=n -c user.email=e@x -C {self.path}/repository"
        self.remote(f"{git} log --oneline", f"commit {self.nonce}")
        self.remote(f"{git} status --porcelain; cat {self.path}/repository/file", self.nonce)
        self.remote(f"echo more >> {self.path}/repository/file && {git} commit -qam second && {git} log --oneline | wc -l; "
                    f"{git} fsck && {git} show --stat", "1 file changed, 1 insertion(+)")
        self.assert_untouched()
        self.fails_without_agent(f"{git} log --oneline", f"{git} status")

    def test_make_and_gcc(self):
        self.put("Makefile", "program: program.c\n\tgcc -o $@ $<\n")
        self.put("program.c", "#include <stdio.h>\n#include \"value.h\"\nint main(void) { return puts(VALUE) < 0; }\n")
        self.put("value.h", f"#define VALUE \"{self.nonce}\"\n")
        self.begin()
        self.remote(f"make -s -C {self.path} && {self.path}/program && make -C {self.path}", "'program' is up to date")
        self.assertIn(self.nonce, self.session.run(f"{self.path}/program")[0])
        self.assert_untouched()
        self.fails_without_agent(f"make -B -s -C {self.path}", f"gcc -c -o {self.place}/program.o {self.path}/program.c")

    def test_lmdb(self):
        sources.build_lmdb(self, "lmdb")

        def make(path, word):
            os.mkdir(path)
            subprocess.run([f"{self.place}/lmdb", f"{path}/db", word], check=True, capture_output=True)
        self.put_made("environment", make)
        self.put_made("other", make)
        self.begin()
        lmdb = f"{self.place}/lmdb {self.path}/environment/db"
        self.remote(lmdb)
        self.remote(f"{lmdb} changed && {lmdb} writemap again && {lmdb} && {self.place}/lmdb {self.path}/other/db",
                    f"changed\nagain\nagain\n{self.nonce}\n")
        self.assert_untouched()
        self.fails_without_agent(f"{self.place}/lmdb {self.path}/other/db")

    def test_fio_verify_with_io_uring(self):
        program_world.need_io_uring(self)
        self.put("data", f"{self.nonce}\n")
        with open(f"{self.inside}/big", "wb") as file:
            file.write(os.urandom(4 << 20))
        self.own(f"{self.inside}/big", 0o644)
        self.begin()
        fio = (f"fio --name=v --filename={self.path}/big --rw=randwrite --bs=4k --size=4M --ioengine=io_uring --iodepth=8 "
               "--verify=crc32c --do_verify=1 --verify_state_save=0 --output-format=terse --terse-version=3")
        self.remote(f"cat {self.path}/data; cd {self.place}; {fio} | cut -d';' -f5; wc -c < {self.path}/big",
                    f"{self.nonce}\n0\n{4 << 20}\n")
        self.assert_untouched()
        self.fails_without_agent(f"cat {self.path}/data")

    def test_inotifywait(self):
        self.put("data", f"{self.nonce}\n")
        self.begin()
        events = f"{self.directory('out')}/events"
        self.remote(f"inotifywait -q -m -e create,close_write {self.path} > {events} & watcher=$!; "
                    f"until grep -q inotify /proc/$watcher/fdinfo/* 2>/dev/null; do sleep 0.05; done; "
                    f"echo x > {self.path}/new; until grep -q CLOSE_WRITE {events}; do sleep 0.05; done; "
                    f"kill $watcher; cat {events} {self.path}/data", "CREATE new\n")
        self.assert_untouched()
        self.fails_without_agent(f"inotifywait -q -t 1 {self.path}/data; test $? = 2")  # 2: there was no event

    def test_a_config_map_is_swapped_in_the_container(self):
        self.put("..1/key", f"old {self.nonce}\n")
        self.put("..2/key", f"new {self.nonce}\n")
        for directory in (self.inside, self.path):
            os.symlink("..1", f"{directory}/..data")
            os.symlink("..data/key", f"{directory}/key")
        self.begin()
        self.remote(f"cat {self.path}/key", f"old {self.nonce}")
        os.symlink("..2", f"{self.inside}/..data_tmp")
        os.rename(f"{self.inside}/..data_tmp", f"{self.inside}/..data")
        self.remote(f"until grep -q new {self.path}/key; do sleep 0.05; done; cat {self.path}/key", f"new {self.nonce}")
        self.fails_without_agent(f"cat {self.path}/key")

    def test_write_mode_writes_to_the_container(self):
        self.put("data", f"{self.nonce}\n")
        self.begin("--fs-mode", "write")
        self.remote(f"cat {self.path}/data; echo $(cat {self.path}/data) written > {self.path}/written")
        with open(f"{self.inside}/written", encoding="utf-8") as file:
            self.assertEqual(file.read(), f"{self.nonce} written\n")
        self.assertFalse(os.path.exists(f"{self.path}/written"))
        self.fails_without_agent(f"echo lost > {self.path}/written", f"mkdir {self.path}/lost")
        with open(f"{self.inside}/written", encoding="utf-8") as file:
            self.assertEqual(file.read(), f"{self.nonce} written\n")
        self.assertFalse(os.path.exists(f"{self.inside}/lost"))

    def test_a_named_layer_is_gone_on_with(self):
        self.put("data", f"{self.nonce}\n")
        layer = ["--layer", f"layer-{self.nonce}"]
        self.begin(*layer)
        self.remote(f"cat {self.path}/data; echo first > {self.path}/mine")
        self.session.end()
        self.assert_nothing_left()
        self.begin(*layer)
        self.remote(f"cat {self.path}/mine {self.path}/data", f"first\n{self.nonce}\n")
        self.session.run(f"rm {self.path}/mine")
        self.assert_untouched()
        self.fails_without_agent(f"cat {self.path}/data")


class UserWritersTest(program_world.UserWorld, WritersTest):
    """All of it, as an ordinary user."""


if __name__ == "__main__":
    program_world.main()
