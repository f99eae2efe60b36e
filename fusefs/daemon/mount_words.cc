#include "fusefs/daemon/mount_words.h"

#include <algorithm>
#include <string>

#include "absl/strings/numbers.h"
#include "fmt/format.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

absl::Status Wrong(std::string_view word) {
  return absl::InvalidArgumentError(fmt::format("-o {}: not understood", word));
}

absl::Status ApplySeconds(std::string_view word, std::string_view value, absl::Duration& timeout) {
  double seconds = 0;
  if (!absl::SimpleAtod(std::string(value), &seconds) || !(seconds >= 0 && seconds <= 1e9)) return Wrong(word);
  timeout = absl::Seconds(seconds);
  return absl::OkStatus();
}

absl::Status Apply(std::string_view word, MountOptions& options) {
  if (word == "allow_other") {
    options.allow_other = true;
  } else if (word == "default_permissions") {
    options.default_permissions = true;
  } else if (word == "suid") {
    options.suid = true;
  } else if (word == "dev") {
    options.dev = true;
  } else if (word == "noexec") {
    options.noexec = true;
  } else if (word == "idmap=user") {
    options.map_ids = true;
  } else if (word == "idmap=own") {
    options.show_own_ids = true;
  } else if (word == "symlinks=raw") {
    options.symlinks = SymlinkMode::kRaw;
  } else if (word == "acl") {
    options.exact_acls = true;
  } else if (word.starts_with("attr_timeout=")) {
    return ApplySeconds(word, word.substr(13), options.attr_timeout);
  } else if (word.starts_with("entry_timeout=")) {
    return ApplySeconds(word, word.substr(14), options.entry_timeout);
  } else {
    return Wrong(word);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ApplyMountWords(std::string_view words, MountOptions& options) {
  while (!words.empty()) {
    const size_t comma = std::min(words.find(','), words.size());
    RETURN_IF_ERROR(Apply(words.substr(0, comma), options));
    words.remove_prefix(std::min(comma + 1, words.size()));
  }
  return absl::OkStatus();
}

}  // namespace mirrorfs
