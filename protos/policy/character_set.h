// Sets of characters (code points) of which we know two things: which are surely in it, and which may be. Case folding
// beyond ASCII is RE2's own matter: there the two differ.
#ifndef MIRRORFS_PROTOS_POLICY_CHARACTER_SET_H_
#define MIRRORFS_PROTOS_POLICY_CHARACTER_SET_H_

#include <cstdint>
#include <vector>

namespace mirrorfs {

enum class Reading : uint8_t { kMay, kMust };

class CharacterSet {
 public:
  static CharacterSet Any();

  // The characters from `first` to `last`, with what they are in the other case.
  void Add(uint32_t first, uint32_t last);
  // Likewise, but the other case only may be in it.
  void AddPlain(uint32_t first, uint32_t last);
  void AddAll(const CharacterSet& other);
  void Negate();

  bool Contains(uint32_t character, Reading reading) const;

  // Characters at which a range begins, or just after one has ended: between them all characters are alike.
  std::vector<uint32_t> Edges() const;

 private:
  struct Range {
    uint32_t first;
    uint32_t last;
  };
  using Ranges = std::vector<Range>;

  static void Negate(Ranges& ranges);
  static bool Contains(const Ranges& ranges, uint32_t character);
  // What folding makes of ASCII letters: the other case, and the two characters beyond ASCII that are like a letter.
  static void AddOtherCase(uint32_t first, uint32_t last, Ranges& ranges);
  void AddWhatMayFold(uint32_t first, uint32_t last);

  Ranges may_;
  Ranges must_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_POLICY_CHARACTER_SET_H_
