// Every call that takes a path, as a table: the families run it against paths that are wrong in some way.
#ifndef MIRRORFS_TESTS_CONFORMANCE_CASES_PATH_OPERATIONS_H_
#define MIRRORFS_TESTS_CONFORMANCE_CASES_PATH_OPERATIONS_H_

#include <functional>
#include <string>
#include <vector>

#include "tests/conformance/box.h"

namespace mirrorfs::conformance {

struct PathOperation {
  std::string name;
  std::function<void(Box&, const std::string& path)> act;
  bool changes = false;  // meant to change the tree
};

std::vector<PathOperation> PathOperations();

}  // namespace mirrorfs::conformance

#endif  // MIRRORFS_TESTS_CONFORMANCE_CASES_PATH_OPERATIONS_H_
