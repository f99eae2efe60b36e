#include "protos/rootfs/directory_listings.h"

#include <gtest/gtest.h>

#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

DirectoryListings::ListingPtr Listing(NodeId node) {
  auto listing = std::make_shared<DirectoryListing>();
  listing->node = node;
  return listing;
}

DirCursor Cursor(uint32_t number) { return DirectoryListings::MakeCursor(number, 1); }

TEST(DirectoryListings, CursorsNameListingAndPage) {
  const DirCursor cursor = DirectoryListings::MakeCursor(7, 9);
  EXPECT_EQ(DirectoryListings::ListingOf(cursor), 7u);
  EXPECT_EQ(DirectoryListings::PageOf(cursor), 9u);
  EXPECT_NE(cursor, DirCursor::kStart);
}

TEST(DirectoryListings, AListingBelongsToItsNode) {
  DirectoryListings listings(4);
  const uint32_t number = listings.Add(Listing(NodeId{5}));
  EXPECT_TRUE(listings.Find(NodeId{5}, Cursor(number)).ok());
  EXPECT_EQ(ToErrno(listings.Find(NodeId{6}, Cursor(number)).status()), ESTALE);
  listings.Remove(NodeId{6}, Cursor(number));
  EXPECT_TRUE(listings.Find(NodeId{5}, Cursor(number)).ok());
  listings.Remove(NodeId{5}, Cursor(number));
  EXPECT_EQ(ToErrno(listings.Find(NodeId{5}, Cursor(number)).status()), ESTALE);
}

TEST(DirectoryListings, TheOldestEndsWhenThereAreTooMany) {
  DirectoryListings listings(2);
  const uint32_t first = listings.Add(Listing(NodeId{5}));
  const uint32_t second = listings.Add(Listing(NodeId{5}));
  ASSERT_TRUE(listings.Find(NodeId{5}, Cursor(first)).ok());
  listings.Add(Listing(NodeId{5}));
  EXPECT_TRUE(listings.Find(NodeId{5}, Cursor(first)).ok());
  EXPECT_FALSE(listings.Find(NodeId{5}, Cursor(second)).ok());
}

TEST(DirectoryListings, FinishedOnesAreGivenBackEarlier) {
  DirectoryListings listings(4);
  const uint32_t finished = listings.Add(Listing(NodeId{5}));
  const uint32_t unfinished = listings.Add(Listing(NodeId{5}));
  listings.MarkFinished(Cursor(finished));
  const auto now = DirectoryListings::Clock::now() + std::chrono::seconds(1);
  listings.EraseUnusedSince(now - std::chrono::minutes(1), now);
  EXPECT_FALSE(listings.Find(NodeId{5}, Cursor(finished)).ok());
  EXPECT_TRUE(listings.Find(NodeId{5}, Cursor(unfinished)).ok());
  listings.EraseUnusedSince(now, now);
  EXPECT_FALSE(listings.Find(NodeId{5}, Cursor(unfinished)).ok());
}

}  // namespace
}  // namespace mirrorfs
