#include "launcher/keeper/agent_line.h"

#include "launcher/split_text.h"

namespace mirrorfs {

AgentLine ParseAgentLine(std::string_view line) {
  if (line == "target gone") return {.says = AgentSays::kTargetGone, .step = {}, .text = {}};
  if (SkipPrefix(line, "ready ")) return {.says = AgentSays::kReady, .step = {}, .text = std::string(line)};
  if (SkipPrefix(line, "pod ")) return {.says = AgentSays::kPod, .step = {}, .text = std::string(line)};
  if (SkipPrefix(line, "container ")) {
    return {.says = AgentSays::kContainer, .step = {}, .text = std::string(line)};
  }
  if (!SkipPrefix(line, "progress ")) return {};
  const std::string_view step = line.substr(0, line.find(' '));
  line.remove_prefix(step.size());
  SkipPrefix(line, " ");
  return {.says = AgentSays::kProgress, .step = std::string(step), .text = std::string(line)};
}

}  // namespace mirrorfs
