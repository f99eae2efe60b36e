#include "agent/service/method_table.h"

#include "agent/service/handlers.h"
#include "protos/wire/protocol_version.h"

namespace mirrorfs {
namespace {

constexpr MethodTraits kReads{};
constexpr MethodTraits kReadsMuch{.takes_long = true};
constexpr MethodTraits kReclaims{.most_bytes = 512 << 10};                             // names of many nodes
constexpr MethodTraits kWrites{.changes_tree = true, .most_bytes = kMaxMessageBytes};  // gRPC takes less
constexpr MethodTraits kChangesTree{.changes_tree = true};
constexpr MethodTraits kChangesMuch{.changes_tree = true, .takes_long = true};
constexpr MethodTraits kLocks{.frees_locks = true};
constexpr MethodTraits kGivesBack{.gives_back = true};
constexpr MethodTraits kGivesBackLocks{.frees_locks = true, .gives_back = true};

constexpr Method kMethods[] = {
    {"Reclaim", &ParseUnary<&handlers::Reclaim>, kReclaims},
    {"Lookup", &ParseUnary<&handlers::Lookup>, kReads},
    {"GetAttr", &ParseUnary<&handlers::GetAttr>, kReads},
    {"SetAttr", &ParseUnary<&handlers::SetAttr>, kChangesTree},
    {"Readlink", &ParseUnary<&handlers::Readlink>, kReads},
    {"Access", &ParseUnary<&handlers::Access>, kReads},
    {"ReadDir", &ParseUnary<&handlers::ReadDir>, kReadsMuch},
    {"StatFs", &ParseUnary<&handlers::StatFs>, kReads},
    {"Mknod", &ParseUnary<&handlers::Mknod>, kChangesTree},
    {"Mkdir", &ParseUnary<&handlers::Mkdir>, kChangesTree},
    {"Symlink", &ParseUnary<&handlers::Symlink>, kChangesTree},
    {"Link", &ParseUnary<&handlers::Link>, kChangesTree},
    {"Unlink", &ParseUnary<&handlers::Unlink>, kChangesTree},
    {"Rmdir", &ParseUnary<&handlers::Rmdir>, kChangesTree},
    {"Rename", &ParseUnary<&handlers::Rename>, kChangesTree},
    {"Open", &ParseUnary<&handlers::Open>, kReads},  // looks at the flags itself
    {"Create", &ParseUnary<&handlers::Create>, kChangesTree},
    {"Read", &handlers::ParseRead, kReads},
    {"ReadMany", &handlers::ParseReadMany, kReads},
    {"Write", &handlers::ParseWrite, kWrites},
    {"Fsync", &ParseUnary<&handlers::Fsync>, kReadsMuch},
    {"Fsyncdir", &ParseUnary<&handlers::Fsyncdir>, kReadsMuch},
    {"Fallocate", &ParseUnary<&handlers::Fallocate>, kChangesMuch},
    {"Seek", &ParseUnary<&handlers::Seek>, kReads},
    {"CopyFileRange", &ParseUnary<&handlers::CopyFileRange>, kChangesMuch},
    {"GetLock", &ParseUnary<&handlers::GetLock>, kReads},
    {"SetLock", &handlers::ParseSetLock, kLocks},
    {"GetXattr", &ParseUnary<&handlers::GetXattr>, kReads},
    {"SetXattr", &ParseUnary<&handlers::SetXattr>, kChangesTree},
    {"ListXattr", &ParseUnary<&handlers::ListXattr>, kReads},
    {"RemoveXattr", &ParseUnary<&handlers::RemoveXattr>, kChangesTree},
    {"Forget", &ParseUnary<&handlers::Forget>, kGivesBack},
    {"Release", &ParseUnary<&handlers::Release>, kGivesBackLocks},
};

}  // namespace

absl::Span<const Method> FileMethods() { return kMethods; }

}  // namespace mirrorfs
