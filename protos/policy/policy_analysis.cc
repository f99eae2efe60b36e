#include "protos/policy/policy_analysis.h"

#include <algorithm>
#include <string>

#include "fmt/format.h"
#include "protos/policy/pattern.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

std::string WhyNever(std::string_view pattern) {
  if (pattern.starts_with('^') && pattern.size() > 1 && pattern[1] != '/') {
    return "paths are absolute, so the first character is '/'. Write it after '^', or leave '^' away.";
  }
  if (pattern.ends_with("/$")) {
    return "paths do not end with '/'. For a directory and all that is below it end the pattern with '(/|$)'.";
  }
  if (pattern.find("//") != std::string_view::npos) return "paths never have two slashes in a row.";
  return "no absolute path looks like that; '.', '..' and double slashes are resolved before.";
}

}  // namespace

absl::StatusOr<PolicyAnalysis> PolicyAnalysis::Of(const PolicySpec& spec) {
  PolicyAnalysis analysis;
  analysis.by_mode_ = OutcomeOf(spec.mode);
  for (const PolicyRule& rule : spec.rules) {
    const auto outcome = OutcomeOf(rule.list);
    if (!outcome) return absl::InvalidArgumentError(fmt::format("there is no list '{}'.", rule.list));
    analysis.rules_.push_back({*outcome, PatternLanguage(NormalizedPattern(rule.pattern))});
  }
  for (size_t i = 0; i < spec.rules.size(); ++i) RETURN_IF_ERROR(analysis.CheckRule(spec, i));
  for (const PathMapping& mapping : spec.mappings) {
    analysis.mappings_.emplace_back(NormalizedPattern(mapping.match));
    if (analysis.mappings_.back().MayMatchAnything()) continue;
    return absl::InvalidArgumentError(fmt::format("{}: fs.mapping: the pattern '{}' can never match: {}",
                                                  mapping.origin, mapping.match, WhyNever(mapping.match)));
  }
  return analysis;
}

absl::Status PolicyAnalysis::CheckRule(const PolicySpec& spec, size_t index) const {
  const PolicyRule& rule = spec.rules[index];
  if (!IsUserList(rule.list)) return absl::OkStatus();
  if (rules_[index].language.MayMatchAnything()) return CheckCover(spec, index);
  return absl::InvalidArgumentError(fmt::format("{}: fs.{}: the pattern '{}' can never match: {}", rule.origin,
                                                rule.list, rule.pattern, WhyNever(rule.pattern)));
}

// Rules of the same list do not count: to say something twice changes nothing.
absl::Status PolicyAnalysis::CheckCover(const PolicySpec& spec, size_t index) const {
  const PolicyRule& rule = spec.rules[index];
  std::vector<size_t> before;
  std::vector<const PatternLanguage*> languages;
  for (size_t i = 0; i < index; ++i) {
    if (!IsUserList(spec.rules[i].list) || spec.rules[i].list == rule.list) continue;
    before.push_back(i);
    languages.push_back(&rules_[i].language);
  }
  const PatternLanguage& own = rules_[index].language;
  if (languages.empty() || !own.CoveredBy(languages)) return absl::OkStatus();
  std::string by =
      "the lists that come first (the order is not_found, read_write, read_only, local) have all its paths.";
  for (size_t i = 0; i < before.size(); ++i) {
    if (!own.CoveredBy({&languages[i], 1})) continue;
    const PolicyRule& first = spec.rules[before[i]];
    by = fmt::format("fs.{} '{}' ({}) comes first and has all its paths. Make that narrower, or remove this.",
                     first.list, first.pattern, first.origin);
    break;
  }
  return absl::InvalidArgumentError(
      fmt::format("{}: fs.{}: the pattern '{}' can never match: {}", rule.origin, rule.list, rule.pattern, by));
}

bool PolicyAnalysis::MayDifferBelow(std::string_view directory, Outcome own) const {
  // The first rule by which a path below could come out differently, if none before it takes all paths.
  const auto other = std::find_if(rules_.begin(), rules_.end(), [&](const Rule& rule) {
    return rule.outcome != own && rule.language.MayMatchBelow(directory);
  });
  if (other == rules_.end() && by_mode_ == own) return false;
  return std::none_of(rules_.begin(), other, [&](const Rule& rule) {
    return rule.outcome == own && rule.language.MatchesAllBelow(directory);
  });
}

bool PolicyAnalysis::MayMapBelow(std::string_view directory) const {
  return std::any_of(mappings_.begin(), mappings_.end(),
                     [&](const PatternLanguage& mapping) { return mapping.MayMatchBelow(directory); });
}

}  // namespace mirrorfs
