// Certificates for tests, made by the openssl command.
#ifndef MIRRORFS_TESTS_WIRE_CERTIFICATES_H_
#define MIRRORFS_TESTS_WIRE_CERTIFICATES_H_

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

namespace mirrorfs {

// A certificate authority and one certificate for 127.0.0.1 that it has signed, as PEM texts.
struct Certificates {
  std::string ca;
  std::string certificate;
  std::string key;
};

// Made in `directory`, with file names that begin with `name`. Empty texts if openssl fails.
inline Certificates MakeCertificates(const std::string& directory, const std::string& name) {
  const std::string base = directory + "/" + name;
  const std::string script =
      "set -e; cd '" + directory +
      "'; exec >/dev/null 2>&1; "
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj '/CN=" +
      name + " CA' -keyout " + name + "-ca.key -out " + name +
      "-ca.pem; "
      "openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj '/CN=" +
      name + "' -keyout " + name + ".key -out " + name +
      ".csr; "
      "printf 'subjectAltName=IP:127.0.0.1' > " +
      name +
      ".ext; "
      "openssl x509 -req -days 2 -in " +
      name + ".csr -CA " + name + "-ca.pem -CAkey " + name + "-ca.key -CAcreateserial -extfile " + name + ".ext -out " +
      name + ".pem";
  if (std::system(script.c_str()) != 0) return {};
  const auto read = [](const std::string& path) {
    std::ifstream file(path);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  return {read(base + "-ca.pem"), read(base + ".pem"), read(base + ".key")};
}

}  // namespace mirrorfs

#endif  // MIRRORFS_TESTS_WIRE_CERTIFICATES_H_
