// The methods that work on a session's files, and what is to be known about each before it is run.
#ifndef MIRRORFS_AGENT_SERVICE_METHOD_TABLE_H_
#define MIRRORFS_AGENT_SERVICE_METHOD_TABLE_H_

#include <string_view>

#include "absl/types/span.h"
#include "agent/service/call.h"

namespace mirrorfs {

struct MethodTraits {
  bool changes_tree = false;      // EROFS in a read-only session
  bool frees_locks = false;       // others may be waiting for what it lets go
  bool gives_back = false;        // is done even when the container is dead
  bool takes_long = false;        // even if the page cache has all of it
  size_t most_bytes = 128 << 10;  // of a request: names, attributes and lists are short
};

struct Method {
  std::string_view name;
  ParsedCall (*parse)(const grpc::ByteBuffer& request);
  MethodTraits traits;
};

absl::Span<const Method> FileMethods();

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SERVICE_METHOD_TABLE_H_
