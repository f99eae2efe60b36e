// Who was let in to what, and who was not: one line of JSON each, on stdout, where a cluster's logs are collected.
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
