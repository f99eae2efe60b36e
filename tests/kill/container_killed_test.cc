// Containers killed in the middle of writing: what was acknowledged lies in the container's upper directory and in its
// volume, and nothing is acknowledged into a dead root. Run by kill_test.py, which starts the lab.
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <random>
#include <thread>
#include <utility>

#include "agent/target/target.h"
#include "fmt/format.h"
#include "gtest/gtest.h"
#include "protos/rootfs/rooted_filesystem.h"
#include "protos/shared/errno_status.h"
#include "tests/kill/lab_container.h"
#include "tests/kill/record_writer.h"

namespace mirrorfs {
namespace {

std::string Setting(const char* name, const char* otherwise = "") {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

absl::StatusOr<std::unique_ptr<RootedFilesystem>> Serve(const Target& target, std::function<bool()> alive) {
  RootedFilesystemOptions options;
  ASSIGN_OR_RETURN(options.root, target.OpenRoot());
  options.identity = {.kind = IdentityKind::kContainer, .credentials = target.ProcessCredentials()};
  options.read_write = true;
  options.alive = std::move(alive);
  return RootedFilesystem::Create(std::move(options));
}

NodeId Walk(FileSystem& files, std::initializer_list<const char*> names) {
  NodeId node = NodeId::kRoot;
  for (const char* name : names) {
    const auto entry = files.Lookup({}, node, name);
    EXPECT_TRUE(entry.ok()) << name << ": " << entry.status();
    if (!entry.ok()) return NodeId::kInvalid;
    node = entry->node;
  }
  return node;
}

std::string ReadPart(const std::string& path, uint64_t offset, size_t size) {
  std::ifstream file(path, std::ios::binary);
  std::string text(size, '\0');
  file.seekg(static_cast<std::streamoff>(offset));
  file.read(text.data(), static_cast<std::streamsize>(size));
  text.resize(static_cast<size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return text;
}

bool Lies(const Acknowledged& done, const std::string& directory) {
  const std::string file = fmt::format("file-{}", done.number);
  switch (done.kind) {
    case Acknowledged::Kind::kRecord:
      return ReadPart(directory + "/records", done.number * RecordWriter::kRecordBytes, RecordWriter::kRecordBytes) ==
             RecordWriter::Record(done.number);
    case Acknowledged::Kind::kFile:
      return ReadPart(fmt::format("{}/{}", directory, file), 0, 64) == file;
    case Acknowledged::Kind::kDirectory:
      return std::filesystem::is_directory(fmt::format("{}/directory-{}", directory, done.number));
  }
  return false;
}

struct Sum {
  size_t acknowledged = 0;
  size_t missing = 0;
  size_t after_death = 0;
};

void Check(const RecordWriter& writer, absl::Time dead, const std::string& directory, Sum& sum) {
  const int error = ToErrno(writer.FirstError());
  EXPECT_TRUE(error == EHOSTDOWN || error == ESTALE) << writer.FirstError();
  sum.after_death += writer.AcknowledgedAfterFirstError();
  for (const Acknowledged& done : writer.Log()) {
    ++sum.acknowledged;
    if (!Lies(done, directory)) ++sum.missing;
    if (done.begun > dead) ++sum.after_death;
  }
}

class ContainerKilledTest : public testing::Test {
 protected:
  void SetUp() override {
    socket_ = Setting("LAB_DOCKER_SOCKET");
    if (socket_.empty()) GTEST_SKIP() << "needs a lab (kill_test.py starts one)";
    volumes_ = Setting("LAB_DIR") + "/volumes/";
  }

  // One container, two writers (its overlay and its volume), one kill after `count` acknowledgements.
  void KillOne(const std::string& name, size_t count, Sum& sum) {
    const std::string volume = volumes_ + name;
    std::filesystem::create_directory(volume);
    const auto container = LabContainer::Start(socket_, name, volume);
    ASSERT_TRUE(container.ok()) << container.status();
    const auto target = Target::Resolve({.target = container->Target(), .runtime_socket = socket_});
    ASSERT_TRUE(target.ok()) << target.status();
    const auto files = Serve(**target, [&target] { return (*target)->Alive(); });
    ASSERT_TRUE(files.ok()) << files.status();
    RecordWriter in_overlay(**files, Walk(**files, {"srv"}), 1000);
    RecordWriter in_volume(**files, Walk(**files, {"volumes", "bind"}), 10000000);
    std::thread overlay_thread([&in_overlay] { in_overlay.Run(); });
    std::thread volume_thread([&in_volume] { in_volume.Run(); });
    in_overlay.WaitFor(count);
    in_volume.WaitFor(1);
    const absl::Time dead = container->Kill();
    overlay_thread.join();
    volume_thread.join();
    Check(in_overlay, dead, container->UpperDirectory() + "/srv", sum);
    Check(in_volume, dead, volume, sum);
  }

  std::string socket_;
  std::string volumes_;
};

TEST_F(ContainerKilledTest, WhatWasAcknowledgedIsThereAndNothingIsAcknowledgedAfterDeath) {
  const int kills = std::atoi(Setting("KILLS", "50").c_str());
  const unsigned seed = static_cast<unsigned>(std::atoi(Setting("SEED", "1").c_str()));
  std::mt19937 random(seed);
  std::uniform_int_distribution<size_t> counts(1, 3000);
  Sum sum;
  for (int i = 0; i < kills && !HasFatalFailure(); ++i) KillOne(fmt::format("killed-{}", i), counts(random), sum);
  fmt::print("seed {}: {} kills, {} operations acknowledged, {} of them missing, {} acknowledged after death\n", seed,
             kills, sum.acknowledged, sum.missing, sum.after_death);
  EXPECT_GT(sum.acknowledged, static_cast<size_t>(kills));
  EXPECT_EQ(sum.missing, 0u);
  EXPECT_EQ(sum.after_death, 0u);
}

// Why the check is there: the root that is held goes on taking writes when its container is dead.
TEST_F(ContainerKilledTest, WithoutTheCheckADeadRootWouldTakeWrites) {
  const std::string volume = volumes_ + "unchecked";
  std::filesystem::create_directory(volume);
  const auto container = LabContainer::Start(socket_, "unchecked", volume);
  ASSERT_TRUE(container.ok()) << container.status();
  const auto target = Target::Resolve({.target = container->Target(), .runtime_socket = socket_});
  ASSERT_TRUE(target.ok()) << target.status();
  const auto files = Serve(**target, [] { return true; });
  ASSERT_TRUE(files.ok()) << files.status();
  const NodeId directory = Walk(**files, {"srv"});
  container->Kill();
  EXPECT_FALSE((*target)->Alive());
  EXPECT_TRUE((*files)->Mkdir({}, {.parent = directory, .name = "after", .permissions = 0755}).ok());
}

}  // namespace
}  // namespace mirrorfs
