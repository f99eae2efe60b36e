#include "launcher/config/config_schema.h"

#include <string>
#include <variant>

#include "launcher/config/setting_keys.h"

namespace mirrorfs {
namespace {

using Json = nlohmann::ordered_json;

Json Text() { return {{"type", "string"}}; }

Json NonEmptyText() { return {{"type", "string"}, {"minLength", 1}}; }

// What YAML may hold where a text is meant: 1 and true without quotes are fine there.
Json AnyScalar() { return {{"type", Json::array({"string", "number", "boolean"})}}; }

Json NonEmptyScalar() {
  Json scalar = AnyScalar();
  scalar["minLength"] = 1;
  return scalar;
}

Json MappingItem() {
  return {{"type", "object"},
          {"properties", {{"match", NonEmptyText()}, {"replace", Text()}}},
          {"required", Json::array({"match", "replace"})},
          {"additionalProperties", false}};
}

// One shape for each kind of value, as ValueReader (settings_file.cc) takes it.
struct Shape {
  Json operator()(const Sourced<std::string>*) const { return AnyScalar(); }
  Json operator()(const Sourced<bool>*) const { return {{"type", "boolean"}}; }
  Json operator()(const Sourced<FsMode>*) const {
    Json names = Json::array();
    for (const FsMode mode : {FsMode::kRead, FsMode::kWrite, FsMode::kLocalWithOverrides, FsMode::kLocal}) {
      names.push_back(NameOf(mode));
    }
    return {{"enum", std::move(names)}};
  }
  Json operator()(const SourcedList*) const {
    return {{"oneOf", Json::array({NonEmptyScalar(), Json{{"type", "array"}, {"items", NonEmptyScalar()}}})}};
  }
  Json operator()(const Sourced<std::vector<PathMapping>>*) const {
    return {{"oneOf", Json::array({Json{{"type", "array"}, {"items", MappingItem()}},
                                   Json{{"type", "object"}, {"additionalProperties", Text()}}})}};
  }
  Json operator()(const SourcedTexts*) const { return {{"type", "object"}, {"additionalProperties", AnyScalar()}}; }
};

Json ClosedObject() {
  return {{"type", Json::array({"object", "null"})}, {"properties", Json::object()}, {"additionalProperties", false}};
}

}  // namespace

Json ConfigSchema() {
  Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", "mirrorfs configuration"}};
  schema.update(ClosedObject());
  ExecSettings settings;
  for (const SettingKey& key : SettingKeys()) {
    if (key.place == KeyPlace::kFlagsOnly) continue;
    Json shape = std::visit(Shape{}, key.slot(settings));
    shape["description"] = key.description;
    Json* properties = &schema["properties"];
    if (!key.section.empty()) {
      Json& section = (*properties)[std::string(key.section)];
      if (section.is_null()) section = ClosedObject();
      properties = &section["properties"];
    }
    (*properties)[std::string(key.name)] = std::move(shape);
  }
  return schema;
}

}  // namespace mirrorfs
