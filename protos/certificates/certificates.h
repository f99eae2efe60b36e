// Keys and certificates that are made for one mount or one agent and live in memory only; tokens, and what may be told
// of them.
#ifndef MIRRORFS_PROTOS_CERTIFICATES_CERTIFICATES_H_
#define MIRRORFS_PROTOS_CERTIFICATES_CERTIFICATES_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace mirrorfs {

// PEM texts.
struct KeyAndCertificate {
  std::string key;
  std::string certificate;
};

// All keys are ECDSA P-256. Certificates are valid from a day ago (clocks differ) for a year: the keys die with their
// process long before. `name` is the common name; it is checked by nobody.
//
// An authority, which signs and does nothing else.
absl::StatusOr<KeyAndCertificate> MakeAuthority(std::string_view name);
// What a client proves itself with to those who trust `authority`.
absl::StatusOr<KeyAndCertificate> MakeClientCertificate(const KeyAndCertificate& authority, std::string_view name);
// Signed by itself: of a server that is known by this very certificate.
absl::StatusOr<KeyAndCertificate> MakeServerCertificate(std::string_view name);

// 256 random bits as 64 hexadecimal digits.
absl::StatusOr<std::string> MakeToken();

// 64 hexadecimal digits.
std::string Sha256Hex(std::string_view bytes);

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_CERTIFICATES_CERTIFICATES_H_
