#include "protos/policy/path_policy.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "fmt/format.h"
#include "protos/policy/mapping.h"
#include "protos/policy/match_text.h"
#include "protos/policy/pattern.h"
#include "protos/shared/errno_status.h"
#include "re2/set.h"

namespace mirrorfs {
namespace {

struct Outcome {
  PathSide side;
  WritesGo writes;
};

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
      return {PathSide::kLocal, WritesGo::kLocal};
  }
  return {};
}

re2::StringPiece Piece(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

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
      return absl::InvalidArgumentError(fmt::format("{}: {}: the pattern '{}' is not valid: {}", rule.origin, rule.list,
                                                    rule.pattern, std::string(compiled.status().message())));
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
      return absl::InvalidArgumentError(fmt::format("{}: mapping: '{}' to '{}' is not valid: {}", mapping.origin,
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

bool PathPolicy::MayDifferBelow(std::string_view directory) const { return compiled_->spec.mode != FsMode::kLocal; }

std::vector<std::string> PathPolicy::UniformLocalTrees() const {
  if (compiled_->spec.mode == FsMode::kLocal) return {"/"};
  return {};
}

const PolicySpec& PathPolicy::spec() const { return compiled_->spec; }

}  // namespace mirrorfs
