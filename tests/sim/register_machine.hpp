// The replicated service of the simulation: numbered registers, and the commands on them.
#pragma once

#include "raft/base/bytes.hpp"
#include "raft/base/codec.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace troupe::sim {

/// `restore` concerns the machine itself: it needs a backup that not every node has (world::backups). It does not
/// affect the registers that clients use; the value it leaves behind shows whether a node has applied it.
enum class action : std::uint8_t { read, put, append, cas, restore };

/// The register in which a restore leaves its value.
inline constexpr std::uint32_t restored_register = UINT32_MAX;

struct command {
  action what = action::read;
  std::uint32_t key = 0;
  std::uint64_t value = 0;
  std::uint64_t expected = 0; ///< cas only

  raft::bytes encode() const {
    std::string text;
    raft::writer out{text};
    out.put(static_cast<std::uint8_t>(what));
    out.put(key);
    out.put(value);
    out.put(expected);
    return raft::bytes{std::move(text)};
  }
  static command decode(const raft::bytes& data) {
    raft::reader in{data.view()};
    command c;
    c.what = static_cast<action>(in.get<std::uint8_t>());
    c.key = in.get<std::uint32_t>();
    c.value = in.get<std::uint64_t>();
    c.expected = in.get<std::uint64_t>();
    return c;
  }
};

/// The answer to a command: the register's value before a read or cas, after a put or append.
struct answer {
  std::uint64_t value = 0;
  friend bool operator==(const answer&, const answer&) = default;
};

/// The sequential semantics of one register; 0 is its initial value. The value after an append depends on all previous
/// ones, so that a lost or reordered append is detected.
inline answer execute(const command& c, std::uint64_t& cell) {
  const auto before = cell;
  switch (c.what) {
  case action::read:
    return {before};
  case action::put:
    cell = c.value;
    return {cell};
  case action::append:
    cell = (before ^ c.value) * 0x9e3779b97f4a7c15u + 1;
    return {cell};
  case action::cas:
    if (before == c.expected) cell = c.value;
    return {before};
  case action::restore:
    cell = c.value;
    return {cell};
  }
  return {};
}

class register_machine {
 public:
  answer apply(const command& c) { return execute(c, cells_[c.key]); }
  std::uint64_t read(std::uint32_t key) const {
    const auto cell = cells_.find(key);
    return cell == cells_.end() ? 0 : cell->second;
  }
  std::string save() const {
    std::string text;
    raft::writer out{text};
    for (const auto& [key, cell] : cells_) {
      out.put(key);
      out.put(cell);
    }
    return text;
  }
  static register_machine load(std::string_view text) {
    register_machine made;
    for (raft::reader in{text}; in.left() > 0;) {
      const auto key = in.get<std::uint32_t>();
      made.cells_[key] = in.get<std::uint64_t>();
    }
    return made;
  }
  friend bool operator==(const register_machine&, const register_machine&) = default;

 private:
  std::map<std::uint32_t, std::uint64_t> cells_;
};

} // namespace troupe::sim
