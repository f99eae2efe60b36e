#include "launcher/agentmodes/token_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>

#include "protos/certificates/certificates.h"
#include "protos/shared/errno_status.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

absl::StatusOr<std::string> KeepToken(const std::string& path) {
  std::string token;
  if (std::getline(std::ifstream(path), token) && !token.empty()) return token;
  ASSIGN_OR_RETURN(token, MakeToken());
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  const std::string line = token + "\n";
  if (!file || ::write(file.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    return LastErrno(path);
  }
  return token;
}

}  // namespace mirrorfs
