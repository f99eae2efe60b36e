// A tree in which directories and files turn into links that lead out of it, and back, all the time.
#ifndef MIRRORFS_TESTS_RACER_RACE_TREE_H_
#define MIRRORFS_TESTS_RACER_RACE_TREE_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace mirrorfs {

inline constexpr char kInside[] = "the container's own";
inline constexpr char kOutside[] = "THE HOST'S";

// BASE/served is the root. In it are places 0 to kPlaces-1, each a path of three names that ends in a file, and each
// with one of these names exchanged for a link to the same path in BASE/host, by a thread of its own kind in a tight
// loop.
class RaceTree {
 public:
  static constexpr int kPlaces = 24;
  static constexpr int kSwappers = 2;

  explicit RaceTree(std::string base);  // a directory that is there and empty
  ~RaceTree();                          // stops; leaves the files
  RaceTree(const RaceTree&) = delete;
  RaceTree& operator=(const RaceTree&) = delete;

  std::string Served() const { return base_ + "/served"; }
  std::string Host() const { return base_ + "/host"; }
  // The three names of a place, and the same as a path.
  static std::vector<std::string> Names(int place);
  std::string PathOf(int place) const;

  void StartSwapping();
  void StopSwapping();
  uint64_t Swaps() const { return swaps_; }
  // The place that a swapper is at.
  int HotPlace(int swapper) const { return hot_places_[swapper]; }

  // What is wrong on the host's side; empty if it is as it was made.
  std::string HostDamage() const;

 private:
  void Build(const std::string& root, const char* content) const;
  void Swap(std::stop_token stop, int swapper);

  const std::string base_;
  std::atomic<uint64_t> swaps_ = 0;
  std::array<std::atomic<int>, kSwappers> hot_places_ = {};
  std::vector<std::jthread> swappers_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_TESTS_RACER_RACE_TREE_H_
