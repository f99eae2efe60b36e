// Directories of the side that the policy does not take, which lead to files that it does.
#include <cerrno>
#include <utility>

#include "fusefs/view/view_file_system_impl.h"

namespace mirrorfs {
namespace {

// Names that are looked at to find out. Where that does not do, or a side does not answer, the directory is taken to
// lead somewhere: what the policy puts below it must be found.
constexpr int kLocalBudget = 4096;
constexpr int kContainerBudget = 512;  // each directory is a call
constexpr std::chrono::seconds kRemembered{5};
constexpr size_t kMostRemembered = 4096;

}  // namespace

bool ViewFileSystemImpl::MayLeadTo(Side side, std::string_view path) const {
  const PathPolicy& policy = side == Side::kLocal && local_rules_ ? *local_rules_ : options_.policy;
  return policy.MayDifferBelow(path);
}

bool ViewFileSystemImpl::LeadsSomewhere(const CallContext& context, Side side, NodeId inner, const std::string& path) {
  const SteadyTime now = std::chrono::steady_clock::now();
  {
    MutexLock lock(mutex_);
    const auto known = leads_.find(path);
    if (known != leads_.end() && now - known->second.at < kRemembered) return known->second.leads;
  }
  int budget = side == Side::kLocal ? kLocalBudget : kContainerBudget;
  const bool leads = LeadsSomewhere(context, side, inner, path, budget);
  MutexLock lock(mutex_);
  if (leads_.size() >= kMostRemembered) leads_.clear();
  leads_[path] = {leads, now};
  return leads;
}

bool ViewFileSystemImpl::LeadsSomewhere(const CallContext& context, Side side, NodeId inner, const std::string& path,
                                        int& budget) {
  const PathSide wanted = side == Side::kLocal ? PathSide::kLocal : PathSide::kContainer;
  std::vector<std::string> directories;
  bool found = false;
  const auto look = [&](DirectoryEntry entry) -> absl::Status {
    const std::string below = JoinPath(path, entry.name);
    found = Decide(below).side == wanted || --budget <= 0;
    if (found) return ErrnoStatus(ECANCELED);  // enough
    if (entry.type == FileType::kDirectory && MayLeadTo(side, below)) {
      directories.push_back(std::move(entry.name));
    }
    return absl::OkStatus();
  };
  DirCursor cursor = DirCursor::kStart;
  do {
    auto page = On(side).ReadDir(context, inner, cursor, 64 << 10, /*with_attributes=*/false);
    if (!page.ok() && !IsAnswer(page.status())) return true;
    if (!page.ok()) break;  // what may not be listed leads nowhere
    absl::Status looked;
    for (DirectoryEntry& entry : page->entries) {
      if (looked.ok()) looked = look(std::move(entry));
    }
    cursor = page->next;
    if (looked.ok()) continue;
    if (cursor != DirCursor::kEnd) On(side).CloseDir(inner, cursor);
    return found;
  } while (cursor != DirCursor::kEnd);
  for (const std::string& name : directories) {
    const auto entry = On(side).Lookup(context, inner, name);
    if (!entry.ok() && !IsAnswer(entry.status())) return true;
    if (!entry.ok()) continue;
    const bool leads = entry->attributes.type == FileType::kDirectory &&
                       LeadsSomewhere(context, side, entry->node, JoinPath(path, name), budget);
    nodes_.GiveBack(side, entry->node);
    if (leads) return true;
  }
  return false;
}

}  // namespace mirrorfs
