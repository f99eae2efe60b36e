#include "protos/policy/outcome.h"

namespace mirrorfs {

std::optional<Outcome> OutcomeOf(std::string_view list) {
  if (list == kNotFoundList || list == kDefaultNotFoundList) return Outcome{PathSide::kNotFound, WritesGo::kNowhere};
  if (list == kReadWriteList) return Outcome{PathSide::kContainer, WritesGo::kContainer};
  if (list == kReadOnlyList || list == kDefaultReadOnlyList || list == kVolumeList) {
    return Outcome{PathSide::kContainer, WritesGo::kLayer};
  }
  if (list == kLocalList || list == kDefaultLocalList) return Outcome{PathSide::kLocal, WritesGo::kLocal};
  return std::nullopt;
}

Outcome OutcomeOf(FsMode mode) {
  switch (mode) {
    case FsMode::kRead:
      return {PathSide::kContainer, WritesGo::kLayer};
    case FsMode::kWrite:
      return {PathSide::kContainer, WritesGo::kContainer};
    case FsMode::kLocal:
    case FsMode::kLocalWithOverrides:
      break;
  }
  return {PathSide::kLocal, WritesGo::kLocal};
}

bool IsUserList(std::string_view list) {
  return list == kNotFoundList || list == kReadWriteList || list == kReadOnlyList || list == kLocalList;
}

std::string_view NameOf(PathSide side) {
  switch (side) {
    case PathSide::kContainer:
      return "container";
    case PathSide::kLocal:
      return "local";
    case PathSide::kNotFound:
      return "not_found";
  }
  return "";
}

std::string_view NameOf(WritesGo writes) {
  switch (writes) {
    case WritesGo::kContainer:
      return "container";
    case WritesGo::kLayer:
      return "layer";
    case WritesGo::kLocal:
      return "local";
    case WritesGo::kNowhere:
      return "nowhere";
  }
  return "";
}

}  // namespace mirrorfs
