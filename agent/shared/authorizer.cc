#include "agent/shared/authorizer.h"

#include "absl/status/statusor.h"
#include "fmt/format.h"

namespace mirrorfs {
namespace {

using nlohmann::json;

constexpr char kTokenReviews[] = "/apis/authentication.k8s.io/v1/tokenreviews";
constexpr char kAccessReviews[] = "/apis/authorization.k8s.io/v1/subjectaccessreviews";

Verdict Allowed() { return {.code = PrefaceCode::kOk, .message = {}, .caller = {}}; }
Verdict Refused(PrefaceCode code, std::string message) {
  return {.code = code, .message = std::move(message), .caller = {}};
}

// The agent itself is hindered: nothing that the caller could mend.
Verdict Hindered(const absl::Status& why) {
  const bool lacks_right = absl::IsPermissionDenied(why);
  return Refused(
      PrefaceCode::kUnavailable,
      fmt::format("the agent cannot ask the cluster: {}{}", std::string(why.message()),
                  lacks_right ? ". Its ClusterRole lacks that right; the chart has it: mirrorfs agent install" : ""));
}

const json& At(const json& object, const char* name) {
  static const json nothing;
  const auto found = object.is_object() ? object.find(name) : object.end();
  return object.is_object() && found != object.end() ? *found : nothing;
}

std::string TextAt(const json& object, const char* name) {
  const json& found = At(object, name);
  return found.is_string() ? found.get<std::string>() : std::string();
}

bool IsTrue(const json& flag) { return flag.is_boolean() && flag.get<bool>(); }

ClusterUser UserIn(const json& user) {
  ClusterUser caller{
      .name = TextAt(user, "username"), .uid = TextAt(user, "uid"), .groups = {}, .extra = json::object()};
  for (const json& group : At(user, "groups")) {
    if (group.is_string()) caller.groups.push_back(group.get<std::string>());
  }
  if (At(user, "extra").is_object()) caller.extra = user["extra"];
  return caller;
}

const json* StatusOf(const json& pod, const std::string& container) {
  for (const char* list : {"containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"}) {
    for (const json& status : At(At(pod, "status"), list)) {
      if (TextAt(status, "name") == container) return &status;
    }
  }
  return nullptr;
}

}  // namespace

Verdict Authorizer::Decide(const PrefaceRequest& request) const {
  Verdict identified = Identify(request.token);
  if (identified.code != PrefaceCode::kOk) return identified;
  Verdict verdict = CheckRights(request, identified.caller);
  if (verdict.code == PrefaceCode::kOk) verdict = CheckContainer(request);
  verdict.caller = std::move(identified.caller);
  return verdict;
}

Verdict Authorizer::Identify(const std::string& token) const {
  const auto review =
      client_.Post(kTokenReviews,
                   {{"apiVersion", "authentication.k8s.io/v1"}, {"kind", "TokenReview"}, {"spec", {{"token", token}}}});
  if (!review.ok()) return Hindered(review.status());
  const json& status = At(*review, "status");
  Verdict verdict = Allowed();
  verdict.caller = UserIn(At(status, "user"));
  if (IsTrue(At(status, "authenticated")) && !verdict.caller.name.empty()) return verdict;
  return Refused(PrefaceCode::kUnauthenticated,
                 "the cluster does not accept your token, which may have expired. Log in again as you do for kubectl, "
                 "then try: kubectl auth whoami");
}

Verdict Authorizer::CheckRights(const PrefaceRequest& request, const ClusterUser& caller) const {
  Verdict verdict = CheckRight(caller, request,
                               {{"namespace", request.name_space},
                                {"verb", "create"},
                                {"resource", "pods"},
                                {"subresource", "exec"},
                                {"name", request.pod}},
                               "create pods/exec");
  if (verdict.code != PrefaceCode::kOk || !request.read_write || write_rule_ == WriteRule::kExec) return verdict;
  if (write_rule_ == WriteRule::kNever) {
    return Refused(PrefaceCode::kForbidden,
                   "this cluster's shared agents let nobody change files (readWrite: never). Mount read-only, or use "
                   "another --agent.");
  }
  return CheckRight(caller, request,
                    {{"namespace", request.name_space},
                     {"verb", "update"},
                     {"group", "mirrorfs.io"},
                     {"resource", "podfiles"},
                     {"name", request.pod}},
                    "update podfiles.mirrorfs.io");
}

Verdict Authorizer::CheckRight(const ClusterUser& caller, const PrefaceRequest& request, const json& attributes,
                               const std::string& right) const {
  json spec = {
      {"user", caller.name}, {"groups", caller.groups}, {"extra", caller.extra}, {"resourceAttributes", attributes}};
  if (!caller.uid.empty()) spec["uid"] = caller.uid;
  const auto review = client_.Post(
      kAccessReviews,
      {{"apiVersion", "authorization.k8s.io/v1"}, {"kind", "SubjectAccessReview"}, {"spec", std::move(spec)}});
  if (!review.ok()) return Hindered(review.status());
  const json& status = At(*review, "status");
  if (IsTrue(At(status, "allowed")) && !IsTrue(At(status, "denied"))) return Allowed();
  return Refused(PrefaceCode::kForbidden,
                 fmt::format("you ({}) may not {} in namespace {}, which it takes to {} the files of pod/{}. Ask for a "
                             "Role with it; what you may do: kubectl -n {} auth can-i --list",
                             caller.name, right, request.name_space, request.read_write ? "change" : "see", request.pod,
                             request.name_space));
}

Verdict Authorizer::CheckContainer(const PrefaceRequest& request) const {
  const auto pod = client_.Get(fmt::format("/api/v1/namespaces/{}/pods/{}", request.name_space, request.pod));
  const std::string name = fmt::format("container {} of pod/{}", request.container, request.pod);
  if (absl::IsNotFound(pod.status()) || (pod.ok() && TextAt(At(*pod, "metadata"), "uid") != request.pod_uid)) {
    return Refused(PrefaceCode::kNoTarget, fmt::format("{} has ended: the pod is gone.", name));
  }
  if (!pod.ok()) return Hindered(pod.status());
  if (TextAt(At(*pod, "spec"), "nodeName") != node_) {
    return Refused(PrefaceCode::kNoTarget, fmt::format("{} does not run on {}, where this agent is.", name, node_));
  }
  const json* status = StatusOf(*pod, request.container);
  if (status == nullptr) return Refused(PrefaceCode::kNoTarget, fmt::format("there is no {}.", name));
  const bool runs = At(At(*status, "state"), "running").is_object();
  if (!runs || TextAt(*status, "containerID") != request.container_id) {
    return Refused(PrefaceCode::kNoTarget, fmt::format("{} has ended, or was started anew.", name));
  }
  return Allowed();
}

}  // namespace mirrorfs
