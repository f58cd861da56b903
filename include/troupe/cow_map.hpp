// An ordered map that is copied in constant time: copies share what neither of them has changed since.
#pragma once

#include <cstddef>
#include <functional>
#include <iterator>
#include <troupe/detail/cow_node.hpp>
#include <utility>

namespace troupe {

/// Holds the state of a service when it is large, so that the copy that a snapshot needs is cheap.
///
/// Copying takes constant time. While a copy is alive, the first change in a neighborhood of up to 64 entries copies
/// the pointers to them and the nodes above; an entry is copied only when it changes itself. Every other operation
/// takes logarithmic time, and memory is proportional to the number of entries. Keys and values are copyable.
///
/// Copies may be read, changed and destroyed on different threads; one map is used by one thread at a time. Iterators,
/// pointers and references into a map are valid until this map is next changed, assigned to or destroyed. Do not write
/// through the reference that operator[] returned after the map was copied. If memory runs out during a change, the map
/// can only be destroyed; its copies are unharmed.
///
/// The map is a B+ tree of shared nodes rather than a vector of shared chunks, so that neither a copy nor the split of
/// a chunk costs more in a larger map.
template <class Key, class T, class Less = std::less<>> class cow_map {
  using node = detail::cow_node<Key, T, Less>;

 public:
  using value_type = typename node::entry;
  class const_iterator;

  cow_map() noexcept = default;
  cow_map(const cow_map&) noexcept = default;
  cow_map(cow_map&& other) noexcept : root_(std::move(other.root_)), size_(std::exchange(other.size_, 0)) {}
  cow_map& operator=(cow_map other) noexcept {
    root_ = std::move(other.root_);
    size_ = other.size_;
    return *this;
  }
  ~cow_map() = default;

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }

  /// Returns the value at `key`, which is anything that `Less` compares with a Key; nullptr if there is none.
  template <class K> const T* find(const K& key) const {
    if (empty()) return nullptr;
    const auto* leaf = &*root_;
    while (!leaf->is_leaf()) leaf = &*leaf->children[leaf->child_of(key)];
    const auto at = leaf->lower(key);
    return leaf->holds(at, key) ? &leaf->entries[at]->second : nullptr;
  }

  const_iterator begin() const { return empty() ? end() : const_iterator(*this, root_->first_leaf(), 0); }
  const_iterator end() const { return {}; }
  /// The first entry whose key is not less than `key`.
  template <class K> const_iterator lower_bound(const K& key) const {
    return seek(key, [&key](const node& leaf) { return leaf.lower(key); });
  }
  /// The first entry whose key is greater than `key`.
  template <class K> const_iterator upper_bound(const K& key) const {
    return seek(key, [&key](const node& leaf) { return leaf.upper(key); });
  }

  /// Returns true if the key is new. Otherwise calls `replaced` with the old value before it is replaced.
  template <class Replaced> bool insert_or_assign(Key&& key, T&& value, const Replaced& replaced) {
    const auto before = size_;
    place(key, &value, replaced);
    return size_ != before;
  }
  bool insert_or_assign(Key&& key, T&& value) { return insert_or_assign(std::move(key), std::move(value), ignored); }
  bool insert_or_assign(const Key& key, T value) { return insert_or_assign(Key(key), std::move(value)); }
  /// Returns the value at `key` for changing; adds a T{} if there was none.
  T& operator[](Key&& key) { return place(key, nullptr); }
  T& operator[](const Key& key) { return (*this)[Key(key)]; }
  /// Adds an entry after all others. Returns false, and changes nothing, if its key is not greater than theirs. Builds
  /// a map whose nodes are full.
  bool append(Key key, T value) {
    if (!empty() && !Less{}(root_->last_leaf().entries.back()->first, key)) return false;
    place(key, &value);
    return true;
  }
  /// Returns true if there was an entry.
  template <class K> bool erase(const K& key) {
    if (!find(key)) return false; // do not copy nodes for nothing
    root_.edit().remove(key);
    --size_;
    if (empty()) root_ = {};
    while (root_ && root_->children.size() == 1) root_ = detail::cow_ptr<node>(root_->children.front());
    return true;
  }

 private:
  template <class K, class Choose> const_iterator seek(const K& key, const Choose& choose) const {
    if (empty()) return end();
    const node* at = &*root_;
    const node* next = nullptr; // the nearest subtree to the right
    while (!at->is_leaf()) {
      const auto i = at->child_of(key);
      if (i + 1 < at->children.size()) next = &*at->children[i + 1];
      at = &*at->children[i];
    }
    const auto i = choose(*at);
    if (i < at->entries.size()) return {*this, *at, i};
    return next ? const_iterator(*this, next->first_leaf(), 0) : end();
  }

  static constexpr auto ignored = [](const T&) {};

  /// Finds or adds the entry of `key`, and moves `*value` into it if given; `found` gets the old value.
  template <class Found = decltype(ignored)> T& place(Key& key, T* value, const Found& found = ignored) {
    struct {
      node* above;
      std::size_t child;
    } path[node::max_height];
    std::size_t height = 0;
    if (!root_) root_ = detail::cow_ptr<node>::make();
    auto* at = &root_.edit();
    while (!at->is_leaf()) {
      const auto i = at->child_of(key);
      path[height++] = {at, i};
      at = &at->children[i].edit();
    }
    const auto i = at->lower(key);
    if (at->holds(i, key)) {
      found(std::as_const(at->entries[i]->second));
      return overwrite(at->entries[i], value);
    }
    auto added = detail::cow_ptr<value_type>::make(std::move(key), value ? std::move(*value) : T{});
    auto& placed = added.edit().second;
    at->entries.insert(at->entries.begin() + static_cast<std::ptrdiff_t>(i), std::move(added));
    ++size_;
    for (auto part = i; at->parts() > node::most;) {
      if (height == 0) {
        auto below = std::exchange(root_, detail::cow_ptr<node>::make());
        root_.edit().children.push_back(std::move(below));
        path[height++] = {&root_.edit(), 0};
      }
      const auto [above, child] = path[--height];
      above->split(child, part);
      at = above;
      part = child + 1;
    }
    return placed;
  }
  static T& overwrite(detail::cow_ptr<value_type>& held, T* value) {
    if (value && !held.is_mine()) { // do not copy what is overwritten
      held = detail::cow_ptr<value_type>::make(held->first, std::move(*value));
      return held.edit().second;
    }
    auto& there = held.edit().second;
    if (value) there = std::move(*value);
    return there;
  }

  detail::cow_ptr<node> root_; // none if the map is empty
  std::size_t size_ = 0;
};

/// Walks a map in the order of its keys.
template <class Key, class T, class Less> class cow_map<Key, T, Less>::const_iterator {
 public:
  using iterator_category = std::forward_iterator_tag;
  using value_type = cow_map::value_type;
  using difference_type = std::ptrdiff_t;
  using pointer = const value_type*;
  using reference = const value_type&;

  const_iterator() = default;
  reference operator*() const { return *leaf_->entries[at_]; }
  pointer operator->() const { return &**this; }
  const_iterator& operator++() {
    // Nodes do not know their neighbors (copies could not share them), so the way to the next leaf starts at the root.
    if (at_ + 1 < leaf_->entries.size())
      ++at_;
    else
      *this = map_->upper_bound((*this)->first);
    return *this;
  }
  const_iterator operator++(int) {
    auto before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const const_iterator& a, const const_iterator& b) {
    return a.leaf_ == b.leaf_ && a.at_ == b.at_;
  }

 private:
  friend class cow_map;
  const_iterator(const cow_map& map, const node& leaf, std::size_t at) : map_(&map), leaf_(&leaf), at_(at) {}

  const cow_map* map_ = nullptr;
  const node* leaf_ = nullptr;
  std::size_t at_ = 0;
};

} // namespace troupe
