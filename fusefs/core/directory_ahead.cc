#include "fusefs/core/directory_ahead.h"

#include <algorithm>
#include <utility>

namespace mirrorfs {
namespace {

constexpr size_t kFirstWindow = 2;
// As many as are in flight at most; the rest of the pool is for data.
constexpr size_t kLargestWindow = 16;
constexpr size_t kMostWalks = 256;
// A walk that has not gone on for so long is over.
constexpr absl::Duration kWalkLifetime = absl::Seconds(10);

}  // namespace

void DirectoryAhead::NoteListed(NodeId directory, const Listing& listing) {
  Walk walk;
  for (const ListedName& name : listing.names()) {
    if (name.inode == nullptr || !name.inode->IsDirectory()) continue;
    walk.places.emplace(name.inode->node(), static_cast<uint32_t>(walk.directories.size()));
    walk.directories.push_back(name.inode);
  }
  walk.used_at = Now();
  MutexLock lock(mutex_);
  walks_.erase(directory);
  if (walk.directories.size() < 2) return;  // there is nothing to be ahead of
  if (walks_.size() >= kMostWalks) {
    walks_.erase(std::min_element(walks_.begin(), walks_.end(),
                                  [](const auto& a, const auto& b) { return a.second.used_at < b.second.used_at; }));
  }
  walks_[directory] = std::move(walk);
}

std::vector<IoTaskPtr> DirectoryAhead::Advance(NodeId parent, NodeId directory, bool known, const Fetch& fetch) {
  std::vector<IoTaskPtr> wanted;
  MutexLock lock(mutex_);
  const auto found = walks_.find(parent);
  if (found == walks_.end()) return wanted;
  Walk& walk = found->second;
  const auto place = walk.places.find(directory);
  if (place == walk.places.end()) return wanted;
  const size_t opened = place->second;
  const bool in_order = opened == walk.next;
  const bool was_fetched = opened < walk.fetched_to;
  walk.used_at = Now();
  walk.next = opened + 1;
  if (!in_order) {
    walk.window = 0;  // it picks single ones
    walk.fetched_to = walk.next;
    return wanted;
  }
  // What was fetched and is too old by now was fetched in vain.
  walk.window = was_fetched && !known ? 0 : std::clamp(walk.window * 2, kFirstWindow, kLargestWindow);
  walk.fetched_to = std::max(walk.fetched_to, walk.next);
  const size_t end = std::min(walk.next + walk.window, walk.directories.size());
  for (; walk.fetched_to < end; ++walk.fetched_to) {
    const InodePtr next = walk.directories[walk.fetched_to].lock();
    if (next != nullptr && !under_way_.contains(next->node())) wanted.push_back(Begin(next, fetch));
  }
  return wanted;
}

IoTaskPtr DirectoryAhead::Begin(const InodePtr& directory, const Fetch& fetch) {
  auto task = std::make_shared<IoTask>([this, directory, fetch] {
    fetch(directory);
    MutexLock lock(mutex_);
    under_way_.erase(directory->node());
  });
  under_way_[directory->node()] = task;
  return task;
}

void DirectoryAhead::NoteOpened(const Inode& directory, bool known, const Fetch& fetch) {
  const InodePtr parent = directory.Parent();
  if (parent == nullptr) return;
  for (IoTaskPtr& task : Advance(parent->node(), directory.node(), known, fetch)) pool_.Submit(std::move(task));
}

IoTaskPtr DirectoryAhead::UnderWay(NodeId directory) const {
  MutexLock lock(mutex_);
  const auto found = under_way_.find(directory);
  return found == under_way_.end() ? nullptr : found->second;
}

void DirectoryAhead::DropOld() {
  const Instant now = Now();
  MutexLock lock(mutex_);
  absl::erase_if(walks_,
                 [&](const auto& walk) { return absl::Nanoseconds(now - walk.second.used_at) > kWalkLifetime; });
}

}  // namespace mirrorfs
