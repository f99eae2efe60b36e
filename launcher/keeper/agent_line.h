// What an agent, or the tunnel to one, says to whoever has started it.
#ifndef MIRRORFS_LAUNCHER_KEEPER_AGENT_LINE_H_
#define MIRRORFS_LAUNCHER_KEEPER_AGENT_LINE_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace mirrorfs {

enum class AgentSays : uint8_t {
  kNothing,     // something else
  kProgress,    // "progress STEP DETAIL"
  kContainer,   // "container ID"
  kPod,         // "pod NAMESPACE/POD/CONTAINER", where it runs and has its log
  kReady,       // "ready ENDPOINT"
  kTargetGone,  // "target gone"
};

struct AgentLine {
  AgentSays says = AgentSays::kNothing;
  std::string step;  // of kProgress
  std::string text;  // DETAIL, ID, NAMESPACE/POD/CONTAINER, ENDPOINT
};

// Texts for people may hold any words: only what the line begins with counts.
AgentLine ParseAgentLine(std::string_view line);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_KEEPER_AGENT_LINE_H_
