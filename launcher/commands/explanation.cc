#include "launcher/commands/explanation.h"

#include "fmt/format.h"
#include "launcher/printable.h"
#include "protos/policy/match_text.h"

namespace mirrorfs {
namespace {

// What it means to be in a list.
std::string_view MeaningOf(std::string_view list) {
  if (list == kNotFoundList) return "shall not exist";
  if (list == kReadWriteList) return "the container's, for writes too";
  if (list == kReadOnlyList) return "the container's, for reads";
  if (list == kLocalList) return "this machine's";
  if (list == kVolumeList) return "in a volume of the target, the container's for reads";
  if (list == kDefaultNotFoundList) return "this machine's credentials, hidden by default (--show-credentials)";
  if (list == kDefaultReadOnlyList) return "about the container, which has it by default";
  return "this machine's by default";
}

std::string WhyOf(const PathDecision& decision, FsMode mode) {
  if (decision.rule != nullptr) {
    return fmt::format("{}: {} {} ({})", MeaningOf(decision.rule->list), decision.rule->list, decision.rule->pattern,
                       decision.rule->origin);
  }
  if (mode == FsMode::kLocal) return "no list applies in mode local";
  return fmt::format("no list has it, and the mode is {}", NameOf(mode));
}

std::string_view WriteOf(WritesGo writes) {
  switch (writes) {
    case WritesGo::kContainer:
      return "changes the container";
    case WritesGo::kLayer:
      return "goes to the private layer; the container stays as it is";
    case WritesGo::kLocal:
      return "changes this machine's file";
    case WritesGo::kNowhere:
      return "fails: it cannot be created either";
  }
  return "";
}

std::string_view SideInWords(PathSide side) {
  switch (side) {
    case PathSide::kContainer:
      return "the container's";
    case PathSide::kLocal:
      return "this machine's";
    case PathSide::kNotFound:
      return "not found";
  }
  return "";
}

// Volumes come after the user's lists and before everything else.
bool VolumeWouldMatter(const PathDecision& decision, FsMode mode) {
  const bool decided_before = decision.rule != nullptr && !decision.rule->list.starts_with("default ");
  const bool same_anyway = decision.side == PathSide::kContainer && decision.writes == WritesGo::kLayer;
  return mode != FsMode::kLocal && !decided_before && !same_anyway;
}

}  // namespace

Explanation Explain(const PathPolicy& policy, std::string_view absolute_path, Volumes volumes) {
  Explanation explanation{.path = std::string(absolute_path), .meant = policy.Map(absolute_path)};
  if (const PathMapping* mapping = policy.MappingOf(absolute_path)) {
    explanation.mapping = fmt::format("{} -> {} ({})", mapping->match, mapping->replace, mapping->origin);
  }
  explanation.decision = policy.Decide(explanation.meant);
  explanation.why = WhyOf(explanation.decision, policy.spec().mode);
  explanation.write = WriteOf(explanation.decision.writes);
  explanation.if_no_volume =
      volumes == Volumes::kUnknown && VolumeWouldMatter(explanation.decision, policy.spec().mode);
  return explanation;
}

std::string ExplanationText(const Explanation& explanation) {
  std::string text = fmt::format("{}: {}\n", Printable(explanation.path), SideInWords(explanation.decision.side));
  if (!explanation.mapping.empty()) {
    text += fmt::format("  means  {}\n         by mapping {}\n", Printable(explanation.meant),
                        Printable(explanation.mapping));
  }
  text += fmt::format("  why    {}\n  write  {}\n", Printable(explanation.why), explanation.write);
  if (explanation.if_no_volume) text += "  but    the container's, if a volume of the target is mounted there\n";
  return text;
}

nlohmann::ordered_json ExplanationJson(const Explanation& explanation) {
  const PolicyRule* rule = explanation.decision.rule;
  nlohmann::ordered_json json = {{"path", PatternText(explanation.path)},
                                 {"meant", PatternText(explanation.meant)},
                                 {"mapping", nullptr},
                                 {"side", NameOf(explanation.decision.side)},
                                 {"writes", NameOf(explanation.decision.writes)},
                                 {"rule", nullptr},
                                 {"why", PatternText(explanation.why)},
                                 {"write", explanation.write},
                                 {"if_no_volume", explanation.if_no_volume}};
  if (!explanation.mapping.empty()) json["mapping"] = PatternText(explanation.mapping);
  if (rule != nullptr) {
    json["rule"] = {
        {"list", rule->list}, {"pattern", PatternText(rule->pattern)}, {"origin", PatternText(rule->origin)}};
  }
  return json;
}

}  // namespace mirrorfs
