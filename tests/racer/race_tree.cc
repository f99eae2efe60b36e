#include "tests/racer/race_tree.h"

#include <fcntl.h>
#include <stdio.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

namespace mirrorfs {
namespace {

constexpr int kExchanges = 101;

std::string ContentOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

// The name of a place that is exchanged, as a path below the root.
std::string SwappedPath(int place) {
  const std::vector<std::string> names = RaceTree::Names(place);
  std::string path = names[0];
  for (int i = 1; i <= place % 3; ++i) path += "/" + names[i];
  return path;
}

}  // namespace

RaceTree::RaceTree(std::string base) : base_(std::move(base)) {
  Build(Served(), kInside);
  Build(Host(), kOutside);
  for (int place = 0; place < kPlaces; ++place) {
    const std::string path = SwappedPath(place);
    std::filesystem::create_symlink(Host() + "/" + path, Served() + "/" + path + ".link");
  }
}

RaceTree::~RaceTree() { StopSwapping(); }

std::vector<std::string> RaceTree::Names(int place) { return {"a" + std::to_string(place), "b", "secret"}; }

std::string RaceTree::PathOf(int place) const {
  std::string path = Served();
  for (const std::string& name : Names(place)) path += "/" + name;
  return path;
}

void RaceTree::Build(const std::string& root, const char* content) const {
  for (int place = 0; place < kPlaces; ++place) {
    const std::string directory = root + "/" + Names(place)[0] + "/" + Names(place)[1];
    std::filesystem::create_directories(directory);
    std::ofstream(directory + "/secret") << content;
    std::ofstream(directory + "/victim") << content;
  }
}

void RaceTree::StartSwapping() {
  for (int i = 0; i < kSwappers; ++i) {
    swappers_.emplace_back([this, i](std::stop_token stop) { Swap(std::move(stop), i); });
  }
}

void RaceTree::StopSwapping() { swappers_.clear(); }

// A place has an odd number of exchanges in a row: at rest, half of the places are as they were and half are links. The
// number of rounds is even, so that all is in its place in the end.
void RaceTree::Swap(std::stop_token stop, int swapper) {
  for (uint64_t round = 0; !stop.stop_requested() || round % 2 == 1; ++round) {
    for (int place = swapper; place < kPlaces; place += kSwappers) {
      hot_places_[swapper] = place;
      const std::string path = Served() + "/" + SwappedPath(place);
      const std::string link = path + ".link";
      for (int i = 0; i < kExchanges; ++i) {
        if (renameat2(AT_FDCWD, path.c_str(), AT_FDCWD, link.c_str(), RENAME_EXCHANGE) != 0) {
          perror("the racer's exchange");
          abort();
        }
      }
      swaps_ += kExchanges;
    }
  }
}

std::string RaceTree::HostDamage() const {
  std::string damage;
  size_t found = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(Host())) {
    if (!entry.is_regular_file()) continue;
    ++found;
    const std::string name = entry.path().filename().string();
    if (name != "secret" && name != "victim") damage += "made: " + entry.path().string() + "\n";
    if (ContentOf(entry.path().string()) != kOutside) damage += "changed: " + entry.path().string() + "\n";
  }
  if (found != 2 * kPlaces) damage += "files: " + std::to_string(found) + "\n";
  return damage;
}

}  // namespace mirrorfs
