// Runs one case in one tree, in processes of its own, and returns its trace.
#ifndef MIRRORFS_TESTS_CONFORMANCE_RUNNER_H_
#define MIRRORFS_TESTS_CONFORMANCE_RUNNER_H_

#include <string>
#include <vector>

#include "tests/conformance/case.h"

namespace mirrorfs::conformance {

// Where cases are run. A tree that was made with MakeLower holds the lower files of each case; in any other directory
// they are made when they are needed.
struct Tree {
  std::string path;
  std::string inside;     // the same tree by way of the container; empty: none
  std::string read_only;  // the same tree on a read-only mount; empty: none
};

// The trace of the case, followed by what the case left behind: the tree as seen through `path`, and as seen through
// `inside`. Cases are ended after 30 s.
std::vector<std::string> RunCase(const Case& one, const Tree& tree);

}  // namespace mirrorfs::conformance

#endif  // MIRRORFS_TESTS_CONFORMANCE_RUNNER_H_
