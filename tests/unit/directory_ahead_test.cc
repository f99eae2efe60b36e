#include "fusefs/core/directory_ahead.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace mirrorfs {
namespace {

class DirectoryAheadTest : public testing::Test {
 protected:
  DirectoryAheadTest() {
    std::vector<ListedName> names;
    for (size_t i = 0; i < 40; ++i) {
      children_.push_back(std::make_shared<Inode>(NodeId{100 + i}, FileType::kDirectory));
      children_.back()->SetParent(parent_);
      ListedName name;
      name.name = "d" + std::to_string(1000 + i);
      name.inode = children_.back();
      names.push_back(std::move(name));
      ListedName file;
      file.name = "f" + std::to_string(1000 + i);
      file.inode = std::make_shared<Inode>(NodeId{1000 + i}, FileType::kRegular);
      names.push_back(std::move(file));
    }
    ahead_.NoteListed(parent_->node(), Listing(Now(), std::move(names), true));
  }
  // Opens a child and waits for what is fetched because of it. `known`: what was fetched ahead counts as fresh.
  std::set<size_t> Open(size_t child, bool known = true) {
    std::set<size_t> fetched;
    Mutex mutex;
    const bool is_known = known && fetched_.contains(child);
    ahead_.NoteOpened(*children_[child], is_known, [&](const InodePtr& directory) {
      MutexLock lock(mutex);
      fetched.insert(ToNumber(directory->node()) - 100);
    });
    for (const InodePtr& other : children_) {
      while (const IoTaskPtr task = ahead_.UnderWay(other->node())) task->RunIfQueued(), (void)task->Wait({});
    }
    fetched_.insert(fetched.begin(), fetched.end());
    return fetched;
  }

  const InodePtr parent_ = std::make_shared<Inode>(NodeId{2}, FileType::kDirectory);
  std::vector<InodePtr> children_;
  std::set<size_t> fetched_;
  DirectoryAhead ahead_{pool_};
  IoPool pool_{4};  // ends first
};

TEST_F(DirectoryAheadTest, AWalkInOrderIsFetchedAheadMoreAndMore) {
  EXPECT_EQ(Open(0), (std::set<size_t>{1, 2}));
  EXPECT_EQ(Open(1), (std::set<size_t>{3, 4, 5}));
  EXPECT_EQ(Open(2), (std::set<size_t>{6, 7, 8, 9, 10}));
  for (size_t child = 3; child < children_.size(); ++child) Open(child);
  EXPECT_EQ(fetched_.size(), children_.size() - 1) << "each once, and nothing but directories";
}

TEST_F(DirectoryAheadTest, OneThatIsPickedIsNoWalk) {
  EXPECT_TRUE(Open(7).empty());
  EXPECT_TRUE(Open(20).empty());
  EXPECT_EQ(Open(21), (std::set<size_t>{22, 23})) << "two in a row are the beginning of one";
}

TEST_F(DirectoryAheadTest, WhatCameTooEarlyStopsIt) {
  Open(0);
  EXPECT_TRUE(Open(1, /*known=*/false).empty());
  EXPECT_FALSE(Open(2, /*known=*/false).contains(1));
}

TEST_F(DirectoryAheadTest, DirectoriesThatAreGoneAreNotFetched) {
  children_.erase(children_.begin() + 1, children_.begin() + 3);
  EXPECT_TRUE(Open(0).empty());
}

}  // namespace
}  // namespace mirrorfs
