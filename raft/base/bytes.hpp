// Immutable bytes with shared ownership.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace troupe::raft {

/// A view of immutable bytes and shared ownership of the block that contains them. A copy is cheap and keeps the whole
/// block alive. As thread-safe as any immutable value.
class bytes {
 public:
  bytes() = default;
  /// Takes ownership of the string as a block.
  explicit bytes(std::string text) : owner_(std::make_shared<const std::string>(std::move(text))), view_(*owner_) {}
  /// A part of a block that others may share. `part` must lie within `*owner`.
  bytes(std::shared_ptr<const std::string> owner, std::string_view part) : owner_(std::move(owner)), view_(part) {}

  std::string_view view() const noexcept { return view_; }
  std::size_t size() const noexcept { return view_.size(); }
  bool empty() const noexcept { return view_.empty(); }

  /// A part of these bytes that shares their block. `within` must lie within `view()`.
  bytes part(std::string_view within) const { return {owner_, within}; }

  friend bool operator==(const bytes& a, const bytes& b) noexcept { return a.view_ == b.view_; }

 private:
  std::shared_ptr<const std::string> owner_;
  std::string_view view_;
};

} // namespace troupe::raft
