// `kubectl get`, for objects.
#ifndef MIRRORFS_LAUNCHER_KUBERNETES_GET_JSON_H_
#define MIRRORFS_LAUNCHER_KUBERNETES_GET_JSON_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "launcher/kubernetes/kubectl.h"
#include "nlohmann/json.hpp"

namespace mirrorfs {

// What `kubectl get` with these words prints as JSON: an object, or a list with "items". Fails as Kubectl::Run does.
absl::StatusOr<nlohmann::json> GetJson(const Kubectl& kubectl, const std::vector<std::string>& words,
                                       absl::Duration limit = absl::Seconds(30));

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_KUBERNETES_GET_JSON_H_
