// How fast the wire is: one call's round trip, and bulk reads and writes with eight in flight. Run by hand.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <functional>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "tests/wire/in_process_agent.h"
#include "tests/wire/temporary_directory.h"

namespace mirrorfs {
namespace {

constexpr uint64_t kChunk = 1 << 20;
constexpr uint64_t kFileBytes = uint64_t{256} << 20;
constexpr int kRounds = 4;

double MegabytesPerSecond(const std::function<bool(uint64_t offset)>& transfer) {
  std::atomic<uint64_t> next = 0;
  std::vector<std::thread> threads;
  const absl::Time begin = absl::Now();
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (uint64_t at = next.fetch_add(kChunk); at < kRounds * kFileBytes; at = next.fetch_add(kChunk)) {
        if (!transfer(at % kFileBytes)) std::fprintf(stderr, "a transfer failed\n");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return static_cast<double>(kRounds * kFileBytes) / 1e6 / absl::ToDoubleSeconds(absl::Now() - begin);
}

void RunRoundTrips(FileSystem& files) {
  std::vector<double> micros;
  for (int i = 0; i < 5000; ++i) {
    const absl::Time begin = absl::Now();
    if (!files.GetAttr({}, {NodeId::kRoot}).ok()) std::fprintf(stderr, "GetAttr failed\n");
    micros.push_back(absl::ToDoubleMicroseconds(absl::Now() - begin));
  }
  std::sort(micros.begin(), micros.end());
  std::printf("GetAttr: median %.0f us, 99%% %.0f us\n", micros[micros.size() / 2], micros[micros.size() * 99 / 100]);
}

void RunBulk(FileSystem& files) {
  const OpenFlags flags{.read = true, .write = true};
  if (!files.Create({}, {.parent = NodeId::kRoot, .name = "bulk", .permissions = 0644}, true, HandleId{1}, flags)
           .ok()) {
    std::fprintf(stderr, "Create failed\n");
    return;
  }
  const absl::Cord chunk(std::string(kChunk, 'x'));
  std::printf("write: %.0f MB/s\n",
              MegabytesPerSecond([&](uint64_t offset) { return files.Write({}, HandleId{1}, offset, chunk).ok(); }));
  std::printf("read: %.0f MB/s\n",
              MegabytesPerSecond([&](uint64_t offset) { return files.Read({}, HandleId{1}, offset, kChunk).ok(); }));
}

int Measure(absl::StatusOr<std::unique_ptr<RemoteSession>> session) {
  if (!session.ok()) {
    std::fprintf(stderr, "%s\n", std::string(session.status().message()).c_str());
    return 1;
  }
  RunRoundTrips((*session)->Files());
  RunBulk((*session)->Files());
  return 0;
}

int RunInProcess() {
  const TemporaryDirectory directory;
  auto agent = InProcessAgent::Start({.directory = directory.Path()});
  return agent.ok() ? Measure((*agent)->Connect()) : 1;
}

}  // namespace
}  // namespace mirrorfs

// wire_bench [ENDPOINT]: without one it serves a directory itself. Leaves a file "bulk" behind at the endpoint.
int main(int argc, char** argv) {
  if (argc < 2) return mirrorfs::RunInProcess();
  return mirrorfs::Measure(mirrorfs::RemoteSession::Connect({.endpoint = argv[1], .read_write = true}));
}
