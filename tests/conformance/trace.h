// What a case did and saw, line by line. Two runs of a case behave alike if their traces are equal.
#ifndef MIRRORFS_TESTS_CONFORMANCE_TRACE_H_
#define MIRRORFS_TESTS_CONFORMANCE_TRACE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protos/shared/unique_fd.h"

namespace mirrorfs::conformance {

// Lives in memory that survives fork: the processes of a case write to one trace, each line at once.
// Safe to use from several processes; the order between them is the case's business.
class Trace {
 public:
  Trace();

  void Line(std::string_view line);
  // All lines so far.
  std::vector<std::string> Lines() const;

 private:
  UniqueFd file_;
};

// "ENOENT" and so on; the number where there is no name.
std::string ErrnoName(int error);

// Printable form of bytes: short text in quotes, anything long as its length and a hash.
std::string Summary(std::string_view data);

// Quotes a path; long ones are shortened to their length and ends.
std::string Quote(std::string_view path);

uint64_t Hash(std::string_view data);

}  // namespace mirrorfs::conformance

#endif  // MIRRORFS_TESTS_CONFORMANCE_TRACE_H_
