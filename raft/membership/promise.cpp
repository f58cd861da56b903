// The on-disk encoding of a promise.
#include "raft/base/codec.hpp"
#include "raft/membership/formation.hpp"

#include <algorithm>

namespace troupe::raft {
namespace {

/// Format 1 had no backup. It can still be read.
constexpr std::uint8_t promise_format = 2;

} // namespace

bool well_formed(const propose_formation& f) {
  if (!f.cluster || f.members.empty() || !f.members.front().id || f.members.front().id != f.proposer) return false;
  const auto not_rising = [](const member& a, const member& b) { return a.id >= b.id; };
  return std::adjacent_find(f.members.begin(), f.members.end(), not_rising) == f.members.end();
}

std::string encode(const propose_formation& promise) {
  std::string text;
  writer out{text};
  out.put(promise_format);
  out.put(promise.cluster.value);
  out.put(promise.proposer.value);
  out.put(static_cast<std::uint32_t>(promise.members.size()));
  for (const auto& m : promise.members) {
    out.put(m.id.value);
    out.put_string(m.address);
  }
  out.put(promise.backup);
  return text;
}

std::optional<propose_formation> decode_promise(std::string_view data) {
  reader in{data};
  const auto format = in.get<std::uint8_t>();
  if (format != 1 && format != promise_format) return std::nullopt;
  propose_formation promise;
  promise.cluster.value = in.get<std::uint64_t>();
  promise.proposer.value = in.get<std::uint64_t>();
  const auto count = in.get<std::uint32_t>();
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    const node_id id{in.get<std::uint64_t>()};
    promise.members.push_back({id, std::string{in.get_string()}});
  }
  if (format == promise_format) promise.backup = in.get<std::uint64_t>();
  if (!in.done() || !well_formed(promise)) return std::nullopt;
  return promise;
}

} // namespace troupe::raft
