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

// Made in `directory`, with file names that begin with `name`; signed by the authority that was made as `authority`, or
// by one of its own; good for so many days. Empty texts if openssl fails.
inline Certificates MakeCertificates(const std::string& directory, const std::string& name, std::string authority = "",
                                     int days = 2) {
  const std::string base = directory + "/" + name;
  std::string script = "set -e; cd '" + directory + "'; exec >/dev/null 2>&1; ";
  if (authority.empty()) {
    authority = name;
    script += "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj '/CN=" + name +
              " CA' -keyout " + name + "-ca.key -out " + name + "-ca.pem; ";
  }
  script += "openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj '/CN=" + name + "' -keyout " +
            name + ".key -out " + name +
            ".csr; "
            "printf 'subjectAltName=IP:127.0.0.1' > " +
            name +
            ".ext; "
            "openssl x509 -req -days " +
            std::to_string(days) + " -in " + name + ".csr -CA " + authority + "-ca.pem -CAkey " + authority +
            "-ca.key -CAcreateserial -extfile " + name + ".ext -out " + name + ".pem";
  if (std::system(script.c_str()) != 0) return {};
  const auto read = [](const std::string& path) {
    std::ifstream file(path);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  return {read(directory + "/" + authority + "-ca.pem"), read(base + ".pem"), read(base + ".key")};
}

}  // namespace mirrorfs

#endif  // MIRRORFS_TESTS_WIRE_CERTIFICATES_H_
