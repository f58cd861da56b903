#include "runtime/offline/entry_text.hpp"

#include "runtime/storage/snapshot_format.hpp"
#include "services/command.hpp"
#include "services/restore_command.hpp"

#include <initializer_list>
#include <limits>
#include <optional>
#include <string_view>
#include <troupe/json.hpp>
#include <troupe/services/map_service.hpp>
#include <troupe/value.hpp>
#include <vector>

namespace troupe::offline {
namespace {

/// Bytes in the form in which `to_json` shows binary values.
std::string bytes_json(std::string_view bytes) {
  return to_json(value::of(std::vector<char>(bytes.begin(), bytes.end())));
}

void append_text(std::string& out, std::string_view name, std::string_view text) {
  out.append(",\"").append(name).append("\":");
  append_json_string(out, text);
}

void append_members(std::string& out, std::string_view name, const std::vector<raft::member>& members) {
  out.append(",\"").append(name).append("\":[");
  bool first = true;
  for (const auto& one : members) {
    out.append(first ? "{\"id\":\"" : ",{\"id\":\"").append(to_string(one.id)).append("\"");
    append_text(out, "address", one.address);
    out.append("}");
    first = false;
  }
  out.append("]");
}

/// Appends nothing if there are none.
void append_promotions(std::string& out, const std::vector<raft::promotion>& promotions) {
  std::string_view before = ",\"promotions\":[";
  for (const auto& one : promotions) {
    out.append(before).append("{\"learner\":\"").append(to_string(one.learner)).append("\"");
    if (one.replaces) out.append(",\"replaces\":\"").append(to_string(one.replaces)).append("\"");
    if (one.asked) out.append(",\"asked\":true");
    if (one.standby) out.append(",\"spare\":true");
    out.append("}");
    before = ",";
  }
  if (!promotions.empty()) out.append("]");
}

/// Appends nothing if there are none.
void append_dismissed(std::string& out, const std::vector<raft::dismissal>& dismissed) {
  std::string_view before = ",\"dismissed\":[\"";
  for (const auto& one : dismissed) {
    out.append(before).append(to_string(one.node)).append("\"");
    before = ",\"";
  }
  if (!dismissed.empty()) out.append("]");
}

void append_problem(std::string& out, std::string_view problem, std::string_view data) {
  append_text(out, "problem", problem);
  out.append(",\"data\":").append(bytes_json(data));
}

/// Values of maps are stored as bytes; this shows them as the HTTP API does. Empty for any other command.
std::optional<std::string> map_payload(const services::command_view& command) {
  const auto shown = [](const std::string& map, const std::string& key, std::initializer_list<value> values) {
    auto out = "[" + to_json(value::of(map)) + "," + to_json(value::of(key));
    for (const auto& one : values) out += "," + to_json(one);
    return out + "]";
  };
  if (command.service != map_service::name) return {};
  if (command.tag == map::put::tag) {
    map::put put;
    if (!msgpack_serializer::decode(command.payload, put)) return {};
    return shown(put.map, put.key, {put.value});
  }
  if (command.tag == map::compare_and_swap::tag) {
    map::compare_and_swap swap;
    if (!msgpack_serializer::decode(command.payload, swap)) return {};
    return shown(swap.map, swap.key, {swap.expected.value_or(value{}), swap.value});
  }
  return {};
}

void append_command(std::string& out, std::string_view data) {
  const auto command = services::decode_command(data);
  if (!command) {
    append_problem(out, services::why_no_command(data), data);
    return;
  }
  append_text(out, "service", command->service);
  append_text(out, "tag", command->tag);
  if (const auto backup = services::restored_by(data, std::numeric_limits<raft::index_t>::max())) {
    append_text(out, "backup", to_string(*backup));
    return;
  }
  out.append(",\"bytes\":").append(std::to_string(command->payload.size()));
  if (const auto shown = map_payload(*command)) {
    out.append(",\"payload\":").append(*shown);
    return;
  }
  const auto value = value::from_msgpack(command->payload);
  out.append(",\"payload\":").append(value ? to_json(*value) : bytes_json(command->payload));
}

void append_configuration(std::string& out, std::string_view data) {
  const auto members = raft::decode_configuration(data);
  if (!members) {
    append_problem(out, "the bytes are not a configuration", data);
    return;
  }
  append_members(out, "voters", members->voters);
  append_members(out, "outgoing", members->outgoing);
  append_members(out, "learners", members->learners);
  append_promotions(out, members->promotions);
  append_dismissed(out, members->dismissed);
}

} // namespace

std::string to_json(const raft::entry& shown) {
  std::string out = "{\"index\":" + std::to_string(shown.index) + ",\"term\":" + std::to_string(shown.term);
  switch (shown.kind) {
  case raft::entry_kind::noop:
    out.append(",\"kind\":\"noop\"");
    break;
  case raft::entry_kind::command:
    out.append(",\"kind\":\"command\"");
    append_command(out, shown.data.view());
    break;
  case raft::entry_kind::configuration:
    out.append(",\"kind\":\"configuration\"");
    append_configuration(out, shown.data.view());
    break;
  }
  return out + "}";
}

} // namespace troupe::offline
