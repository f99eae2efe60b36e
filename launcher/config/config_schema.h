// The form of configuration files as a JSON schema (draft 2020-12), made of the same table that files are read by.
#ifndef MIRRORFS_LAUNCHER_CONFIG_CONFIG_SCHEMA_H_
#define MIRRORFS_LAUNCHER_CONFIG_CONFIG_SCHEMA_H_

#include "nlohmann/json.hpp"

namespace mirrorfs {

// Keys keep the order of the table.
nlohmann::ordered_json ConfigSchema();

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_CONFIG_CONFIG_SCHEMA_H_
