// The nodes that cow_map is made of: a B+ tree whose nodes copies of a map share.
#pragma once

#include "services/cow_ptr.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

namespace troupe::services::detail {

/// A leaf has entries; any other node has children, and keys[i] is a lower bound of children[i + 1].
///
/// Nodes split above `most` parts, and neighbours join at `most / 2` in sum: there are more than most / 4 on the
/// average, and a quarter of `most` changes lie between a split and a join. Nodes of a path are changed from the root
/// down, each by `edit` of its parent's pointer: what hangs below a shared node is shared, whatever its own count says.
template <class Key, class T, class Less> struct cow_node {
  static constexpr std::size_t most = 64;
  using entry = std::pair<const Key, T>;

  std::vector<Key> keys;
  std::vector<cow_ptr<cow_node>> children;
  std::vector<cow_ptr<entry>> entries;

  bool is_leaf() const noexcept { return children.empty(); }
  std::size_t parts() const noexcept { return is_leaf() ? entries.size() : children.size(); }

  template <class K> std::size_t child_of(const K& key) const {
    return count(keys, [&key](const Key& bound) { return !Less{}(key, bound); });
  }
  template <class K> std::size_t lower(const K& key) const {
    return count(entries, [&key](const auto& held) { return Less{}(held->first, key); });
  }
  template <class K> std::size_t upper(const K& key) const {
    return count(entries, [&key](const auto& held) { return !Less{}(key, held->first); });
  }
  /// With `at` from `lower`.
  template <class K> bool holds(std::size_t at, const K& key) const {
    return at < entries.size() && !Less{}(key, entries[at]->first);
  }
  const cow_node& first_leaf() const {
    const auto* at = this;
    while (!at->is_leaf()) at = &*at->children.front();
    return *at;
  }
  const cow_node& last_leaf() const {
    const auto* at = this;
    while (!at->is_leaf()) at = &*at->children.back();
    return *at;
  }

  struct placed {
    T* value = nullptr;
    bool is_new = false;
    /// Which of the node's parts is new, if one is.
    std::size_t part = 0;
  };
  /// Finds or adds the entry of `key`, and moves `*value` there if it is given. The node may then have one part too
  /// many: its parent splits it.
  placed place(Key& key, T* value) {
    if (is_leaf()) return place_in_leaf(key, value);
    const auto i = child_of(key);
    auto done = children[i].edit().place(key, value);
    if (children[i]->parts() > most) split(i, done.part);
    done.part = i + 1;
    return done;
  }

  /// Splits a child: in the middle, or before its last part if that is the new one, because keys that ascend leave what
  /// lies behind them alone.
  void split(std::size_t i, std::size_t new_part) {
    auto& left = children[i].edit();
    const auto cut = new_part + 1 == left.parts() ? new_part : left.parts() / 2;
    cow_node right;
    if (left.is_leaf()) {
      right.entries = cut_off(left.entries, cut);
      keys.insert(nth(keys, i), right.entries.front()->first);
    } else {
      right.children = cut_off(left.children, cut);
      right.keys = cut_off(left.keys, cut);
      keys.insert(nth(keys, i), std::move(left.keys.back()));
      left.keys.pop_back();
    }
    children.insert(nth(children, i + 1), cow_ptr<cow_node>::make(std::move(right)));
  }

  /// Removes the entry of `key`, which is there. The node may then be empty: its parent drops it.
  template <class K> void remove(const K& key) {
    if (is_leaf()) {
      entries.erase(nth(entries, lower(key)));
      return;
    }
    const auto i = child_of(key);
    children[i].edit().remove(key);
    const auto fit = [this](std::size_t a, std::size_t b) {
      return b < children.size() && children[a]->parts() + children[b]->parts() <= most / 2;
    };
    if (children[i]->parts() == 0)
      drop(i);
    else if (i > 0 && fit(i - 1, i))
      join(i - 1);
    else if (fit(i, i + 1))
      join(i);
  }

 private:
  placed place_in_leaf(Key& key, T* value) {
    const auto i = lower(key);
    if (!holds(i, key)) {
      auto added = cow_ptr<entry>::make(std::move(key), value ? std::move(*value) : T{});
      auto* const held = &added.edit().second;
      entries.insert(nth(entries, i), std::move(added));
      return {held, true, i};
    }
    auto& held = entries[i];
    if (value && !held.is_mine())
      held = cow_ptr<entry>::make(std::move(key), std::move(*value)); // rather than copy what is to be overwritten
    else if (value)
      held.edit().second = std::move(*value);
    return {&held.edit().second, false, i};
  }

  void drop(std::size_t i) {
    children.erase(nth(children, i));
    if (!keys.empty()) keys.erase(nth(keys, i > 0 ? i - 1 : 0));
  }
  /// Joins a child with the one behind it.
  void join(std::size_t i) {
    auto& left = children[i].edit();
    const auto& right = *children[i + 1];
    if (!left.is_leaf()) left.keys.push_back(keys[i]);
    add_all(left.keys, right.keys);
    add_all(left.children, right.children);
    add_all(left.entries, right.entries);
    drop(i + 1);
  }

  /// How many elements are `before` what is sought; they are the first ones.
  template <class V, class Before> static std::size_t count(const V& all, const Before& before) {
    return static_cast<std::size_t>(std::partition_point(all.begin(), all.end(), before) - all.begin());
  }
  template <class V> static auto nth(V& all, std::size_t at) { return all.begin() + static_cast<std::ptrdiff_t>(at); }
  template <class V> static void add_all(V& to, const V& from) { to.insert(to.end(), from.begin(), from.end()); }
  /// Moves the end of a vector, from `cut` on, into a new one.
  template <class V> static V cut_off(V& all, std::size_t cut) {
    V rest(std::make_move_iterator(nth(all, cut)), std::make_move_iterator(all.end()));
    all.erase(nth(all, cut), all.end());
    return rest;
  }
};

} // namespace troupe::services::detail
