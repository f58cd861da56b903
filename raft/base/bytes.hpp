// Immutable bytes that are shared, not copied.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace troupe::raft {

/// A view of immutable bytes together with shared ownership of the block they stand in. Copying is cheap and keeps the
/// whole block alive. Thread-safe as any immutable value is.
class bytes {
 public:
  bytes() = default;
  /// Takes the string over as its own block.
  explicit bytes(std::string text) : owner_(std::make_shared<const std::string>(std::move(text))), view_(*owner_) {}
  /// A part of a block that somebody else may share. `part` must lie within `*owner`.
  bytes(std::shared_ptr<const std::string> owner, std::string_view part) : owner_(std::move(owner)), view_(part) {}

  std::string_view view() const noexcept { return view_; }
  std::size_t size() const noexcept { return view_.size(); }
  bool empty() const noexcept { return view_.empty(); }

  /// A part of these bytes, sharing their block. `piece` must lie within `view()`.
  bytes part(std::string_view piece) const { return {owner_, piece}; }

  friend bool operator==(const bytes& a, const bytes& b) noexcept { return a.view_ == b.view_; }

 private:
  std::shared_ptr<const std::string> owner_;
  std::string_view view_;
};

} // namespace troupe::raft
