#include "protos/rootfs/file_id.h"

#include <fcntl.h>

#include <cstring>

#include "protos/rootfs/kernel_calls.h"

namespace mirrorfs {

std::optional<std::string> ReadFileId(int directory, const char* name, FileIds kind) {
  if (kind == FileIds::kNone) return std::string();
  alignas(struct file_handle) char memory[sizeof(struct file_handle) + MAX_HANDLE_SZ];
  auto* handle = reinterpret_cast<struct file_handle*>(memory);
  handle->handle_bytes = MAX_HANDLE_SZ;
  int mount_id = 0;
  const int flags = (*name == '\0' ? AT_EMPTY_PATH : 0) | (kind == FileIds::kIdentify ? kAtHandleFid : 0);
  if (::name_to_handle_at(directory, name, handle, &mount_id, flags) != 0) return std::nullopt;
  std::string id(reinterpret_cast<const char*>(&handle->handle_type), sizeof(handle->handle_type));
  id.append(memory + sizeof(struct file_handle), handle->handle_bytes);
  return id;
}

}  // namespace mirrorfs
