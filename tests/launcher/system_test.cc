// The launcher's views of the machine: mount table, processes, state directories.
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "launcher/failure.h"
#include "launcher/namespace/program.h"
#include "launcher/state/mount_record.h"
#include "launcher/state/state_directory.h"
#include "launcher/system/child_process.h"
#include "launcher/system/holders.h"
#include "launcher/system/mount_point.h"
#include "launcher/system/mount_table.h"
#include "launcher/system/process_identity.h"

namespace mirrorfs {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = std::filesystem::temp_directory_path().string() + "/launcher-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

constexpr char kTable[] =
    "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
    "30 22 0:50 / /mnt/web\\040one ro,nosuid - tmpfs mirrorfs-beneath ro,size=4k\n"
    "31 30 0:51 / /mnt/web\\040one rw,nosuid,nodev shared:9 master:2 - fuse.mirrorfs docker/web rw,user_id=0\n"
    "32 31 0:52 / /mnt/web\\040one/sub rw - tmpfs tmpfs rw\n"
    "nonsense\n"
    "33 22 0:53 / /mnt/other rw - fuse.sshfs host: rw\n";

TEST(MountTable, IsParsed) {
  const auto table = ParseMountTable(kTable);
  ASSERT_EQ(table.size(), 5u);
  EXPECT_EQ(table[1].mountpoint, "/mnt/web one");
  EXPECT_TRUE(table[1].IsCover());
  EXPECT_EQ(table[2].source, "docker/web");
  EXPECT_TRUE(table[2].IsMirrorfs());
}

TEST(MountTable, TheTopmostMountIsSeen) {
  const auto table = ParseMountTable(kTable);
  EXPECT_EQ(MountAt(table, "/mnt/web one")->mount_id, 31);
  EXPECT_FALSE(MountAt(table, "/mnt").has_value());
  EXPECT_THAT(MountsBelow(table, "/mnt/web one"), ElementsAre("/mnt/web one/sub"));
}

TEST(MountTable, WithinIsNotPrefix) {
  EXPECT_TRUE(IsWithin("/a/b", "/a"));
  EXPECT_TRUE(IsWithin("/a", "/a"));
  EXPECT_TRUE(IsWithin("/a", "/"));
  EXPECT_FALSE(IsWithin("/ab", "/a"));
}

TEST(ProcessIdentity, TellsAProcessFromItsSuccessor) {
  const ProcessIdentity self = IdentifyProcess(::getpid());
  EXPECT_TRUE(IsAlive(self));
  EXPECT_FALSE(IsAlive({.pid = self.pid, .start_ticks = self.start_ticks + 1}));
  EXPECT_FALSE(IsAlive({}));
}

TEST(ProcessIdentity, EndsAProcessThatIgnoresSigterm) {
  const auto pid = StartChild({.program = "/bin/sh",
                               .command = {"sh", "-c", "trap '' TERM; echo up >&3; while :; do sleep 1; done"},
                               .output = -1,
                               .descriptors = {STDERR_FILENO}});
  ASSERT_TRUE(pid.ok()) << pid.status();
  const ProcessIdentity process = IdentifyProcess(*pid);
  EndProcess(process, absl::Milliseconds(200));
  int status = 0;
  ASSERT_EQ(::waitpid(*pid, &status, 0), *pid);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_FALSE(IsAlive(process));
}

TEST(ChildProcess, InheritsNothingButWhatIsNamed) {
  const UniqueFd kept(::open("/dev/null", O_RDONLY));  // not close-on-exec, on purpose
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  const auto pid = StartChild(
      {.program = "/bin/sh",
       .command = {"sh", "-c", "for n in 0 1 2 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$n ] && printf '%s ' $n; done; pwd"},
       .output = writer.get(),
       .descriptors = {reader.get()}});
  ASSERT_TRUE(pid.ok()) << pid.status();
  writer.reset();
  std::string text;
  char byte = 0;
  while (::read(reader.get(), &byte, 1) == 1) text.push_back(byte);
  int status = 0;
  ::waitpid(*pid, &status, 0);
  EXPECT_THAT(text, HasSubstr("0 1 2 3 /"));
}

TEST(Program, AFailedStartLeavesTheEnvironment) {
  ::setenv("MIRRORFS_TEST", "own", 1);
  const absl::Status failed =
      BecomeProgram({.command = {"/nonexistent/program"}, .environment = {"MIRRORFS_TEST=of the program"}});
  EXPECT_EQ(ExitCodeOf(failed), ExitCode::kNoProgram);
  EXPECT_STREQ(::getenv("MIRRORFS_TEST"), "own");
}

TEST(ChildProcess, SaysWhatCannotBeStarted) {
  const auto pid = StartChild({.program = "/nowhere/x", .command = {"x"}, .output = -1, .descriptors = {}});
  ASSERT_FALSE(pid.ok());
  EXPECT_THAT(MessageOf(pid.status()), HasSubstr("/nowhere/x"));
}

TEST(Holders, NamesWhoStandsInADirectory) {
  const TemporaryDirectory directory;
  std::ofstream(directory.path() + "/file") << "x";
  const UniqueFd file(::open((directory.path() + "/file").c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_THAT(FindHolders(directory.path()),
              Contains(::testing::AllOf(Field(&Holder::pid, ::getpid()), Field(&Holder::reason, HasSubstr("/file")))));
  EXPECT_THAT(FindHolders(directory.path() + "/nothing"), ::testing::IsEmpty());
}

// In a process of an ordinary user's: is there anybody in the namespace of a child that may not be looked into?
bool UserSeesInhabitant(bool child_is_older) {
  const pid_t user = ::fork();
  if (user == 0) {
    if (::geteuid() == 0 && ::setresuid(65534, 65534, 65534) != 0) ::_exit(2);
    ::prctl(PR_SET_DUMPABLE, 1);
    int ready[2] = {};
    if (::pipe(ready) != 0) ::_exit(2);
    const pid_t child = ::fork();
    if (child == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::prctl(PR_SET_DUMPABLE, 0);
      (void)!::write(ready[1], "", 1);
      while (true) ::pause();
    }
    char byte = 0;
    (void)!::read(ready[0], &byte, 1);
    ProcessIdentity first = IdentifyProcess(child);
    if (child_is_older) ++first.start_ticks;
    const bool unreadable = MountNamespaceOf(child).empty();
    const bool seen = MayBeInhabited("mnt:[1]", first);
    ::kill(child, SIGKILL);
    ::_exit(!unreadable ? 2 : seen ? 1 : 0);
  }
  const int status = Reap(user);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) < 2);
  return WEXITSTATUS(status) == 1;
}

TEST(Holders, WhoCannotBeLookedIntoMayBeInANamespace) {
  EXPECT_TRUE(UserSeesInhabitant(/*child_is_older=*/false));
  EXPECT_FALSE(UserSeesInhabitant(/*child_is_older=*/true)) << "it was there before the namespace";
}

TEST(Holders, SomebodyIsInTheOwnNamespace) { EXPECT_TRUE(MayBeInhabited(CurrentMountNamespace(), {})); }

TEST(StateDirectory, OneHolderAtATime) {
  const TemporaryDirectory base;
  const StatePaths paths = PathsOfMountpoint(base.path(), "/mnt/x");
  auto first = LockState(paths);
  ASSERT_TRUE(first.ok() && first->has_value());
  EXPECT_FALSE(LockState(paths)->has_value());
  first->reset();
  EXPECT_TRUE(LockState(paths)->has_value());
  RemoveState(paths);
  EXPECT_THAT(ListIds(base.path()), ::testing::IsEmpty());
}

TEST(StateDirectory, IdsTellMountPointsApart) {
  EXPECT_NE(PathsOfMountpoint("/run", "/a/web").directory, PathsOfMountpoint("/run", "/b/web").directory);
  EXPECT_EQ(PathsOfMountpoint("/run", "/a/web").directory, PathsOfMountpoint("/run", "/a/web").directory);
}

TEST(StateDirectory, AForeignOrOpenOneIsRefused) {
  const TemporaryDirectory runtime;
  const Invoker invoker = {.uid = ::geteuid() == 0 ? 4242 : ::geteuid(),
                           .gid = 0,
                           .working_directory = "/",
                           .executable_directory = "/",
                           .runtime_directory = "/nowhere"};
  EXPECT_EQ(StateBasePath(invoker), "/tmp/mirrorfs-" + std::to_string(invoker.uid));
}

TEST(MountRecord, IsReadAsWritten) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/record";
  const MountRecord record = {.target = "docker/web",
                              .mountpoint = "/mnt/\xff",
                              .identity = "caller",
                              .mount_namespace = "mnt:[1]",
                              .options = "noexec",
                              .read_write = true,
                              .deadline_seconds = 0.5,
                              .since = 1700000000,
                              .keeper = {.pid = 1, .start_ticks = 2},
                              .agent = {.pid = 3, .start_ticks = 4},
                              .daemon = {.pid = 5, .start_ticks = 6},
                              .program_namespace = "mnt:[2]",
                              .cover = {.tmpfs = true, .directory_mode = 0755}};
  ASSERT_TRUE(WriteRecord(path, record).ok());
  EXPECT_EQ(*ReadRecord(path), record);
  std::ofstream(path) << "garbage";
  EXPECT_FALSE(ReadRecord(path).ok());
}

TEST(MountPoint, IsLookedAt) {
  const TemporaryDirectory directory;
  const auto open = [&](const std::string& name, bool nonempty) {
    return OpenMountPoint(
               {.path = directory.path() + name, .nonempty = nonempty, .make_directory = false, .root = true})
        .status();
  };
  std::filesystem::create_directory(directory.path() + "/empty");
  std::ofstream(directory.path() + "/file") << "x";
  EXPECT_TRUE(open("/empty", false).ok());
  EXPECT_THAT(MessageOf(open("/missing", false)), HasSubstr("does not exist"));
  EXPECT_THAT(MessageOf(open("/file", false)), HasSubstr("not a directory"));
  EXPECT_THAT(MessageOf(open("", false)), HasSubstr("not empty"));
  EXPECT_TRUE(open("", true).ok());
  EXPECT_EQ(ExitCodeOf(open("/missing", false)), ExitCode::kMountPoint);
}

TEST(MountPoint, LinksAreResolved) {
  const TemporaryDirectory directory;
  std::filesystem::create_directory(directory.path() + "/real");
  std::filesystem::create_directory_symlink("real", directory.path() + "/link");
  EXPECT_EQ(*PhysicalPath(directory.path() + "/link"), directory.path() + "/real");
  EXPECT_EQ(*PhysicalPath(directory.path() + "/real/missing"), directory.path() + "/real/missing");
  EXPECT_FALSE(PhysicalPath("/").ok());
  EXPECT_FALSE(PhysicalPath(directory.path() + "/no/where").ok());
}

}  // namespace
}  // namespace mirrorfs
