// Who was let in to what, and who was not: one line of JSON for each attach, and for each answer that is a refusal. An
// attach is a caller with his token; what is then shown a ticket for is part of it.
#ifndef MIRRORFS_AGENT_SHARED_AUDIT_H_
#define MIRRORFS_AGENT_SHARED_AUDIT_H_

#include <string>

#include "absl/time/time.h"
#include "agent/shared/authorizer.h"
#include "protos/preface/preface.h"

namespace mirrorfs {

// Without the line's end; never with the token. `node`: of the agent.
std::string AuditLine(absl::Time time, const std::string& node, const PrefaceRequest& request, const Verdict& verdict);

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SHARED_AUDIT_H_
