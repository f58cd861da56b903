#include "tests/fuzz/caf_reader.hpp"

#include "actors/protocol/messages.hpp"
#include "runtime/transport/caf_wire.hpp"

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/io/basp/header.hpp>
#include <caf/message.hpp>
#include <troupe/config.hpp>

namespace troupe::net::testing {
namespace {

namespace basp = caf::io::basp;

caf::actor_system& a_system() {
  // Never destroyed: CAF's own globals are destroyed before this program's.
  static auto& system = *new caf::actor_system{*new config};
  return system;
}

using stage_list = std::vector<caf::strong_actor_ptr>;

std::string written(const stage_list& stages, const caf::message& content) {
  std::vector<char> bytes;
  caf::binary_serializer to{a_system(), bytes};
  if (auto failed = to(stages, content)) return "CAF cannot write it: " + caf::to_string(failed);
  return {bytes.begin(), bytes.end()};
}

template <class... Ts> std::string read(caf::binary_deserializer& from, Ts&... parts) {
  if (auto failed = from(parts...)) return "CAF cannot read it: " + caf::to_string(failed);
  return from.remaining() == 0 ? "" : "CAF does not read all bytes";
}

std::string read_message(caf::binary_deserializer& from, std::string_view payload) {
  stage_list stages;
  caf::message content;
  if (auto failed = from(stages)) return "CAF cannot read the stages: " + caf::to_string(failed);
  if (!stages.empty()) return "there are stages";
  // Load the message by itself: in a longer list CAF ignores the outcome and uses an empty message.
  if (auto failed = content.load(from)) return "CAF cannot read it: " + caf::to_string(failed);
  if (from.remaining() != 0) return "CAF does not read all bytes";
  if (content.empty()) return {};
  if (content.size() != 1) return "there are several elements";
  // A non-error is always written in the same form, whatever its bytes were.
  if (content.match_element<caf::error>(0) && !content.get_as<caf::error>(0)) return {};
  return written(stages, content) == payload ? "" : "CAF writes it differently";
}

} // namespace

std::string caf_problem(std::string_view frame) {
  caf::binary_deserializer from{a_system(), frame.data(), frame.size()};
  basp::header head;
  if (auto failed = from(head)) return "CAF cannot read the header: " + caf::to_string(failed);
  if (!basp::valid(head)) return "CAF considers the header invalid";
  if (head.payload_len != from.remaining()) return "the header has a different size";
  if (head.operation != basp::message_type::heartbeat && head.payload_len == 0) return "CAF crashes without a payload";
  caf::node_id source;
  caf::node_id target;
  switch (head.operation) {
  case basp::message_type::server_handshake: {
    std::vector<std::string> applications;
    caf::actor_id published = 0;
    std::set<std::string> signatures;
    return read(from, source, applications, published, signatures);
  }
  case basp::message_type::client_handshake:
    return read(from, source);
  case basp::message_type::direct_message:
    return read_message(from, frame.substr(basp::header_size));
  case basp::message_type::monitor_message:
    return read(from, source, target);
  case basp::message_type::down_message: {
    caf::error why;
    return read(from, source, target, why);
  }
  case basp::message_type::heartbeat:
    return {};
  case basp::message_type::routed_message:
    break;
  }
  return "no node sends this";
}

message_types wire_types() { return caf_message_types(); }

std::vector<std::string> sent_payloads() {
  raft::append_request entries;
  entries.head = {{7}, {1}, {2}, 3};
  for (raft::index_t index = 1; index <= 3; ++index)
    entries.entries.push_back({index, 3, raft::entry_kind::command, raft::bytes{std::string(index * 10, 'x')}});
  command_batch commands;
  commands.commands.push_back({1, access::linearizable_read, 1000, raft::bytes{std::string{"payload"}}});
  commands.changes.push_back({2, 1000, raft::change_members{0, {{{{1}, "127.0.0.1:5000"}, true, {2}}}, {{3}}, 7}});
  commands.changes.push_back({3, 0, raft::transfer_leadership{0, {5}}});
  outcome_batch outcomes;
  outcomes.leader_address = "127.0.0.1:5000";
  outcomes.outcomes.push_back({1, errc::refused, 5, "because"});
  client_welcome welcome;
  welcome.members.push_back({{1}, "127.0.0.1:5000"});
  std::vector<std::string> all;
  const auto add = [&](auto message) { all.push_back(written({}, caf::make_message(std::move(message)))); };
  add(entries);
  add(raft::append_request{});
  add(raft::append_response{});
  add(raft::vote_request{});
  add(raft::vote_response{});
  add(hello{});
  add(client_hello{});
  add(welcome);
  add(propose_formation{});
  add(formation_answer{});
  add(abort_formation{});
  add(commands);
  add(outcomes);
  add(read_index_request{});
  add(read_index_answer{});
  add(stage_chunk{});
  add(chunk_staged{});
  add(caf::make_error(caf::sec::runtime_error, std::string{"why"}, std::string{"where"}));
  all.push_back(written({}, caf::message{}));
  return all;
}

} // namespace troupe::net::testing
