"""Programs that write: what they write is theirs alone, and the container stays as it was, to the last bit."""

import hashlib
import os
import subprocess
import unittest

import program_world


def digest_of_tree(root):
    """Of names, types, modes, owners, times, links and contents."""
    digest = hashlib.sha256()
    for directory, names, files in os.walk(root):
        names.sort()
        for name in sorted(names + files):
            path = os.path.join(directory, name)
            info = os.lstat(path)
            digest.update(repr((os.path.relpath(path, root), info.st_mode, info.st_uid, info.st_gid, info.st_size
                                if not os.path.isdir(path) else 0, info.st_mtime_ns, info.st_nlink)).encode())
            if os.path.islink(path):
                digest.update(os.readlink(path).encode())
            elif os.path.isfile(path):
                with open(path, "rb") as file:
                    digest.update(file.read())
    return digest.hexdigest()


class WritersTest(program_world.ProgramWorld):

    def setUp(self):
        super().setUp()
        self.before = None

    def begin(self, *options):
        self.before = digest_of_tree(self.inside)
        return super().begin(*options)

    def assert_untouched(self):
        """Neither the container nor this machine's twin has been changed."""
        self.assertEqual(digest_of_tree(self.inside), self.before)

    def test_redirection(self):
        self.put("data", f"{self.nonce}\n")
        self.begin()
        self.remote(f"echo more >> {self.path}/data; cat {self.path}/data; echo new > {self.path}/new; cat {self.path}/new",
                    f"{self.nonce}\nmore\nnew\n")
        self.remote(f"rm {self.path}/data && ls {self.path}", "new\n")
        self.assert_untouched()
        self.fails_without_agent(f"ls {self.path}/other && cat {self.path}/data")

    def test_sqlite_wal(self):
        self.database(f"{self.inside}/shop.db", self.nonce)
        self.database(f"{self.path}/shop.db", program_world.POISON)
        self.begin()
        sqlite = f"sqlite3 {self.path}/shop.db"
        self.remote(f"{sqlite} 'pragma journal_mode; pragma mmap_size=1048576; select name from fruit;'")
        self.remote(f"{sqlite} \"insert into fruit values ('pear');\" && {sqlite} 'select * from fruit; pragma integrity_check;'",
                    f"{self.nonce}\npear\nok\n")
        self.assert_untouched()
        self.fails_without_agent(f"{sqlite} 'select name from fruit;'", "pear\n")

    def database(self, path, name):
        # sqlite3 takes the links out of the path that it is given, and /proc/PID/root is one.
        made = os.path.join(self.directory(f"made-{name}"), "db")
        subprocess.run(["sqlite3", made, f"pragma journal_mode=wal; create table fruit(name); insert into fruit values ('{name}');"],
                       check=True, capture_output=True)
        subprocess.run(["cp", made, path], check=True)
        self.own(path, 0o644)

    def test_git(self):
        repository = self.directory("repository")
        self.write("repository/file", f"{self.nonce}\n")
        run = ["git", "-C", repository, "-c", "user.name=n", "-c", "user.email=e@x", "-c", "safe.directory=*"]
        subprocess.run(["git", "init", "-q", repository], check=True)
        subprocess.run([*run, "add", "file"], check=True)
        subprocess.run([*run, "commit", "-q", "-m", f"commit {self.nonce}"], check=True)
        self.put_tree(repository, "repository")
        self.begin()
        git = f"git -c safe.directory='*' -c user.name=n -c user.email=e@x -C {self.path}/repository"
        self.remote(f"{git} log --oneline", f"commit {self.nonce}")
        self.remote(f"{git} status --porcelain; cat {self.path}/repository/file", self.nonce)
        self.remote(f"echo more >> {self.path}/repository/file && {git} commit -qam second && {git} log --oneline | wc -l; "
                    f"{git} fsck && {git} show --stat", "1 file changed, 1 insertion(+)")
        self.assert_untouched()
        self.fails_without_agent(f"{git} log --oneline")

    def test_make_and_gcc(self):
        self.put("Makefile", "program: program.c\n\tgcc -o $@ $<\n")
        self.put("program.c", f"#include <stdio.h>\n#include \"value.h\"\nint main(void) {{ return puts(VALUE) < 0; }}\n")
        self.put("value.h", f"#define VALUE \"{self.nonce}\"\n")
        self.begin()
        self.remote(f"make -s -C {self.path} && {self.path}/program && make -C {self.path}", self.nonce)
        self.assert_untouched()
        self.fails_without_agent(f"make -B -s -C {self.path} && {self.path}/program")

    def test_lmdb(self):
        self.write("lmdb.c", """
#include <lmdb.h>
#include <stdio.h>
#include <string.h>
#define CHECK(call) do { int e = (call); if (e) { printf("%s: %s\\n", #call, mdb_strerror(e)); return 1; } } while (0)
int main(int argc, char** argv) {
  MDB_env* env; MDB_txn* txn; MDB_dbi db;
  MDB_val key = {3, "key"}, value = {strlen(argv[argc - 1]), argv[argc - 1]};
  CHECK(mdb_env_create(&env));
  CHECK(mdb_env_open(env, argv[1], MDB_NOSUBDIR | (argc > 3 ? MDB_WRITEMAP : 0), 0644));
  CHECK(mdb_txn_begin(env, NULL, 0, &txn));
  CHECK(mdb_dbi_open(txn, NULL, 0, &db));
  if (argc > 2) CHECK(mdb_put(txn, db, &key, &value, 0));
  CHECK(mdb_get(txn, db, &key, &value));
  printf("%.*s\\n", (int)value.mv_size, (char*)value.mv_data);
  CHECK(mdb_txn_commit(txn));
  mdb_env_close(env);
  return 0;
}
""")
        subprocess.run(["gcc", "-o", f"{self.place}/lmdb", f"{self.place}/lmdb.c", "-llmdb"], check=True)
        for directory, value in ((self.inside, self.nonce), (self.path, program_world.POISON)):
            subprocess.run([f"{self.place}/lmdb", f"{directory}/db", value], check=True, capture_output=True)
            for name in ("db", "db-lock"):
                self.own(f"{directory}/{name}", 0o644)
        self.begin()
        self.remote(f"{self.place}/lmdb {self.path}/db")
        self.remote(f"{self.place}/lmdb {self.path}/db changed && {self.place}/lmdb {self.path}/db writemap again && "
                    f"{self.place}/lmdb {self.path}/db", "changed\nagain\nagain\n")
        self.assert_untouched()
        self.session.end()

    def test_fio_verify_with_io_uring(self):
        self.put("data", f"{self.nonce}\n")
        self.begin()
        self.remote(f"cat {self.path}/data; cd {self.place}; fio --name=v --filename={self.path}/big --rw=randwrite --bs=4k "
                    "--size=4M --ioengine=io_uring --iodepth=8 --verify=crc32c --do_verify=1 --output-format=terse "
                    "--terse-version=3 --minimal | cut -d';' -f5; ls -s --block-size=1M "
                    f"{self.path}/big | cut -c1", f"{self.nonce}\n0\n4\n")
        self.assert_untouched()
        self.session.end()

    def test_inotifywait(self):
        self.put("data", f"{self.nonce}\n")
        self.begin()
        events = f"{self.directory('out')}/events"
        self.remote(f"inotifywait -q -m -e create,close_write {self.path} > {events} & watcher=$!; "
                    f"until grep -q inotify /proc/$watcher/fdinfo/* 2>/dev/null; do sleep 0.05; done; "
                    f"echo x > {self.path}/new; until grep -q CLOSE_WRITE {events}; do sleep 0.05; done; "
                    f"kill $watcher; cat {events} {self.path}/data", "CREATE new\n")
        self.assert_untouched()
        self.session.end()

    def test_write_mode_writes_to_the_container(self):
        self.put("data", f"{self.nonce}\n")
        self.begin("--fs-mode", "write")
        self.remote(f"cat {self.path}/data; echo $(cat {self.path}/data) written > {self.path}/written")
        self.session.end()
        with open(f"{self.inside}/written", encoding="utf-8") as file:
            self.assertEqual(file.read(), f"{self.nonce} written\n")
        self.assertFalse(os.path.exists(f"{self.path}/written"))

    def test_a_named_layer_is_gone_on_with(self):
        self.put("data", f"{self.nonce}\n")
        layer = ["--layer", f"layer-{self.nonce}"]
        self.begin(*layer)
        self.remote(f"cat {self.path}/data; echo first > {self.path}/mine")
        self.session.end()
        self.assert_nothing_left()
        self.begin(*layer)
        self.remote(f"cat {self.path}/mine {self.path}/data", f"first\n{self.nonce}\n")
        self.remote(f"rm {self.path}/mine; cat {self.path}/data")
        self.session.end()
        self.assert_untouched()


class UserWritersTest(program_world.UserWorld, WritersTest):
    """All of it, as an ordinary user."""


if __name__ == "__main__":
    program_world.main()
