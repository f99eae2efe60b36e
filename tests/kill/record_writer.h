// Writes into a container until it is told that it cannot, and remembers what was acknowledged.
#ifndef MIRRORFS_TESTS_KILL_RECORD_WRITER_H_
#define MIRRORFS_TESTS_KILL_RECORD_WRITER_H_

#include <condition_variable>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "protos/shared/file_system.h"
#include "protos/shared/mutex.h"

namespace mirrorfs {

// One operation that was answered with success.
struct Acknowledged {
  enum class Kind : uint8_t { kRecord, kFile, kDirectory } kind;
  uint64_t number;
  absl::Time begun;  // before the operation was asked for
};

// Run() belongs to one thread, WaitFor() may be called from another.
class RecordWriter {
 public:
  static constexpr size_t kRecordBytes = 4096;

  // Works in `directory`: a file "records" of records, and files "file-N" and directories "directory-N".
  RecordWriter(FileSystem& files, NodeId directory, uint64_t first_handle)
      : files_(files), directory_(directory), next_handle_(first_handle) {}

  // Returns when an operation has failed, and with it `kAfterwards` more of each kind: none of them may succeed.
  void Run();
  // Blocks until that many operations were acknowledged, or Run() has returned.
  void WaitFor(size_t count);

  // After Run().
  const std::vector<Acknowledged>& Log() const { return log_; }
  const absl::Status& FirstError() const { return first_error_; }
  size_t AcknowledgedAfterFirstError() const { return after_first_error_; }

  static std::string Record(uint64_t number);

 private:
  static constexpr int kAfterwards = 20;

  absl::Status Step(uint64_t number);
  absl::Status OpenRecords();
  absl::Status WriteRecord(uint64_t number);
  absl::Status MakeFile(uint64_t number);
  absl::Status MakeDirectory(uint64_t number);
  void Note(Acknowledged::Kind kind, uint64_t number, absl::Time begun);

  FileSystem& files_;
  const NodeId directory_;
  uint64_t next_handle_;
  HandleId records_ = HandleId::kNone;
  absl::Status first_error_;
  size_t after_first_error_ = 0;

  Mutex mutex_;
  std::condition_variable changed_;
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
  size_t count_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<Acknowledged> log_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_TESTS_KILL_RECORD_WRITER_H_
