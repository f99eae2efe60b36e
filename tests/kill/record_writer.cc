#include "tests/kill/record_writer.h"

#include "absl/time/clock.h"
#include "fmt/format.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {

std::string RecordWriter::Record(uint64_t number) {
  std::string record = fmt::format("record {} ", number);
  while (record.size() < kRecordBytes) record += record;
  record.resize(kRecordBytes);
  return record;
}

void RecordWriter::Run() {
  uint64_t number = 0;
  first_error_ = OpenRecords();
  while (first_error_.ok()) first_error_ = Step(number++);
  for (int i = 0; i < kAfterwards; ++i, ++number) {
    after_first_error_ += WriteRecord(number).ok() ? 1 : 0;
    after_first_error_ += MakeFile(number).ok() ? 1 : 0;
    after_first_error_ += MakeDirectory(number).ok() ? 1 : 0;
  }
  {
    MutexLock lock(mutex_);
    done_ = true;
  }
  changed_.notify_all();
}

void RecordWriter::WaitFor(size_t count) {
  MutexLock lock(mutex_);
  while (count_ < count && !done_) lock.Wait(changed_);
}

absl::Status RecordWriter::Step(uint64_t number) {
  constexpr uint64_t kEachFile = 8;
  constexpr uint64_t kEachDirectory = 32;
  RETURN_IF_ERROR(WriteRecord(number));
  if (number % kEachFile == 0) RETURN_IF_ERROR(MakeFile(number));
  if (number % kEachDirectory == 0) RETURN_IF_ERROR(MakeDirectory(number));
  return absl::OkStatus();
}

absl::Status RecordWriter::OpenRecords() {
  records_ = static_cast<HandleId>(next_handle_++);
  const FileSystem::NewNode where{.parent = directory_, .name = "records", .permissions = 0644};
  return files_.Create({}, where, /*exclusive=*/true, records_, {.read = true, .write = true}).status();
}

absl::Status RecordWriter::WriteRecord(uint64_t number) {
  const absl::Time begun = absl::Now();
  const auto written = files_.Write({}, records_, number * kRecordBytes, absl::Cord(Record(number)));
  RETURN_IF_ERROR(written.status());
  if (written->bytes != kRecordBytes) return absl::InternalError("a short write");
  Note(Acknowledged::Kind::kRecord, number, begun);
  return absl::OkStatus();
}

absl::Status RecordWriter::MakeFile(uint64_t number) {
  const absl::Time begun = absl::Now();
  const std::string name = fmt::format("file-{}", number);
  const HandleId handle = static_cast<HandleId>(next_handle_++);
  const FileSystem::NewNode where{.parent = directory_, .name = name, .permissions = 0644};
  RETURN_IF_ERROR(files_.Create({}, where, /*exclusive=*/true, handle, {.write = true}).status());
  RETURN_IF_ERROR(files_.Write({}, handle, 0, absl::Cord(name)).status());
  files_.Release({&handle, 1});
  Note(Acknowledged::Kind::kFile, number, begun);
  return absl::OkStatus();
}

absl::Status RecordWriter::MakeDirectory(uint64_t number) {
  const absl::Time begun = absl::Now();
  const std::string name = fmt::format("directory-{}", number);
  RETURN_IF_ERROR(files_.Mkdir({}, {.parent = directory_, .name = name, .permissions = 0755}).status());
  Note(Acknowledged::Kind::kDirectory, number, begun);
  return absl::OkStatus();
}

void RecordWriter::Note(Acknowledged::Kind kind, uint64_t number, absl::Time begun) {
  log_.push_back({.kind = kind, .number = number, .begun = begun});
  {
    MutexLock lock(mutex_);
    ++count_;
  }
  changed_.notify_all();
}

}  // namespace mirrorfs
