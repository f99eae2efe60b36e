#ifndef MIRRORFS_AGENT_SERVICE_PUBLICATION_H_
#define MIRRORFS_AGENT_SERVICE_PUBLICATION_H_

#include <atomic>

namespace mirrorfs {

// Orders what was built before what uses it. gRPC's threads see the parts of the server because gRPC locks when it
// hands them over; tools that do not see into gRPC see this. Not inline, as its callers may be built without those
// tools' hooks.
class Publication {
 public:
  void Publish();
  void See() const;

 private:
  std::atomic<bool> published_ = false;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SERVICE_PUBLICATION_H_
