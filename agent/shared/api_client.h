// The API server, as a pod's service account sees it.
#ifndef MIRRORFS_AGENT_SHARED_API_CLIENT_H_
#define MIRRORFS_AGENT_SHARED_API_CLIENT_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "nlohmann/json.hpp"

namespace mirrorfs {

struct ApiServer {
  std::string address;  // IP
  int port = 443;
  std::string ca_file;     // PEM
  std::string token_file;  // read for each request: the kubelet writes a new token before the old one ends
  absl::Duration patience = absl::Seconds(5);  // for each step of a request
};

// From KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT, and the service account that is mounted in every pod.
// FAILED_PRECONDITION outside of a cluster.
absl::StatusOr<ApiServer> ApiServerOfThisPod();

// Thread-safe: each request has a connection of its own, over TLS to who has a certificate of the cluster's authority
// for that address.
class ApiClient {
 public:
  explicit ApiClient(ApiServer server) : server_(std::move(server)) {}

  // The object of an answer of 200 or 201. NOT_FOUND for 404, PERMISSION_DENIED for 403 (this agent lacks a right),
  // UNAVAILABLE for all else.
  absl::StatusOr<nlohmann::json> Get(const std::string& path) const { return Ask("GET", path, ""); }
  absl::StatusOr<nlohmann::json> Post(const std::string& path, const nlohmann::json& object) const {
    return Ask("POST", path, object.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace));
  }

 private:
  absl::StatusOr<nlohmann::json> Ask(std::string_view method, const std::string& path, const std::string& body) const;

  const ApiServer server_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SHARED_API_CLIENT_H_
