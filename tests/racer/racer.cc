// Races an attacker in the container, who exchanges directories for links, against opens through the port. The same
// race against a naive resolver must be lost now and then: else nothing was raced.
//
// Usage: racer-* [--opens N] [--canary N] [--seed N]
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "protos/shared/errno_status.h"
#include "tests/contract/world.h"
#include "tests/racer/race_tree.h"
#include "tests/racer/walkers.h"

namespace mirrorfs {
namespace {

constexpr int kThreads = 4;
// Every so many opens are followed by an attempt to do harm outside.
constexpr uint64_t kHarmEvery = 50;
constexpr int kCanaryRounds = 50;

struct Options {
  uint64_t opens = 100'000;
  uint64_t canary = 20'000;
  uint32_t seed = std::random_device()();
};

struct Tally {
  std::atomic<uint64_t> inside = 0;
  std::atomic<uint64_t> outside = 0;
  std::atomic<uint64_t> refused = 0;
  std::atomic<uint64_t> strange = 0;

  void Count(const absl::StatusOr<std::string>& result) {
    if (!result.ok()) {
      ++(HasErrno(result.status()) ? refused : strange);
    } else if (*result == kInside) {
      ++inside;
    } else {
      ++(*result == kOutside ? outside : strange);
    }
  }
};

Options ParseOptions(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const uint64_t value = strtoull(argv[i + 1], nullptr, 10);
    if (name == "--opens") options.opens = value;
    if (name == "--canary") options.canary = value;
    if (name == "--seed") options.seed = static_cast<uint32_t>(value);
  }
  return options;
}

// Does `count` tries of `attempt(place, number)` in several threads. Mostly where exchanges go on; else anywhere, so
// that what is remembered of a place is dropped before it is its turn again.
template <typename Attempt>
void Race(const RaceTree& tree, uint64_t count, uint32_t seed, Attempt attempt) {
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([=, &tree] {
      std::mt19937 random(seed + thread);
      std::uniform_int_distribution<int> places(0, RaceTree::kPlaces - 1);
      for (uint64_t number = thread; number < count; number += kThreads) {
        const int place = places(random);
        attempt(place % 2 == 0 ? tree.HotPlace(place / 2 % RaceTree::kSwappers) : place, number);
      }
    });
  }
}

void RaceThePort(const RaceTree& tree, FileSystem& files, const Options& options, Tally& tally) {
  Race(tree, options.opens, options.seed, [&](int place, uint64_t number) {
    const std::vector<std::string> names = RaceTree::Names(place);
    tally.Count(ReadThroughPort(files, names, HandleId{2 * number + 1}));
    if (number % kHarmEvery == 0) HarmThroughPort(files, names, HandleId{2 * number + 2});
  });
}

// Repeated while it has not escaped: how many tries that takes depends on the machine. Returns the number of tries.
uint64_t RaceTheCanary(const RaceTree& tree, const Options& options, Tally& tally) {
  uint64_t tries = 0;
  for (int round = 0; round < kCanaryRounds && tally.outside == 0; ++round) {
    Race(tree, options.canary, options.seed + round,
         [&](int place, uint64_t) { tally.Count(ReadNaively(tree.Served(), RaceTree::Names(place))); });
    tries += options.canary;
  }
  return tries;
}

bool Verdict(const Tally& port, const Tally& canary, const std::string& damage) {
  if (!damage.empty()) printf("the host's files were reached:\n%s", damage.c_str());
  if (port.strange > 0) printf("answers that make no sense: %lu\n", port.strange.load());
  if (port.inside == 0 || port.refused == 0) printf("the race was not run: every answer was the same\n");
  if (canary.outside == 0) printf("the canary lives: this race proves nothing\n");
  return damage.empty() && port.outside == 0 && port.strange == 0 && port.inside > 0 && port.refused > 0 &&
         canary.outside > 0;
}

int Main(int argc, char** argv) {
  const Options options = ParseOptions(argc, argv);
  char base[] = "/tmp/mirrorfs-racer-XXXXXX";
  if (mkdtemp(base) == nullptr) return 2;
  Tally port;
  Tally canary;
  std::string damage;
  uint64_t swaps = 0;
  uint64_t canary_tries = 0;
  {
    RaceTree tree(base);
    // Few descriptors are kept, so that nodes are found again by their names in the middle of the race.
    const std::unique_ptr<World> world = MakeWorld(tree.Served(), {.fd_cache_size = 16});
    tree.StartSwapping();
    RaceThePort(tree, world->Files(), options, port);
    canary_tries = RaceTheCanary(tree, options, canary);
    tree.StopSwapping();
    swaps = tree.Swaps();
    damage = tree.HostDamage();
  }
  std::filesystem::remove_all(base);
  printf("racer: %lu opens, %lu escapes; canary: %lu escapes of %lu\n", options.opens, port.outside.load(),
         canary.outside.load(), canary_tries);
  printf("racer: seed %u, %lu exchanges, %lu read inside, %lu refused\n", options.seed, swaps, port.inside.load(),
         port.refused.load());
  return Verdict(port, canary, damage) ? 0 : 1;
}

}  // namespace
}  // namespace mirrorfs

int main(int argc, char** argv) { return mirrorfs::Main(argc, argv); }
