#include <fmt/format.h>
#include <linux/posix_acl_xattr.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include <algorithm>

#include "tests/conformance/box.h"

namespace mirrorfs::conformance {
namespace {

constexpr uint16_t kAclRead = 4;
constexpr uint16_t kAclWrite = 2;
constexpr uint16_t kAclExecute = 1;
constexpr uint16_t kUserObject = 0x01;
constexpr uint16_t kUser = 0x02;
constexpr uint16_t kGroupObject = 0x04;
constexpr uint16_t kGroup = 0x08;
constexpr uint16_t kMask = 0x10;
constexpr uint16_t kOther = 0x20;

uint16_t TagOf(char kind, bool named) {
  if (kind == 'u') return named ? kUser : kUserObject;
  if (kind == 'g') return named ? kGroup : kGroupObject;
  return kind == 'm' ? kMask : kOther;
}

const char* TagName(uint16_t tag) {
  if (tag == kUserObject || tag == kUser) return "u";
  if (tag == kGroupObject || tag == kGroup) return "g";
  return tag == kMask ? "m" : "o";
}

posix_acl_xattr_entry ParseEntry(const std::string& text) {
  const size_t first = text.find(':');
  const size_t second = text.find(':', first + 1);
  const std::string id = text.substr(first + 1, second - first - 1);
  posix_acl_xattr_entry entry{};
  entry.e_tag = TagOf(text[0], !id.empty());
  entry.e_id = id.empty() ? ~0u : static_cast<uint32_t>(std::strtoul(id.c_str(), nullptr, 10));
  for (char letter : text.substr(second + 1)) {
    entry.e_perm |= letter == 'r' ? kAclRead : letter == 'w' ? kAclWrite : letter == 'x' ? kAclExecute : 0;
  }
  return entry;
}

std::string EncodeAcl(const std::string& text) {
  posix_acl_xattr_header header{POSIX_ACL_XATTR_VERSION};
  std::string value(reinterpret_cast<const char*>(&header), sizeof header);
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find(',', start), text.size());
    const posix_acl_xattr_entry entry = ParseEntry(text.substr(start, end - start));
    value.append(reinterpret_cast<const char*>(&entry), sizeof entry);
    start = end + 1;
  }
  return value;
}

std::string DecodeAcl(const std::string& value) {
  std::string text;
  for (size_t at = sizeof(posix_acl_xattr_header); at + sizeof(posix_acl_xattr_entry) <= value.size();
       at += sizeof(posix_acl_xattr_entry)) {
    posix_acl_xattr_entry entry;
    std::memcpy(&entry, value.data() + at, sizeof entry);
    const bool named = entry.e_tag == kUser || entry.e_tag == kGroup;
    text += fmt::format("{}{}:{}:{}{}{}", text.empty() ? "" : ",", TagName(entry.e_tag),
                        named ? std::to_string(entry.e_id) : "", entry.e_perm & kAclRead ? 'r' : '-',
                        entry.e_perm & kAclWrite ? 'w' : '-', entry.e_perm & kAclExecute ? 'x' : '-');
  }
  return text;
}

}  // namespace

int Box::Setxattr(const std::string& path, const std::string& name, std::string_view value, int flags) {
  const char* suffix = flags == XATTR_CREATE ? ", create" : flags == XATTR_REPLACE ? ", replace" : "";
  return Report(fmt::format("setxattr({}, {}, {}{})", Quote(path), Quote(name), Summary(value), suffix),
                ::lsetxattr(path.c_str(), name.c_str(), value.data(), value.size(), flags));
}

std::string Box::Getxattr(const std::string& path, const std::string& name, size_t size) {
  std::string value(size, '\0');
  const ssize_t length = ::lgetxattr(path.c_str(), name.c_str(), value.data(), size);
  const std::string call = fmt::format("getxattr({}, {}, {})", Quote(path), Quote(name), size);
  if (length < 0 || size == 0) {
    ReportValue(call, length);
    return {};
  }
  value.resize(static_cast<size_t>(length));
  Note(call + " = " + Summary(value));
  return value;
}

void Box::Listxattr(const std::string& path, size_t size) {
  std::string names(size, '\0');
  const ssize_t length = ::llistxattr(path.c_str(), names.data(), size);
  const std::string call = fmt::format("listxattr({}, {})", Quote(path), size);
  if (length < 0 || size == 0) {
    ReportValue(call, length);
    return;
  }
  std::vector<std::string> sorted;
  for (const char* at = names.data(); at < names.data() + length; at += std::strlen(at) + 1) sorted.push_back(at);
  std::sort(sorted.begin(), sorted.end());
  Note(fmt::format("{} = {}", call, fmt::join(sorted, " ")));
}

int Box::Removexattr(const std::string& path, const std::string& name) {
  return Report(fmt::format("removexattr({}, {})", Quote(path), Quote(name)),
                ::lremovexattr(path.c_str(), name.c_str()));
}

int Box::SetAcl(const std::string& path, const std::string& type, const std::string& text) {
  const std::string value = EncodeAcl(text);
  return Report(fmt::format("setacl({}, {}, {})", Quote(path), type, text),
                ::setxattr(path.c_str(), ("system.posix_acl_" + type).c_str(), value.data(), value.size(), 0));
}

void Box::ShowAcl(const std::string& path, const std::string& type) {
  std::string value(4096, '\0');
  const ssize_t length = ::getxattr(path.c_str(), ("system.posix_acl_" + type).c_str(), value.data(), value.size());
  const std::string call = fmt::format("getacl({}, {})", Quote(path), type);
  if (length < 0) {
    Report(call, length);
    return;
  }
  value.resize(static_cast<size_t>(length));
  Note(call + " = " + DecodeAcl(value));
}

}  // namespace mirrorfs::conformance
