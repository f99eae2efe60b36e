// Memory shared between gRPC's buffers and absl::Cord: both count references, so neither way copies.
#ifndef MIRRORFS_PROTOS_WIRE_SLICES_H_
#define MIRRORFS_PROTOS_WIRE_SLICES_H_

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/cord.h"

namespace mirrorfs {

// Appends the cord's memory as slices that keep it alive.
void AppendSlices(const absl::Cord& data, std::vector<grpc::Slice>& slices);

// A cord that keeps the buffer's slices alive. Small slices are copied: it is cheaper, and frees what they are cut
// from.
absl::StatusOr<absl::Cord> ShareAsCord(const grpc::ByteBuffer& buffer);

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_WIRE_SLICES_H_
