#include "examples/webserver/status_json.hpp"

#include "examples/webserver/json_errors.hpp"

#include <nlohmann/json.hpp>

#include <ctime>
#include <string>
#include <troupe/log.hpp>

namespace troupe::webserver {
namespace {

using json = nlohmann::ordered_json;

json leader_of(const node_status& status) {
  if (!status.role || !status.role->leader) return nullptr;
  return {{"id", to_string(status.role->leader)}, {"address", status.leader_address}};
}

json members_of(const node_status& status) {
  auto members = json::array();
  for (const auto& m : status.members) {
    json one = {{"id", to_string(m.id)},
                {"address", m.address},
                {"voter", m.voter},
                {"joining", m.joining},
                {"reachable", m.reachable}};
    if (m.health) {
      one["health"] = to_string(m.health->state);
      one["silent_ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(m.health->silent_for).count();
      one["direct"] = m.health->direct;
    }
    if (m.losses > 0)
      one["lost_acknowledged"] = {
          {"times", m.losses}, {"acknowledged", m.last_loss.acknowledged}, {"found", m.last_loss.found}};
    members.push_back(std::move(one));
  }
  return members;
}

json json_of(const snapshot_id& id) {
  if (!id) return nullptr;
  return {{"index", id.last.index}, {"term", id.last.term}, {"size", id.size}};
}

json transfers_of(const role_status& role) {
  auto transfers = json::array();
  for (const auto& t : role.transfers)
    transfers.push_back({{"peer", to_string(t.peer)},
                         {"index", t.snapshot.last.index},
                         {"sent", t.arrived},
                         {"total", t.snapshot.size},
                         {"bytes_per_second", t.bytes_per_second},
                         {"phase", t.sending ? "sending" : "catching_up"},
                         {"kept_log_bytes", t.log_bytes}});
  return transfers;
}

std::uint64_t losses_of(const node_status& status) {
  std::uint64_t all = 0;
  for (const auto& m : status.members) all += m.losses;
  return all;
}

json state_of(const node_status& status) {
  json found = {{"bytes", status.state_bytes}, {"quota", nullptr}};
  if (status.max_state_bytes > 0) found["quota"] = status.max_state_bytes;
  return found;
}

json time_of(const std::optional<std::chrono::system_clock::time_point>& when) {
  if (!when) return nullptr;
  const auto seconds = std::chrono::system_clock::to_time_t(*when);
  std::tm parts{};
  char text[32] = {};
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", ::gmtime_r(&seconds, &parts));
  return text;
}

json network_of(const network_status& status) {
  json found = {{"open_connections", status.open_connections},
                {"certificate_not_after", time_of(status.certificate_end)}};
  for (const auto& [kind, count] : status.incidents) found[kind] = count;
  return found;
}

std::string check(bool passed, const std::string& what) { return (passed ? "ok    " : "FAIL  ") + what + "\n"; }

} // namespace

http::response status_response(const node_status& status) {
  const auto role = status.role.value_or(role_status{});
  const json body = {{"id", to_string(status.id)},
                     {"cluster_id", status.cluster ? json(to_string(status.cluster)) : json()},
                     {"address", status.address},
                     {"phase", to_string(status.phase)},
                     {"ready", status.ready},
                     {"not_ready", status.ready ? json() : json(status.not_ready)},
                     {"role", status.role ? json(to_string(role.kind)) : json()},
                     {"term", role.term},
                     {"leader", leader_of(status)},
                     {"last_index", role.last_index},
                     {"commit_index", role.commit},
                     {"applied_index", status.applied},
                     {"log_start", role.log_start},
                     {"snapshot", json_of(status.snapshot)},
                     {"snapshot_error", status.snapshot_error.empty() ? json() : json(status.snapshot_error)},
                     {"state", state_of(status)},
                     {"disk", to_string(status.disk)},
                     {"disk_error", status.disk_error.empty() ? json() : json(status.disk_error)},
                     {"transfers", transfers_of(role)},
                     {"lost_acknowledged", losses_of(status)},
                     {"members", members_of(status)},
                     {"log_lines_dropped", dropped_log_lines()},
                     {"network", network_of(status.network)}};
  return {200, "application/json", body.dump(-1, ' ', false, json::error_handler_t::replace)};
}

http::response members_response(const node_status& status) {
  const auto role = status.role.value_or(role_status{});
  const json body = {{"configuration_index", role.configuration_index},
                     {"changing", role.changing},
                     {"leader", leader_of(status)},
                     {"members", members_of(status)}};
  return {200, "application/json", body.dump(-1, ' ', false, json::error_handler_t::replace)};
}

http::response changed_response(const membership_changed& done) {
  return {200, "application/json", json{{"configuration_index", done.index}}.dump()};
}

http::response moved_response(const leadership_moved& done) {
  return {200, "application/json", json{{"leader", to_string(done.to)}}.dump()};
}

http::response snapshot_response(const snapshot_id& id) { return {200, "application/json", json_of(id).dump()}; }

http::response staged_response(const backup_staged& done) {
  return {200, "application/json", json{{"next", done.next}}.dump()};
}

http::response restored_response(const restore_made& done) {
  return {200, "application/json", json{{"index", done.index}}.dump()};
}

http::response readiness_response(const node_status& status) {
  std::string body = check(status.phase == node_phase::running, std::string("phase: ") + to_string(status.phase));
  body += check(status.disk == disk_state::ok, std::string("disk: ") + to_string(status.disk));
  body += check(status.role && status.role->leader, "a leader is known");
  body += check(status.ready, "in contact with the leader, and caught up with it" +
                                  (status.ready ? std::string{} : ": " + status.not_ready));
  return {status.ready ? 200u : 503u, "text/plain; charset=utf-8", std::move(body)};
}

} // namespace troupe::webserver
