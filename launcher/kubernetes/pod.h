// A pod as the API server describes it: what is needed of it here.
#ifndef MIRRORFS_LAUNCHER_KUBERNETES_POD_H_
#define MIRRORFS_LAUNCHER_KUBERNETES_POD_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "nlohmann/json.hpp"

namespace mirrorfs {

enum class ContainerRole : uint8_t { kMain, kInit, kEphemeral };

struct PodContainer {
  enum class State : uint8_t { kUnknown, kWaiting, kRunning, kFinished };

  std::string name;
  std::string image;
  ContainerRole role = ContainerRole::kMain;
  State state = State::kUnknown;  // kUnknown: the node has not told of it
  bool ready = false;
  std::string id;       // "containerd://..."
  std::string reason;   // why it waits or has finished: "CrashLoopBackOff", "Completed"
  std::string message;  // likewise
  int exit_code = 0;    // of the last time that it has finished
  int restart_count = 0;

  bool IsRunning() const { return state == State::kRunning; }
};

struct PodOwner {
  std::string kind;  // "ReplicaSet"
  std::string name;
  std::string uid;
};

struct Pod {
  std::string name_space;
  std::string name;
  std::string uid;
  std::string node;     // empty: not scheduled yet
  std::string phase;    // "Running"
  std::string created;  // "2026-11-27T01:46:00Z": can be compared as text
  bool ready = false;
  bool being_deleted = false;
  std::string delete_by;  // its grace included; empty: it is not being deleted
  bool share_process_namespace = false;
  bool host_pid = false;
  std::string operating_system;          // if the pod says it
  std::string default_container;         // by annotation
  std::string reason;                    // of the whole pod: "Evicted"
  std::string message;                   // likewise
  std::string scheduling_trouble;        // why it has no node
  std::string template_hash;             // of the Deployment's or Rollout's version
  PodOwner owner;                        // its controller; empty: none
  std::vector<PodContainer> containers;  // main, then init, then ephemeral ones

  const PodContainer* Find(std::string_view name) const;
  // Of the main containers.
  bool AnyRuns() const;
};

Pod PodFromJson(const nlohmann::json& object);

// Of a list as `kubectl get pods -o json` prints it.
std::vector<Pod> PodsFromJson(const nlohmann::json& list);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_KUBERNETES_POD_H_
