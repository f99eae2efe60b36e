// What a node of the view is on each side.
#include <cerrno>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "fusefs/view/view_file_system_impl.h"

namespace mirrorfs {
namespace {

// How long it is believed that a directory is still where it was found on a side. The client asks again for names as
// often.
constexpr std::chrono::seconds kBelieved{1};
constexpr int kMostLinks = 40;

std::vector<std::string> NamesOf(std::string_view path) {
  return absl::StrSplit(absl::string_view(path.data(), path.size()), '/', absl::SkipEmpty());
}

bool MeansAbsent(int error) { return error == ENOENT || error == ENOTDIR || error == ESTALE || error == ELOOP; }

// "a/b", and a link there that says "../c", is "c"; ".." at the root stays there.
std::string Resolved(std::vector<std::string> directory, std::string_view target, const std::string& rest) {
  if (!target.empty() && target.front() == '/') directory.clear();
  std::vector<std::string> names = NamesOf(target);
  for (std::string& name : NamesOf(rest)) names.push_back(std::move(name));
  for (std::string& name : names) {
    if (name == ".") continue;
    if (name != "..") {
      directory.push_back(std::move(name));
    } else if (!directory.empty()) {
      directory.pop_back();
    }
  }
  return "/" + absl::StrJoin(directory, "/");
}

}  // namespace

absl::StatusOr<std::string> ViewFileSystemImpl::PathOf(const ViewNode& node) {
  std::vector<std::string> names;
  size_t length = 1;
  std::optional<ViewNode::Name> at;
  for (const ViewNode* above = &node; above->id() != NodeId::kRoot; above = at->parent.get()) {
    std::optional<ViewNode::Name> name = above->LatestName();
    if (!name) return ErrnoStatus(ESTALE, "a directory that has been removed");
    length += name->name.size() + 1;
    names.push_back(name->name);
    at = std::move(name);
  }
  std::string path;
  path.reserve(length);
  for (auto name = names.rbegin(); name != names.rend(); ++name) path.append("/").append(*name);
  return path.empty() ? "/" : path;
}

absl::StatusOr<ViewFileSystemImpl::Inner> ViewFileSystemImpl::ServingInner(const ViewNode& node) const {
  const Side side = node.Serving();
  const Counterpart part = node.On(side);
  if (part.state != Counterpart::State::kPresent) return ErrnoStatus(ESTALE);
  return Inner{&On(side), part.node, side};
}

bool ViewFileSystemImpl::IsAnswer(const absl::Status& error) {
  const int number = ToErrno(error);
  return MeansAbsent(number) || number == EACCES || number == EPERM;
}

absl::StatusOr<NodeId> ViewFileSystemImpl::InnerOf(const CallContext& context, const ViewNodePtr& directory,
                                                   Side side) {
  if (!Has(side)) return NodeId::kInvalid;
  const Counterpart known = directory->On(side);
  if (known.state == Counterpart::State::kPresent &&
      (side == directory->Serving() || side == Side::kLayer || directory->id() == NodeId::kRoot)) {
    return known.node;  // asked for again with its name
  }
  const SteadyTime now = std::chrono::steady_clock::now();
  const bool lasting = side == Side::kLayer;  // only this view changes the layer
  if (known.state == Counterpart::State::kAbsent && (lasting || now - known.found_at < kBelieved)) {
    return NodeId::kInvalid;
  }
  if (known.state == Counterpart::State::kPresent && now - known.found_at < kBelieved) return known.node;
  return FindInner(context, directory, side);
}

absl::StatusOr<NodeId> ViewFileSystemImpl::FindInner(const CallContext& context, const ViewNodePtr& directory,
                                                     Side side) {
  const SteadyTime now = std::chrono::steady_clock::now();
  const LayerRecord record = directory->Record();
  absl::StatusOr<Entry> entry = ErrnoStatus(ENOENT);
  if (side == Side::kContainer && record.from) {
    entry = Walk(context, side, *record.from);
  } else if (side != Side::kContainer || !record.opaque) {
    const auto name = directory->LatestName();
    if (!name) return ErrnoStatus(ESTALE);
    ASSIGN_OR_RETURN(const Place place, PlaceIn(name->parent, name->name));
    if (side == Side::kLayer) {
      ASSIGN_OR_RETURN(InLayer in_layer, LookupInLayer(context, place));
      if (in_layer.state == InLayer::State::kPresent) entry = std::move(in_layer.entry);
      if (entry.ok()) directory->SetRecord(in_layer.record);
    } else {
      entry = InnerLookup(context, side, place);
    }
  }
  const bool denied = side == Side::kLocal && ToErrno(entry.status()) == EACCES;
  if (!entry.ok() && !MeansAbsent(ToErrno(entry.status())) && !denied) return entry.status();
  const Counterpart known = directory->On(side);
  const bool same = entry.ok() && known.state == Counterpart::State::kPresent && known.node == entry->node;
  if (!same) {
    const Counterpart old = directory->TakeCounterpart(side);
    if (old.references != 0) nodes_.GiveBack(side, old.node, old.references);
  }
  if (entry.ok() && entry->attributes.type == FileType::kDirectory) {
    nodes_.AddCounterpart(directory, side, *entry);
    return entry->node;
  }
  if (entry.ok()) nodes_.GiveBack(side, entry->node);
  directory->NoteAbsent(side, now);
  return NodeId::kInvalid;
}

std::optional<std::string> ViewFileSystemImpl::MappedAway(const Place& place) const {
  if (options_.policy.spec().mappings.empty()) return std::nullopt;
  std::string mapped = options_.policy.Map(place.path);
  const absl::StatusOr<std::string> parent = PathOf(*place.parent);
  if (!parent.ok()) return std::nullopt;
  const std::string below = options_.policy.Map(*parent);
  if (mapped == JoinPath(below, place.name)) return std::nullopt;
  return mapped;
}

absl::StatusOr<ViewFileSystemImpl::InnerPlace> ViewFileSystemImpl::InnerPlaceOf(const CallContext& context, Side side,
                                                                                const Place& place) {
  if (!Has(side)) return ErrnoStatus(EROFS);
  const auto away = side == Side::kLayer ? std::nullopt : MappedAway(place);
  if (!away) {
    ASSIGN_OR_RETURN(const NodeId parent, InnerOf(context, place.parent, side));
    if (parent == NodeId::kInvalid) return ErrnoStatus(ENOENT);
    return InnerPlace{parent, place.name, false};
  }
  const size_t slash = away->rfind('/');
  if (*away == "/") return ErrnoStatus(EBUSY);
  ASSIGN_OR_RETURN(const Entry directory, Walk(context, side, away->substr(0, slash)));
  return InnerPlace{directory.node, away->substr(slash + 1), true};
}

absl::StatusOr<Entry> ViewFileSystemImpl::InnerLookup(const CallContext& context, Side side, const Place& place) {
  if (!Has(side)) return ErrnoStatus(ENOENT);
  if (const auto away = side == Side::kLayer ? std::nullopt : MappedAway(place)) return Walk(context, side, *away);
  ASSIGN_OR_RETURN(const NodeId parent, InnerOf(context, place.parent, side));
  if (parent == NodeId::kInvalid) return ErrnoStatus(ENOENT);
  return On(side).Lookup(context, parent, place.name);
}

absl::StatusOr<Entry> ViewFileSystemImpl::Walk(const CallContext& context, Side side, std::string path) {
  for (int links = 0; links < kMostLinks; ++links) {
    const std::vector<std::string> names = NamesOf(path);
    if (names.empty()) {
      ASSIGN_OR_RETURN(const AttributesReply root, On(side).GetAttr(context, {.node = RootOf(side)}));
      return Entry{.node = RootOf(side), .attributes = root.attributes, .identity = {}, .link_target = {}};
    }
    std::string redirected;
    absl::StatusOr<Entry> entry = WalkStraight(context, side, names, redirected);
    if (redirected.empty()) return entry;
    path = std::move(redirected);
  }
  return ErrnoStatus(ELOOP);
}

// Sets `redirected` if a link was in the way: where it leads with all that follows.
absl::StatusOr<Entry> ViewFileSystemImpl::WalkStraight(const CallContext& context, Side side,
                                                       const std::vector<std::string>& names, std::string& redirected) {
  NodeId at = RootOf(side);
  for (size_t i = 0; i < names.size(); ++i) {
    absl::StatusOr<Entry> entry = On(side).Lookup(context, at, names[i]);
    if (i > 0) nodes_.GiveBack(side, at);
    if (!entry.ok() || i + 1 == names.size()) return entry;
    if (entry->attributes.type == FileType::kSymlink) {
      nodes_.GiveBack(side, entry->node);
      const std::vector<std::string> directory(names.begin(), names.begin() + static_cast<ptrdiff_t>(i));
      const std::vector<std::string> rest(names.begin() + static_cast<ptrdiff_t>(i) + 1, names.end());
      redirected = Resolved(directory, entry->link_target, absl::StrJoin(rest, "/"));
      return ErrnoStatus(ELOOP);
    }
    at = entry->node;
  }
  return ErrnoStatus(ENOENT);
}

}  // namespace mirrorfs
