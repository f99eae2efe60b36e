#include "protos/certificates/certificates.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <cstdint>
#include <memory>

#include "absl/types/span.h"
#include "fmt/format.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

template <auto Release>
struct ReleaseWith {
  template <typename T>
  void operator()(T* object) const {
    Release(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, ReleaseWith<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, ReleaseWith<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, ReleaseWith<X509_EXTENSION_free>>;
using Memory = std::unique_ptr<BIO, ReleaseWith<BIO_free_all>>;

constexpr long kSecondsOfDay = 24 * 60 * 60;
constexpr int kSerialBytes = 16;
constexpr int kTokenBytes = 32;
constexpr long kVersion3 = 2;  // as X.509 counts

absl::Status LibraryError(std::string_view what) {
  std::array<char, 256> text = {};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  return absl::InternalError(fmt::format("{}: {}", what, text.data()));
}

// What the certificate is good for, as (extension, value).
struct Use {
  int extension;
  const char* value;
};
constexpr std::array kAuthorityUses = {Use{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                                       Use{NID_key_usage, "critical,keyCertSign"},
                                       Use{NID_subject_key_identifier, "hash"}};
constexpr std::array kClientUses = {Use{NID_basic_constraints, "critical,CA:FALSE"},
                                    Use{NID_key_usage, "critical,digitalSignature"},
                                    Use{NID_ext_key_usage, "clientAuth"}, Use{NID_authority_key_identifier, "keyid"}};
constexpr std::array kServerUses = {
    Use{NID_basic_constraints, "critical,CA:FALSE"}, Use{NID_key_usage, "critical,digitalSignature"},
    Use{NID_ext_key_usage, "serverAuth"}, Use{NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost"},
    Use{NID_subject_key_identifier, "hash"}};

absl::Status SetSerial(X509* certificate) {
  std::array<unsigned char, kSerialBytes> bytes;
  if (RAND_bytes(bytes.data(), kSerialBytes) != 1) return LibraryError("random bytes");
  bytes[0] &= 0x7f;  // positive
  const std::unique_ptr<BIGNUM, ReleaseWith<BN_free>> number(BN_bin2bn(bytes.data(), kSerialBytes, nullptr));
  if (number == nullptr || BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) == nullptr) {
    return LibraryError("serial number");
  }
  return absl::OkStatus();
}

// A certificate for `key` that nobody has signed yet.
absl::StatusOr<Certificate> Unsigned(EVP_PKEY* key, std::string_view name, absl::Span<const Use> uses, X509* issuer) {
  Certificate made(X509_new());
  if (made == nullptr || X509_set_version(made.get(), kVersion3) != 1 || X509_set_pubkey(made.get(), key) != 1) {
    return LibraryError("certificate");
  }
  RETURN_IF_ERROR(SetSerial(made.get()));
  const std::string text(name);
  X509_NAME* subject = X509_get_subject_name(made.get());
  if (X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(text.c_str()), -1,
                                 -1, 0) != 1 ||
      X509_set_issuer_name(made.get(), X509_get_subject_name(issuer == nullptr ? made.get() : issuer)) != 1 ||
      X509_gmtime_adj(X509_getm_notBefore(made.get()), -kSecondsOfDay) == nullptr ||
      X509_gmtime_adj(X509_getm_notAfter(made.get()), 365 * kSecondsOfDay) == nullptr) {
    return LibraryError("names and times of a certificate");
  }
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer == nullptr ? made.get() : issuer, made.get(), nullptr, nullptr, 0);
  for (const Use& use : uses) {
    const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, use.extension, use.value));
    if (extension == nullptr || X509_add_ext(made.get(), extension.get(), -1) != 1) return LibraryError(use.value);
  }
  return made;
}

template <typename Write>
absl::StatusOr<std::string> Pem(Write write) {
  const Memory memory(BIO_new(BIO_s_mem()));
  if (memory == nullptr || write(memory.get()) != 1) return LibraryError("PEM");
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  return std::string(text, static_cast<size_t>(size));
}

absl::StatusOr<KeyAndCertificate> Texts(EVP_PKEY* key, X509* certificate) {
  KeyAndCertificate made;
  ASSIGN_OR_RETURN(made.key, Pem([key](BIO* to) {
                     return PEM_write_bio_PKCS8PrivateKey(to, key, nullptr, nullptr, 0, nullptr, nullptr);
                   }));
  ASSIGN_OR_RETURN(made.certificate, Pem([certificate](BIO* to) { return PEM_write_bio_X509(to, certificate); }));
  return made;
}

Memory Read(const std::string& text) { return Memory(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

absl::StatusOr<Key> NewKey() {
  Key key(EVP_EC_gen("P-256"));
  if (key == nullptr) return LibraryError("a new key");
  return key;
}

absl::StatusOr<KeyAndCertificate> SelfSigned(std::string_view name, absl::Span<const Use> uses) {
  ASSIGN_OR_RETURN(const Key key, NewKey());
  ASSIGN_OR_RETURN(const Certificate made, Unsigned(key.get(), name, uses, nullptr));
  if (X509_sign(made.get(), key.get(), EVP_sha256()) == 0) return LibraryError("signature");
  return Texts(key.get(), made.get());
}

std::string Hex(absl::Span<const unsigned char> bytes) {
  std::string text;
  for (const unsigned char byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace

absl::StatusOr<KeyAndCertificate> MakeAuthority(std::string_view name) { return SelfSigned(name, kAuthorityUses); }

absl::StatusOr<KeyAndCertificate> MakeServerCertificate(std::string_view name) { return SelfSigned(name, kServerUses); }

absl::StatusOr<KeyAndCertificate> MakeClientCertificate(const KeyAndCertificate& authority, std::string_view name) {
  const Key signer(PEM_read_bio_PrivateKey(Read(authority.key).get(), nullptr, nullptr, nullptr));
  const Certificate issuer(PEM_read_bio_X509(Read(authority.certificate).get(), nullptr, nullptr, nullptr));
  if (signer == nullptr || issuer == nullptr) return LibraryError("the authority cannot be read");
  ASSIGN_OR_RETURN(const Key key, NewKey());
  ASSIGN_OR_RETURN(const Certificate made, Unsigned(key.get(), name, kClientUses, issuer.get()));
  if (X509_sign(made.get(), signer.get(), EVP_sha256()) == 0) return LibraryError("signature");
  return Texts(key.get(), made.get());
}

absl::StatusOr<std::string> MakeToken() {
  std::array<unsigned char, kTokenBytes> bytes;
  if (RAND_bytes(bytes.data(), kTokenBytes) != 1) return LibraryError("random bytes");
  return Hex(bytes);
}

std::string Sha256Hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr);
  return Hex(absl::MakeConstSpan(digest.data(), size));
}

}  // namespace mirrorfs
