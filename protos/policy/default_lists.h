// The rules that hold where users say nothing. They are those that users of preload-based tools know, so that a program
// finds here what it found there.
#ifndef MIRRORFS_PROTOS_POLICY_DEFAULT_LISTS_H_
#define MIRRORFS_PROTOS_POLICY_DEFAULT_LISTS_H_

#include <string>
#include <vector>

#include "absl/types/span.h"
#include "protos/policy/policy_spec.h"

namespace mirrorfs {

// What some default rules are computed from. Each is a list because one place may have several absolute names: the one
// that is written down, and what symbolic links make of it. Empty: no such rule. "/" is ignored everywhere but as
// a home directory.
struct ProgramFacts {
  std::vector<std::string> working_directory;
  std::vector<std::string> home;
  std::vector<std::string> temporary_directory;  // $TMPDIR
  std::vector<std::string> executable;           // the program's own file
};

enum class Credentials : uint8_t { kHidden, kShown };  // the developer's own for clouds and clusters, below home

// Default not-found, default container, default local, in that order.
std::vector<PolicyRule> DefaultRules(const ProgramFacts& facts, Credentials credentials);

// Volumes of the container (absolute mount points): its own for reads, like a user's read_only. They belong right after
// the user's lists.
std::vector<PolicyRule> VolumeRules(absl::Span<const std::string> mount_points);

// `^X(/|$)`: the directory and everything below it.
std::string TreePattern(std::string_view absolute_path);

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_POLICY_DEFAULT_LISTS_H_
