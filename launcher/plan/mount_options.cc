#include "launcher/plan/mount_options.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/plan/duration.h"
#include "launcher/plan/nearest.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

// An option without a value.
struct Flag {
  std::string_view name;
  void (*apply)(MountOptionList&);
};

constexpr std::array kFlags = {
    Flag{"ro", [](MountOptionList& list) { list.read_write = false; }},
    Flag{"rw", [](MountOptionList& list) { list.read_write = true; }},
    Flag{"suid", [](MountOptionList& list) { list.suid = true; }},
    Flag{"nosuid", [](MountOptionList& list) { list.suid = false; }},
    Flag{"dev", [](MountOptionList& list) { list.dev = true; }},
    Flag{"nodev", [](MountOptionList& list) { list.dev = false; }},
    Flag{"exec", [](MountOptionList& list) { list.exec = true; }},
    Flag{"noexec", [](MountOptionList& list) { list.exec = false; }},
    Flag{"allow_other", [](MountOptionList& list) { list.allow_other = true; }},
    Flag{"default_permissions", [](MountOptionList& list) { list.default_permissions = true; }},
    Flag{"acl", [](MountOptionList& list) { list.acl = true; }},
    Flag{"nonempty", [](MountOptionList& list) { list.nonempty = true; }},
};

// Words that /etc/fstab and mount(8) use for themselves, or that change nothing here.
constexpr std::array<std::string_view, 19> kIgnored = {
    "defaults", "auto", "noauto", "nofail",  "_netdev",    "user",     "nouser",      "users",    "owner", "group",
    "async",    "sync", "atime",  "noatime", "nodiratime", "relatime", "strictatime", "lazytime", "silent"};

constexpr std::array<std::string_view, 4> kWithValue = {"idmap", "symlinks", "attr_timeout", "entry_timeout"};

std::vector<std::string> ValidOptions() {
  std::vector<std::string> names;
  for (const Flag& flag : kFlags) names.emplace_back(flag.name);
  for (const std::string_view name : kIgnored) names.emplace_back(name);
  for (const std::string_view name : kWithValue) names.push_back(fmt::format("{}=", name));
  return names;
}

absl::Status Unknown(std::string_view word) {
  return Failure(ExitCode::kUsage, fmt::format("-o {}: there is no such mount option{} 'mirrorfs help mount' lists "
                                               "them.",
                                               word, DidYouMean(word, ValidOptions())));
}

// One of two words, as a bool that says whether it is the second.
absl::StatusOr<bool> Choice(std::string_view name, std::string_view value, std::string_view no, std::string_view yes) {
  if (value == no) return false;
  if (value == yes) return true;
  return Failure(ExitCode::kUsage, fmt::format("-o {}={}: the value must be {} or {}.", name, value, no, yes));
}

absl::Status ApplyWithValue(std::string_view name, std::string_view value, MountOptionList& list) {
  if (name == "idmap") {
    ASSIGN_OR_RETURN(list.map_ids, Choice(name, value, "none", "user"));
  } else if (name == "symlinks") {
    ASSIGN_OR_RETURN(list.raw_symlinks, Choice(name, value, "rebase", "raw"));
  } else if (name == "attr_timeout") {
    ASSIGN_OR_RETURN(list.attr_timeout, ParseDuration("-o attr_timeout", value));
  } else if (name == "entry_timeout") {
    ASSIGN_OR_RETURN(list.entry_timeout, ParseDuration("-o entry_timeout", value));
  } else {
    return Unknown(fmt::format("{}=", name));
  }
  return absl::OkStatus();
}

bool IsIgnored(std::string_view word) {
  return word.starts_with("x-") || word.starts_with("X-") || word.starts_with("comment=") ||
         std::find(kIgnored.begin(), kIgnored.end(), word) != kIgnored.end();
}

absl::Status Apply(std::string_view word, MountOptionList& list) {
  if (word.empty() || IsIgnored(word)) return absl::OkStatus();
  const auto flag = std::find_if(kFlags.begin(), kFlags.end(), [&](const Flag& known) { return known.name == word; });
  if (flag != kFlags.end()) {
    flag->apply(list);
    return absl::OkStatus();
  }
  const size_t equals = word.find('=');
  if (equals != word.npos) return ApplyWithValue(word.substr(0, equals), word.substr(equals + 1), list);
  if (std::find(kWithValue.begin(), kWithValue.end(), word) != kWithValue.end()) {
    return Failure(ExitCode::kUsage, fmt::format("-o {}: a value is missing, as in {}=...", word, word));
  }
  return Unknown(word);
}

}  // namespace

absl::StatusOr<MountOptionList> ParseMountOptions(absl::Span<const std::string> words) {
  MountOptionList list;
  for (const std::string_view text : words) {
    size_t begin = 0;
    while (begin <= text.size()) {
      const size_t comma = std::min(text.find(',', begin), text.size());
      RETURN_IF_ERROR(Apply(text.substr(begin, comma - begin), list));
      begin = comma + 1;
    }
  }
  return list;
}

}  // namespace mirrorfs
