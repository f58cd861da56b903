// The nodes of cow_map: a B+ tree whose nodes are shared by the copies of a map.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <troupe/detail/cow_ptr.hpp>
#include <type_traits>
#include <utility>
#include <vector>

namespace troupe::detail {

/// A leaf has entries; any other node has children, and keys[i] is a lower bound of children[i + 1].
///
/// A node splits above `most` parts, and two neighbors join when they have `most / 2` together: the average is above
/// most / 4, and at least most / 2 changes lie between a split and a join. The nodes of a path are changed from the
/// root down, each by `edit` of its parent's pointer: what is below a shared node is shared, whatever its own count
/// says.
template <class Key, class T, class Less> struct cow_node {
  static constexpr std::size_t most = 64;
  /// Levels above the leaves. Each has about a sixteenth of the nodes below it: memory runs out long before.
  static constexpr std::size_t max_height = 20;
  using entry = std::pair<const Key, T>;

  std::vector<Key> keys;
  std::vector<cow_ptr<cow_node>> children;
  std::vector<cow_ptr<entry>> entries;

  bool is_leaf() const noexcept { return children.empty(); }
  std::size_t parts() const noexcept { return is_leaf() ? entries.size() : children.size(); }

  template <class K> std::size_t child_of(const K& key) const {
    return count(keys, [&key](const Key& bound) { return !before(key, bound); });
  }
  template <class K> std::size_t lower(const K& key) const {
    return count(entries, [&key](const auto& held) { return before(held->first, key); });
  }
  template <class K> std::size_t upper(const K& key) const {
    return count(entries, [&key](const auto& held) { return !before(key, held->first); });
  }
  /// With `at` from `lower`.
  template <class K> bool holds(std::size_t at, const K& key) const {
    return at < entries.size() && !before(key, entries[at]->first);
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

  /// Splits a child: in the middle, or before its last part if that is the new one, because ascending keys never change
  /// what is before them again.
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

  /// Removes the entry of `key`, which exists. The node may then be empty; its parent drops it.
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
  void drop(std::size_t i) {
    children.erase(nth(children, i));
    if (!keys.empty()) keys.erase(nth(keys, i > 0 ? i - 1 : 0));
  }
  /// Joins a child with the next one.
  void join(std::size_t i) {
    auto& left = children[i].edit();
    const auto& right = *children[i + 1];
    if (!left.is_leaf()) left.keys.push_back(keys[i]);
    add_all(left.keys, right.keys);
    add_all(left.children, right.children);
    add_all(left.entries, right.entries);
    drop(i + 1);
  }

  template <class A, class B> static bool before(const A& a, const B& b) {
    if constexpr (std::is_same_v<Less, std::less<>> && is_text<A> && is_text<B>) {
      // The order of std::less<>, in half the time: the standard library goes through an ordering and is not inlined.
      const auto order = std::char_traits<char>::compare(a.data(), b.data(), std::min(a.size(), b.size()));
      return order != 0 ? order < 0 : a.size() < b.size();
    } else {
      return Less{}(a, b);
    }
  }
  template <class A>
  static constexpr bool is_text = std::is_same_v<A, std::string> || std::is_same_v<A, std::string_view>;

  /// Returns how many elements are `before` the key; they are the first ones.
  template <class V, class Before> static std::size_t count(const V& all, const Before& is_before) {
    const auto* at = all.data();
    for (auto left = all.size(); left > 0;) {
      const auto half = left / 2;
      if (is_before(at[half])) {
        at += half + 1;
        left -= half + 1;
      } else {
        left = half;
      }
    }
    return static_cast<std::size_t>(at - all.data());
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

} // namespace troupe::detail
