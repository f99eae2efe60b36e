// What `kubectl exec` speaks to the API server. SPDY first: over WebSocket kubectl loses the tail of a stream now and
// then, and is slower. Some proxies let only WebSocket through.
#ifndef MIRRORFS_LAUNCHER_KUBERNETES_EXEC_PROTOCOL_H_
#define MIRRORFS_LAUNCHER_KUBERNETES_EXEC_PROTOCOL_H_

#include <string_view>

namespace mirrorfs {

// For kubectl's environment. Versions before 1.30 speak SPDY whatever it says.
inline constexpr char kOverSpdy[] = "KUBECTL_REMOTE_COMMAND_WEBSOCKETS=false";
inline constexpr char kOverWebSocket[] = "KUBECTL_REMOTE_COMMAND_WEBSOCKETS=true";

// What kubectl has written to stderr may mean that SPDY does not get through. It begins the same of some other
// troubles, which show over WebSocket again.
inline bool MayBarSpdy(std::string_view errors) {
  const auto says = [errors](std::string_view part) { return errors.find(part) != std::string_view::npos; };
  return says("unable to upgrade connection") && !says("container not found");
}

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_KUBERNETES_EXEC_PROTOCOL_H_
