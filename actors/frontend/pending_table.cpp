#include "actors/frontend/pending_table.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

std::size_t size_of(const cluster_change& change) {
  std::size_t size = sizeof(cluster_change);
  if (const auto* members = std::get_if<raft::change_members>(&change)) {
    size += members->remove.size() * sizeof(node_id);
    for (const auto& one : members->add) size += sizeof one + one.who.address.size();
  }
  return size;
}

std::size_t pending_command::bytes() const { return change ? size_of(*change) : payload.size(); }

bool pending_table::has_room_for(std::size_t bytes) const noexcept {
  return commands_.size() < max_commands_ && bytes <= max_bytes_ - bytes_;
}

raft::tag_t pending_table::add(pending_command command) {
  const auto tag = draw_tag();
  bytes_ += command.bytes();
  earliest_deadline_ = std::min(earliest_deadline_, command.deadline);
  commands_.emplace(tag, std::move(command));
  return tag;
}

pending_command* pending_table::find(raft::tag_t tag) {
  const auto found = commands_.find(tag);
  return found == commands_.end() ? nullptr : &found->second;
}

bool pending_table::check_quota(pending_command& command) {
  if (command.bytes() > max_bytes_ - bytes_) return false;
  command.state = command_state::checking_quota{};
  bytes_ += command.bytes();
  return true;
}

void pending_table::propose(pending_command& command) {
  leave(command);
  command.state = command_state::proposed{};
  proposed_bytes_ += command.bytes();
}

/// Ends the command's present state: its bytes no longer count for it.
void pending_table::leave(const pending_command& command) {
  if (command.in<command_state::proposed>() || command.in<command_state::accepted>())
    proposed_bytes_ -= command.bytes();
  if (command.in<command_state::checking_quota>()) bytes_ -= command.bytes();
}

raft::tag_t pending_table::retry(raft::tag_t tag) {
  auto node = commands_.extract(tag);
  leave(node.mapped());
  node.key() = draw_tag();
  node.mapped().state = command_state::waiting{};
  return commands_.insert(std::move(node)).position->first;
}

std::optional<pending_command> pending_table::take(raft::tag_t tag) {
  auto node = commands_.extract(tag);
  if (!node) return std::nullopt;
  leave(node.mapped());
  bytes_ -= node.mapped().bytes();
  return std::move(node.mapped());
}

std::vector<raft::tag_t> pending_table::overdue(raft::time_point now) {
  std::vector<raft::tag_t> tags;
  if (earliest_deadline_ > now) return tags;
  earliest_deadline_ = raft::time_point::max();
  for (const auto& [tag, command] : commands_) {
    if (command.deadline <= now)
      tags.push_back(tag);
    else
      earliest_deadline_ = std::min(earliest_deadline_, command.deadline);
  }
  sort(tags);
  return tags;
}

void pending_table::sort(std::vector<raft::tag_t>& tags) { std::sort(tags.begin(), tags.end()); }

void accepted_order::add(item added) {
  auto position = items_.end();
  while (position != items_.begin() && std::prev(position)->index > added.index) --position;
  items_.insert(position, added);
}

std::optional<accepted_order::item> accepted_order::next(index_t up_to) {
  if (items_.empty() || items_.front().index > up_to) return std::nullopt;
  const auto first = items_.front();
  items_.pop_front();
  return first;
}

} // namespace troupe
