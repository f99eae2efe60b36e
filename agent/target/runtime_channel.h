// gRPC to a container runtime: what the containerd and the CRI client share.
#ifndef MIRRORFS_AGENT_TARGET_RUNTIME_CHANNEL_H_
#define MIRRORFS_AGENT_TARGET_RUNTIME_CHANNEL_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/status.h"

namespace mirrorfs {

std::shared_ptr<grpc::Channel> RuntimeChannel(const std::string& socket_path);

// Each call to a runtime ends within 10 s.
void SetRuntimeDeadline(grpc::ClientContext& context);

// NOT_FOUND and PERMISSION_DENIED stay; everything else is UNAVAILABLE.
absl::Status RuntimeStatus(const grpc::Status& status, std::string_view runtime, const std::string& socket_path);

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_TARGET_RUNTIME_CHANNEL_H_
