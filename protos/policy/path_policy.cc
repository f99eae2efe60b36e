#include "protos/policy/path_policy.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "fmt/format.h"
#include "protos/policy/mapping.h"
#include "protos/policy/match_text.h"
#include "protos/policy/outcome.h"
#include "protos/policy/pattern.h"
#include "protos/policy/pattern_syntax.h"
#include "protos/policy/policy_analysis.h"
#include "protos/shared/errno_status.h"
#include "re2/set.h"

namespace mirrorfs {
namespace {

re2::StringPiece Piece(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

struct PathPolicy::Compiled {
  explicit Compiled(PolicySpec text) : spec(std::move(text)), set(PatternOptions(), RE2::UNANCHORED) {}

  absl::Status AddRules();
  absl::Status AddMappings();
  std::optional<size_t> FirstMatch(std::string_view text) const;
  const PathMapping* MappingOf(std::string_view text) const;

  const PolicySpec spec;
  std::vector<Outcome> outcomes;               // of the rules
  std::vector<std::unique_ptr<RE2>> patterns;  // of the rules
  RE2::Set set;                                // the same, all at once
  std::vector<Mapping> mappings;
  std::optional<PolicyAnalysis> analysis;  // always there once it is compiled
};

absl::Status PathPolicy::Compiled::AddRules() {
  for (const PolicyRule& rule : spec.rules) {
    const auto outcome = OutcomeOf(rule.list);
    if (!outcome) {
      return absl::InvalidArgumentError(
          fmt::format("{}: there is no list '{}' for the pattern '{}'.", rule.origin, rule.list, rule.pattern));
    }
    const std::string pattern = NormalizedPattern(rule.pattern);
    auto compiled = CompilePattern(pattern);
    if (!compiled.ok()) {
      return absl::InvalidArgumentError(fmt::format("{}: {}{}: the pattern '{}' is not valid: {}", rule.origin,
                                                    IsUserList(rule.list) ? "fs." : "", rule.list, rule.pattern,
                                                    std::string(compiled.status().message())));
    }
    outcomes.push_back(*outcome);
    patterns.push_back(*std::move(compiled));
    if (set.Add(pattern, nullptr) < 0) return absl::InvalidArgumentError(rule.origin + ": the pattern is too large.");
  }
  return set.Compile() ? absl::OkStatus() : absl::ResourceExhaustedError("the patterns need too much memory.");
}

absl::Status PathPolicy::Compiled::AddMappings() {
  for (const PathMapping& mapping : spec.mappings) {
    auto compiled = Mapping::Compile(mapping);
    if (!compiled.ok()) {
      return absl::InvalidArgumentError(fmt::format("{}: fs.mapping: '{}' to '{}' is not valid: {}", mapping.origin,
                                                    mapping.match, mapping.replace,
                                                    std::string(compiled.status().message())));
    }
    mappings.push_back(*std::move(compiled));
  }
  return absl::OkStatus();
}

std::optional<size_t> PathPolicy::Compiled::FirstMatch(std::string_view text) const {
  std::vector<int> matches;
  RE2::Set::ErrorInfo error;
  if (set.Match(Piece(text), &matches, &error)) {
    return static_cast<size_t>(*std::min_element(matches.begin(), matches.end()));
  }
  if (error.kind == RE2::Set::kNoError) return std::nullopt;
  // Out of memory for all at once: one by one needs less, and always answers.
  const auto matching = [&](const auto& pattern) { return RE2::PartialMatch(Piece(text), *pattern); };
  const auto found = std::find_if(patterns.begin(), patterns.end(), matching);
  if (found == patterns.end()) return std::nullopt;
  return static_cast<size_t>(found - patterns.begin());
}

const PathMapping* PathPolicy::Compiled::MappingOf(std::string_view text) const {
  if (spec.mode == FsMode::kLocal) return nullptr;
  const auto found =
      std::find_if(mappings.begin(), mappings.end(), [&](const Mapping& mapping) { return mapping.Matches(text); });
  return found == mappings.end() ? nullptr : &spec.mappings[static_cast<size_t>(found - mappings.begin())];
}

PathPolicy::PathPolicy(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}

absl::StatusOr<PathPolicy> PathPolicy::Compile(PolicySpec spec) {
  auto compiled = std::make_shared<Compiled>(std::move(spec));
  RETURN_IF_ERROR(compiled->AddRules());
  RETURN_IF_ERROR(compiled->AddMappings());
  ASSIGN_OR_RETURN(compiled->analysis, PolicyAnalysis::Of(compiled->spec));
  return PathPolicy(std::move(compiled));
}

PathDecision PathPolicy::Decide(std::string_view absolute_path) const {
  const Outcome by_mode = OutcomeOf(compiled_->spec.mode);
  const PathDecision undecided = {by_mode.side, by_mode.writes, nullptr};
  if (compiled_->spec.mode == FsMode::kLocal) return undecided;
  const auto rule = IsMatchText(absolute_path) ? compiled_->FirstMatch(absolute_path)
                                               : compiled_->FirstMatch(MatchText(absolute_path));
  if (!rule) return undecided;
  const Outcome outcome = compiled_->outcomes[*rule];
  return {outcome.side, outcome.writes, &compiled_->spec.rules[*rule]};
}

std::string PathPolicy::Map(std::string_view absolute_path) const {
  if (compiled_->spec.mode == FsMode::kLocal || compiled_->mappings.empty()) return std::string(absolute_path);
  const std::string text = MatchText(absolute_path);
  for (const Mapping& mapping : compiled_->mappings) {
    if (const auto mapped = mapping.Apply(text)) return BytesOfMatchText(*mapped);
  }
  return std::string(absolute_path);
}

const PathMapping* PathPolicy::MappingOf(std::string_view absolute_path) const {
  return compiled_->mappings.empty() ? nullptr : compiled_->MappingOf(MatchText(absolute_path));
}

bool PathPolicy::MayDifferBelow(std::string_view directory) const {
  if (compiled_->spec.mode == FsMode::kLocal) return false;
  const std::string text = MatchText(directory);
  if (compiled_->MappingOf(text) != nullptr || compiled_->analysis->MayMapBelow(text)) return true;
  const PathDecision own = Decide(directory);
  return compiled_->analysis->MayDifferBelow(text, {own.side, own.writes});
}

std::vector<std::string> PathPolicy::UniformLocalTrees() const {
  if (compiled_->spec.mode == FsMode::kLocal) return {"/"};
  std::set<std::string> trees;
  for (const PolicyRule& rule : compiled_->spec.rules) {
    const auto tree = LiteralTree(NormalizedPattern(rule.pattern));
    if (!tree || OutcomeOf(rule.list)->side != PathSide::kLocal) continue;
    if (Decide(*tree).side == PathSide::kLocal && !MayDifferBelow(*tree)) trees.insert(*tree);
  }
  std::vector<std::string> outermost;  // a tree's parents come before it, though not always just before it
  for (const std::string& tree : trees) {
    const auto holds = [&](const std::string& parent) { return tree.starts_with(parent + "/"); };
    if (std::none_of(outermost.begin(), outermost.end(), holds)) outermost.push_back(tree);
  }
  return outermost;
}

const PolicySpec& PathPolicy::spec() const { return compiled_->spec; }

}  // namespace mirrorfs
