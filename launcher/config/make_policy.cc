#include "launcher/config/make_policy.h"

#include <string_view>
#include <utility>

#include "launcher/failure.h"

namespace mirrorfs {
namespace {

void Append(std::string_view list, const SourcedList& setting, std::vector<PolicyRule>& rules) {
  for (const ListEntry& entry : setting.value) {
    rules.push_back({.list = std::string(list), .pattern = entry.text, .origin = entry.origin});
  }
}

void Append(std::vector<PolicyRule> more, std::vector<PolicyRule>& rules) {
  for (PolicyRule& rule : more) rules.push_back(std::move(rule));
}

}  // namespace

PolicySpec MakePolicy(const ExecSettings& settings, const ProgramFacts& facts, absl::Span<const std::string> volumes) {
  const FsSettings& fs = settings.fs;
  PolicySpec spec{.mode = fs.mode.value, .rules = {}, .mappings = fs.mapping.value};
  Append(kNotFoundList, fs.not_found, spec.rules);
  Append(kReadWriteList, fs.read_write, spec.rules);
  Append(kReadOnlyList, fs.read_only, spec.rules);
  Append(kLocalList, fs.local, spec.rules);
  if (fs.auto_mount.value) Append(VolumeRules(volumes), spec.rules);
  Append(DefaultRules(facts, fs.hide_credentials.value ? Credentials::kHidden : Credentials::kShown), spec.rules);
  return spec;
}

absl::StatusOr<PathPolicy> CompilePolicy(PolicySpec spec) {
  auto policy = PathPolicy::Compile(std::move(spec));
  if (!policy.ok()) return Failure(ExitCode::kUsage, MessageOf(policy.status()));
  return policy;
}

}  // namespace mirrorfs
