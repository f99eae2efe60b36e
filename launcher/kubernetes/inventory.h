// What there is in a cluster that can be mounted.
#ifndef MIRRORFS_LAUNCHER_KUBERNETES_INVENTORY_H_
#define MIRRORFS_LAUNCHER_KUBERNETES_INVENTORY_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "launcher/kubernetes/kubectl.h"
#include "launcher/kubernetes/pod.h"
#include "launcher/kubernetes/workload_target.h"
#include "nlohmann/json.hpp"

namespace mirrorfs {

struct InventoryItem {
  std::string kind;
  std::string name;
  std::string name_space;
  std::vector<PodContainer> containers;  // main ones; of a workload: of the pods that it makes
  std::string default_container;         // empty: one has to be named
  std::string ready;                     // "1/2": of a pod its containers, of a workload its pods
  std::string status;                    // "Running", "CrashLoopBackOff"; empty: nothing more to say
  std::string node;
  std::string created;
};

struct InventoryQuery {
  std::vector<const WorkloadKind*> kinds;
  std::string selector;
  bool all_namespaces = false;
};

struct Inventory {
  std::vector<InventoryItem> items;      // in the order of the kinds, then as kubectl has them
  std::vector<std::string> not_allowed;  // why some of the kinds are missing
};

// Fails if none of the kinds may be listed.
absl::StatusOr<Inventory> TakeInventory(const Kubectl& kubectl, const InventoryQuery& query);

InventoryItem ItemFromJson(const nlohmann::json& object, const WorkloadKind& kind);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_KUBERNETES_INVENTORY_H_
