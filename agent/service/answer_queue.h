// Answers on their way to clients, and what has to live until they are through.
#ifndef MIRRORFS_AGENT_SERVICE_ANSWER_QUEUE_H_
#define MIRRORFS_AGENT_SERVICE_ANSWER_QUEUE_H_

#include <grpcpp/completion_queue.h>

#include <atomic>
#include <cstddef>
#include <thread>

namespace mirrorfs {

// Thread-safe. Nobody waits at this queue while the server runs, so that an answer wakes nobody here: most are through
// when they have been sent, and whoever sent one lets go of it and of earlier ones.
class AnswerQueue {
 public:
  // What is given to gRPC as the tag of an answer.
  class Sent {
   public:
    virtual ~Sent() = default;
  };

  grpc::CompletionQueue* queue() { return &queue_; }
  // After an answer was handed to gRPC with a Sent as its tag, which is deleted when the answer is through.
  void NoteSent();
  // Deletes those that are through.
  void LetGo();

  // From here on a thread waits for all that are left.
  void BeginEnd();
  // Until they are through; none may be sent any more.
  void End();

 private:
  grpc::CompletionQueue queue_;
  std::atomic<size_t> on_their_way_ = 0;
  std::thread last_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SERVICE_ANSWER_QUEUE_H_
