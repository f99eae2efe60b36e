// Who a caller is, what he may do, and whether the container is what he says: asked of the API server.
#ifndef MIRRORFS_AGENT_SHARED_AUTHORIZER_H_
#define MIRRORFS_AGENT_SHARED_AUTHORIZER_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "agent/shared/api_client.h"
#include "nlohmann/json.hpp"
#include "protos/preface/preface.h"

namespace mirrorfs {

// What writing asks of a caller who may create pods/exec, and so could run a program that writes.
enum class WriteRule : uint8_t {
  kExec,   // nothing more
  kRight,  // the right to update podfiles.mirrorfs.io, which is no resource but in roles
  kNever,
};

struct ClusterUser {
  std::string name;
  std::string uid;
  std::vector<std::string> groups;
  nlohmann::json extra = nlohmann::json::object();
};

struct Verdict {
  PrefaceCode code = PrefaceCode::kUnavailable;
  std::string message;  // for the caller, if it is not kOk
  ClusterUser caller;   // as far as he is known
};

// Thread-safe.
class Authorizer {
 public:
  // `node`: where this agent runs.
  Authorizer(ApiClient client, std::string node, WriteRule write_rule)
      : client_(std::move(client)), node_(std::move(node)), write_rule_(write_rule) {}

  // Blocks. TokenReview, then SubjectAccessReview (so that whoever may nothing learns nothing), then the pod: its uid,
  // node, and that this container of it runs with this id. `request` has been parsed, so its texts are names.
  Verdict Decide(const PrefaceRequest& request) const;

 private:
  Verdict Identify(const std::string& token) const;
  Verdict CheckRights(const PrefaceRequest& request, const ClusterUser& caller) const;
  Verdict CheckRight(const ClusterUser& caller, const PrefaceRequest& request, const nlohmann::json& attributes,
                     const std::string& right) const;
  Verdict CheckContainer(const PrefaceRequest& request) const;

  const ApiClient client_;
  const std::string node_;
  const WriteRule write_rule_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SHARED_AUTHORIZER_H_
