#include <cstdio>
#include <string>

#include "agent/shared/api_client.h"
#include "agent/shared/read_file.h"
#include "agent/shared/run_shared.h"
#include "agent/tls_stream.h"
#include "fmt/format.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

using nlohmann::json;

absl::Status Fine(std::string_view what) {
  fmt::print("ok: {}\n", what);
  return absl::OkStatus();
}

absl::Status CheckCertificate(const SharedOptions& options) {
  ASSIGN_OR_RETURN(const std::string certificate, ReadWholeFile(options.tls_certificate_file));
  ASSIGN_OR_RETURN(const std::string key, ReadWholeFile(options.tls_key_file));
  RETURN_IF_ERROR(MakeServerContext(certificate, key, certificate).status());
  return Fine("the certificate and its key go together");
}

// Of this agent's own token: that somebody has it shows that reviews are permitted.
absl::StatusOr<std::string> CheckTokenReview(const ApiClient& client, const std::string& token) {
  ASSIGN_OR_RETURN(
      const json review,
      client.Post("/apis/authentication.k8s.io/v1/tokenreviews",
                  {{"apiVersion", "authentication.k8s.io/v1"}, {"kind", "TokenReview"}, {"spec", {{"token", token}}}}));
  const json name = review.value(json::json_pointer("/status/user/username"), json());
  if (!name.is_string()) return absl::UnavailableError("the cluster does not know its own token");
  RETURN_IF_ERROR(Fine("tokens are reviewed"));
  return name.get<std::string>();
}

absl::Status CheckAccessReview(const ApiClient& client, const std::string& user, const std::string& name_space) {
  const json attributes = {
      {"namespace", name_space}, {"verb", "create"}, {"resource", "pods"}, {"subresource", "exec"}};
  RETURN_IF_ERROR(client
                      .Post("/apis/authorization.k8s.io/v1/subjectaccessreviews",
                            {{"apiVersion", "authorization.k8s.io/v1"},
                             {"kind", "SubjectAccessReview"},
                             {"spec", {{"user", user}, {"resourceAttributes", attributes}}}})
                      .status());
  return Fine("rights are reviewed");
}

absl::Status CheckDaemonSet(const ApiClient& client, const std::string& name_space, const std::string& name) {
  ASSIGN_OR_RETURN(const json set,
                   client.Get(fmt::format("/apis/apps/v1/namespaces/{}/daemonsets/{}", name_space, name)));
  const int wanted = set.value(json::json_pointer("/status/desiredNumberScheduled"), 0);
  const int ready = set.value(json::json_pointer("/status/numberReady"), 0);
  if (ready < wanted) return absl::UnavailableError(fmt::format("{} of {} agents are ready", ready, wanted));
  return Fine(fmt::format("{} of {} agents are ready", ready, wanted));
}

}  // namespace

absl::Status CheckShared(const SharedOptions& options) {
  const size_t slash = options.check.find('/');
  if (slash == std::string::npos) return absl::InvalidArgumentError("shared: --check: NAMESPACE/NAME is needed");
  const std::string name_space = options.check.substr(0, slash);
  RETURN_IF_ERROR(CheckCertificate(options));
  ASSIGN_OR_RETURN(const ApiServer server, ApiServerOfThisPod());
  ASSIGN_OR_RETURN(const std::string token, ReadWholeFile(server.token_file));
  const ApiClient client(server);
  ASSIGN_OR_RETURN(const std::string user, CheckTokenReview(client, token));
  RETURN_IF_ERROR(CheckAccessReview(client, user, name_space));
  return CheckDaemonSet(client, name_space, options.check.substr(slash + 1));
}

}  // namespace mirrorfs
