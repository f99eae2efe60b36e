#include "launcher/kubernetes/get_json.h"

#include "launcher/kubernetes/json_path.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {

absl::StatusOr<nlohmann::json> GetJson(const Kubectl& kubectl, const std::vector<std::string>& words,
                                       absl::Duration limit) {
  std::vector<std::string> command = {"get"};
  command.insert(command.end(), words.begin(), words.end());
  command.insert(command.end(), {"-o", "json"});
  ASSIGN_OR_RETURN(const std::string text, kubectl.Run(command, "", limit));
  return ParseKubectlJson(text, "get " + words.front());
}

}  // namespace mirrorfs
