// Runs random operations on two directories and compares them all the time.
#ifndef MIRRORFS_TESTS_MODEL_CHECKER_H_
#define MIRRORFS_TESTS_MODEL_CHECKER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tests/model/operation.h"
#include "tests/model/side.h"

namespace mirrorfs {

struct CheckerOptions {
  std::string directory;  // under test; both are empty
  std::string reference;
  uint64_t seed = 1;
  uint64_t operations = 200'000;
  uint64_t compare_every = 2'000;  // whole trees and open files
};

// Not thread-safe.
class Checker {
 public:
  explicit Checker(const CheckerOptions& options)
      : options_(options), tested_(options.directory), reference_(options.reference) {}

  // True if the directories were alike to the end. Prints what it finds.
  bool Run();

 private:
  // What is different after the operation; empty: nothing.
  std::string Do(const Operation& operation);
  std::string Compare();
  void Report(const std::string& difference) const;
  void Shrink();
  bool Fails(const std::vector<Operation>& operations);

  const CheckerOptions options_;
  Side tested_;
  Side reference_;
  std::vector<Operation> done_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_TESTS_MODEL_CHECKER_H_
