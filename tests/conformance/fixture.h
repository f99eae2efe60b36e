// The files that cases of Place::kLower… find in their directory:
//   file            "lower file\n", 0644, old times, user.color=blue
//   readonly        0444          private   0600        empty
//   hard_a, hard_b  two links of one file
//   suid, sgid      06755/02755 with content
//   program         a copy of a real program
//   sparse          hole, data, hole, data
//   dir/{one,two,sub/deep}   empty_dir/   link -> file   dirlink -> dir   dangling   loop   fifo
// and in addition
//   big             with kLowerBig: a bit more than 2 MiB of Pattern
//   many/           with kLowerMany: 400 files
#ifndef MIRRORFS_TESTS_CONFORMANCE_FIXTURE_H_
#define MIRRORFS_TESTS_CONFORMANCE_FIXTURE_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "tests/conformance/case.h"

namespace mirrorfs::conformance {

inline constexpr size_t kBigSize = (2u << 20) + 3 * 4096 + 123;
inline constexpr size_t kSparseHole = 64 << 10;
inline constexpr size_t kSparseData = 8 << 10;
inline constexpr int kManyFiles = 400;

// Fills the existing directory for a case of this place. Aborts with a message if it cannot.
void FillDirectory(const std::string& directory, Place place);

// The content of a lower layer: cases/NAME/ for each case that wants lower files, all owned by owner:owner.
void MakeLower(const std::string& root, const std::vector<Case>& cases, uid_t owner);

}  // namespace mirrorfs::conformance

#endif  // MIRRORFS_TESTS_CONFORMANCE_FIXTURE_H_
