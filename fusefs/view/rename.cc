// Rename.
#include <cerrno>
#include <utility>

#include "fusefs/view/view_file_system_impl.h"

namespace mirrorfs {
namespace {

// Names that are looked at before a directory is moved. Beyond that it is copied by who wanted to move it.
constexpr int kUniformBudget = 20000;

}  // namespace

absl::StatusOr<Renamed> ViewFileSystemImpl::Rename(const CallContext& context, NodeId parent, std::string_view name,
                                                   NodeId new_parent, std::string_view new_name, RenameMode mode) {
  ASSIGN_OR_RETURN(const Place from, FindPlace(parent, name));
  ASSIGN_OR_RETURN(const Place to, FindPlace(new_parent, new_name));
  if (!from.decision.SameOutcome(to.decision)) {
    RETURN_IF_ERROR(LookupChild(context, from).status());
    return ErrnoStatus(EXDEV, "the two paths are decided differently");
  }
  ASSIGN_OR_RETURN(const Side side, SideOfWrites(from.decision));
  if (side != Side::kLayer) return RenameOnSide(context, side, from, to, mode);
  RETURN_IF_ERROR(RenameInLayer(context, from, to, mode));
  return Renamed{.directory = LayerTells(context, *from.parent), .new_directory = LayerTells(context, *to.parent)};
}

absl::StatusOr<Renamed> ViewFileSystemImpl::RenameOnSide(const CallContext& context, Side side, const Place& from,
                                                         const Place& to, RenameMode mode) {
  if (options_.policy.MayDifferBelow(from.path) || options_.policy.MayDifferBelow(to.path)) {
    ASSIGN_OR_RETURN(const Found found, LookupChild(context, from));
    RETURN_IF_ERROR(CheckUniform(context, found.node, from, to));
    if (mode == RenameMode::kExchange) {
      ASSIGN_OR_RETURN(const Found other, LookupChild(context, to));
      RETURN_IF_ERROR(CheckUniform(context, other.node, to, from));
    }
  }
  const ViewNodePtr moved = nodes_.Under(from.parent, from.name);
  const ViewNodePtr replaced = nodes_.Under(to.parent, to.name);
  ASSIGN_OR_RETURN(const InnerPlace source, InnerPlaceOf(context, side, from));
  const absl::StatusOr<InnerPlace> target = InnerPlaceOf(context, side, to);
  if (!target.ok()) {
    EndWalk(side, source);
    // The directory is there, but not on this side.
    if (ToErrno(target.status()) == ENOENT) return ErrnoStatus(EXDEV);
    return target.status();
  }
  absl::StatusOr<Renamed> renamed =
      On(side).Rename(context, source.parent, source.name, target->parent, target->name, mode);
  EndWalk(side, source);
  EndWalk(side, *target);
  RETURN_IF_ERROR(renamed.status());
  NoteMoved(from, to, moved, replaced, mode);
  const bool direct = !source.walked && !target->walked;
  renamed->directory = direct ? ShownAfterwards(*from.parent, side, renamed->directory) : std::nullopt;
  renamed->new_directory = direct ? ShownAfterwards(*to.parent, side, renamed->new_directory) : std::nullopt;
  return renamed;
}

void ViewFileSystemImpl::NoteMoved(const Place& from, const Place& to, const ViewNodePtr& moved,
                                   const ViewNodePtr& replaced, RenameMode mode) {
  if (moved == replaced) return;  // nothing known, or two names of one file
  if (replaced != nullptr && mode == RenameMode::kExchange) {
    nodes_.MoveName(replaced, to.parent, to.name, from.parent, from.name);
  } else if (replaced != nullptr) {
    nodes_.RemoveName(replaced, to.parent, to.name);
  }
  if (moved != nullptr) nodes_.MoveName(moved, from.parent, from.name, to.parent, to.name);
  if (replaced != nullptr && mode == RenameMode::kExchange) nodes_.AddName(replaced, from.parent, from.name);
}

absl::Status ViewFileSystemImpl::CheckUniform(const CallContext& context, const ViewNodePtr& moved, const Place& from,
                                              const Place& to) {
  if (!moved->IsDirectory()) return absl::OkStatus();
  int budget = kUniformBudget;
  return CheckUniformBelow(AsDaemon(context), moved, to.path, from.decision, budget);
}

absl::Status ViewFileSystemImpl::CheckUniformBelow(const CallContext& context, const ViewNodePtr& directory,
                                                   const std::string& to, const PathDecision& decision, int& budget) {
  ASSIGN_OR_RETURN(const Contents contents, ContentsOf(context, directory));
  const auto same = [&](const std::string& path) {
    return decision.SameOutcome(Decide(path)) && options_.policy.MappingOf(path) == nullptr;
  };
  std::vector<std::string> below;
  for (const auto& [side, inner] : contents.sides) {
    RETURN_IF_ERROR(ListInner(context, side, inner, [&, side = side](DirectoryEntry entry) -> absl::Status {
      if (entry.entry) nodes_.GiveBack(side, entry.entry->node);
      ASSIGN_OR_RETURN(const Place place, PlaceIn(directory, entry.name));
      const std::string there = JoinPath(to, entry.name);
      if (--budget < 0 || !same(place.path) || !same(there)) return ErrnoStatus(EXDEV, "what lies below would change");
      const bool differs = options_.policy.MayDifferBelow(place.path) || options_.policy.MayDifferBelow(there);
      if (entry.type == FileType::kDirectory && differs) below.push_back(std::move(entry.name));
      return absl::OkStatus();
    }));
  }
  for (const std::string& name : below) {
    ASSIGN_OR_RETURN(const Place place, PlaceIn(directory, name));
    const absl::StatusOr<Found> child = LookupChild(context, place);
    if (!child.ok() || !child->node->IsDirectory()) continue;
    RETURN_IF_ERROR(CheckUniformBelow(context, child->node, JoinPath(to, name), decision, budget));
  }
  return absl::OkStatus();
}

}  // namespace mirrorfs
