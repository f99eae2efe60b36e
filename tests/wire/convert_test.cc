// Structs through messages and back; and messages that lie.
#include <functional>
#include <random>
#include <string>

#include "gtest/gtest.h"
#include "protos/shared/errno_status.h"
#include "protos/wire/check.h"
#include "protos/wire/convert_attributes.h"
#include "protos/wire/convert_files.h"

namespace mirrorfs {
namespace {

Attributes SomeAttributes(FileType type = FileType::kRegular) {
  return {.type = type,
          .permissions = 06755,
          .nlink = 3,
          .uid = 1000,
          .gid = 65534,
          .rdev_major = 8,
          .rdev_minor = 1,
          .size = uint64_t{1} << 40,
          .blocks = 77,
          .block_size = 4096,
          .inode = ~uint64_t{0},
          .device = 42,
          .atime_ns = -1,
          .mtime_ns = 1'700'000'000'123'456'789,
          .ctime_ns = 5};
}

Entry SomeEntry(FileType type = FileType::kRegular) {
  return {.node = NodeId{9}, .attributes = SomeAttributes(type), .identity = std::string("\0id", 3), .link_target = ""};
}

TEST(ConvertTest, AttributesSurvive) {
  v1::Attributes message;
  Pack(SomeAttributes(), message);
  EXPECT_EQ(*Unpack(message), SomeAttributes());
}

TEST(ConvertTest, EntrySurvives) {
  Entry entry = SomeEntry(FileType::kSymlink);
  entry.link_target = "../a\nb";
  v1::Entry message;
  Pack(entry, message);
  const absl::StatusOr<Entry> back = Unpack(message);
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->node, entry.node);
  EXPECT_EQ(back->attributes, entry.attributes);
  EXPECT_EQ(back->identity, entry.identity);
  EXPECT_EQ(back->link_target, entry.link_target);
}

TEST(ConvertTest, PageSurvives) {
  DirectoryPage page;
  page.entries.push_back({.name = "\xff\xfe strange", .type = FileType::kRegular, .inode = 5, .entry = SomeEntry()});
  page.entries.push_back({.name = "no entry", .type = FileType::kUnknown, .inode = 6, .entry = std::nullopt});
  page.next = DirCursor{77};
  page.directory = SomeEntry(FileType::kDirectory).attributes;
  v1::ReadDirReply message;
  Pack(page, message);
  const absl::StatusOr<DirectoryPage> back = Unpack(message);
  ASSERT_TRUE(back.ok()) << back.status();
  ASSERT_EQ(back->entries.size(), 2u);
  EXPECT_EQ(back->entries[0].name, page.entries[0].name);
  EXPECT_EQ(back->entries[0].entry->attributes, page.entries[0].entry->attributes);
  EXPECT_FALSE(back->entries[1].entry.has_value());
  EXPECT_EQ(back->next, page.next);
  EXPECT_EQ(back->directory, page.directory);
}

TEST(ConvertTest, ChangeKeepsWhatIsAbsentAbsent) {
  v1::SetAttrRequest message;
  Pack({.permissions = 0, .size = 0, .atime = TimeValue{.now = true}, .mtime = TimeValue{.ns = -5}}, message);
  const absl::StatusOr<AttributeChange> back = Unpack(message);
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->permissions, 0u);
  EXPECT_FALSE(back->uid.has_value());
  EXPECT_FALSE(back->gid.has_value());
  EXPECT_EQ(back->size, 0u);
  EXPECT_TRUE(back->atime->now);
  EXPECT_EQ(back->mtime->ns, -5);
}

TEST(ConvertTest, LyingEntriesAreRefused) {
  const auto refused = [](const std::function<void(v1::Entry&)>& lie) {
    v1::Entry message;
    Pack(SomeEntry(), message);
    EXPECT_TRUE(Unpack(message).ok());
    lie(message);
    return !Unpack(message).ok();
  };
  EXPECT_TRUE(refused([](v1::Entry& e) { e.set_node(0); }));
  EXPECT_TRUE(refused([](v1::Entry& e) { e.set_identity(std::string(10'000, 'i')); }));
  EXPECT_TRUE(refused([](v1::Entry& e) { e.set_link_target("not a link"); }));
  EXPECT_TRUE(refused([](v1::Entry& e) { e.clear_attributes(); }));
  EXPECT_TRUE(refused([](v1::Entry& e) { e.mutable_attributes()->set_type(static_cast<v1::FileType>(8)); }));
  EXPECT_TRUE(refused([](v1::Entry& e) { e.mutable_attributes()->set_type(static_cast<v1::FileType>(-1)); }));
  EXPECT_TRUE(refused([](v1::Entry& e) { e.mutable_attributes()->set_permissions(010000); }));
  EXPECT_TRUE(refused([](v1::Entry& e) { e.mutable_attributes()->set_size(~uint64_t{0}); }));
  EXPECT_TRUE(refused([](v1::Entry& e) { e.mutable_attributes()->set_block_size(~0u); }));
  EXPECT_TRUE(refused([](v1::Entry& e) { e.mutable_attributes()->set_mtime_nanoseconds(1'000'000'000); }));
}

TEST(ConvertTest, LyingPagesAreRefused) {
  for (const std::string& name : {std::string(), std::string("."), std::string(".."), std::string("a/b"),
                                  std::string("a\0b", 3), std::string(256, 'n'), std::string("/")}) {
    v1::ReadDirReply message;
    message.add_entries()->set_name(name);
    message.mutable_entries(0)->set_type(v1::FILE_TYPE_REGULAR);
    EXPECT_FALSE(Unpack(message).ok()) << name;
  }
  v1::ReadDirReply two_types;
  DirectoryPage page;
  page.entries.push_back({.name = "n", .type = FileType::kRegular, .inode = 5, .entry = SomeEntry()});
  Pack(page, two_types);
  two_types.mutable_entries(0)->set_type(v1::FILE_TYPE_DIRECTORY);
  EXPECT_FALSE(Unpack(two_types).ok());
  v1::ReadDirReply no_directory;
  Pack(SomeEntry().attributes, *no_directory.mutable_directory());
  EXPECT_FALSE(Unpack(no_directory).ok());
}

TEST(ConvertTest, LyingAnswersAboutFilesAreRefused) {
  v1::OpenReply open;
  Pack(OpenResult{.attributes = SomeAttributes(), .has_capability = false, .inline_data = "12345"}, open);
  EXPECT_TRUE(Unpack(open, 5).ok());
  EXPECT_FALSE(Unpack(open, 4).ok());
  open.mutable_attributes()->set_type(v1::FILE_TYPE_FIFO);
  EXPECT_FALSE(Unpack(open, 5).ok());
  v1::CreateReply create;
  Pack(CreateResult{.entry = SomeEntry(FileType::kDirectory), .created = true}, create);
  EXPECT_FALSE(Unpack(create).ok());
  v1::LockRange lock;
  Pack(LockRange{.type = LockType::kRead, .start = 5, .end = 9}, lock);
  EXPECT_TRUE(Unpack(lock).ok());
  lock.set_end(4);
  EXPECT_FALSE(Unpack(lock).ok());
  lock.set_end(kLockToEndOfFile + 1);
  EXPECT_FALSE(Unpack(lock).ok());
}

TEST(ConvertTest, EnumsOutOfRangeAreRefused) {
  for (int value : {-1, 3, 100}) EXPECT_FALSE(Unpack(static_cast<v1::RenameMode>(value)).ok()) << value;
  for (int value : {-1, 3, 100}) EXPECT_FALSE(Unpack(static_cast<v1::XattrMode>(value)).ok()) << value;
  for (int value : {-1, 2, 100}) EXPECT_FALSE(Unpack(static_cast<v1::SeekWhence>(value)).ok()) << value;
  for (int value : {-1, 2, 100}) EXPECT_FALSE(Unpack(static_cast<v1::LockKind>(value)).ok()) << value;
  for (int value : {-1, 6, 100}) EXPECT_FALSE(Unpack(static_cast<v1::FallocateMode>(value)).ok()) << value;
  EXPECT_EQ(*Unpack(v1::RENAME_MODE_EXCHANGE), RenameMode::kExchange);
  EXPECT_EQ(*Unpack(v1::FALLOCATE_UNSHARE_RANGE), FallocateMode::kUnshareRange);
}

TEST(ConvertTest, NamesAreChecked) {
  EXPECT_EQ(ToErrno(CheckName(std::string(256, 'n'))), ENAMETOOLONG);
  EXPECT_EQ(ToErrno(CheckName("..")), EINVAL);
  EXPECT_TRUE(CheckName(std::string(255, 'n')).ok());
  EXPECT_TRUE(CheckName("...").ok());
  EXPECT_EQ(ToErrno(CheckTarget("")), ENOENT);
  EXPECT_EQ(ToErrno(CheckTarget(std::string(4096, 't'))), ENAMETOOLONG);
  EXPECT_EQ(ToErrno(CheckXattrName("")), ERANGE);
}

TEST(ConvertTest, RandomMessagesNeverYieldAnImpossibleName) {
  std::mt19937 random(7);
  DirectoryPage page;
  page.entries.push_back({.name = "abc", .type = FileType::kRegular, .inode = 5, .entry = SomeEntry()});
  v1::ReadDirReply valid;
  Pack(page, valid);
  const std::string bytes = valid.SerializeAsString();
  for (int round = 0; round < 20'000; ++round) {
    std::string changed = bytes;
    for (int i = 0; i < 3; ++i) changed[random() % changed.size()] = static_cast<char>(random());
    v1::ReadDirReply message;
    if (!message.ParseFromString(changed)) continue;
    const absl::StatusOr<DirectoryPage> unpacked = Unpack(message);
    if (!unpacked.ok()) continue;
    for (const DirectoryEntry& listed : unpacked->entries) EXPECT_TRUE(CheckName(listed.name).ok());
  }
}

}  // namespace
}  // namespace mirrorfs
