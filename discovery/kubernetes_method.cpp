#include "discovery/kubernetes_method.hpp"

#include "raft/base/line_reader.hpp"

#include <utility>

namespace troupe {
namespace {

/// Maximum size of one page. Pods commonly have a few tens of kilobytes.
constexpr std::size_t max_page = std::size_t{8} << 20;
constexpr auto page_limit = "&limit=50";
constexpr int max_pages = 100;
/// Maximum size of one event. An object of the API has at most 1.5 MiB.
constexpr std::size_t max_event = std::size_t{2} << 20;

constexpr unsigned ok = 200;
constexpr unsigned too_many_requests = 429;

std::string refusal(const http::result& reply) {
  const auto reason = kubernetes_reason(reply.body);
  return "the API answers " + std::to_string(reply.status) + (reason.empty() ? "" : ": " + reason);
}

std::chrono::milliseconds in_milliseconds(raft::duration time) {
  return std::chrono::ceil<std::chrono::milliseconds>(time);
}

/// Applies the events of one watch to the view.
struct event_sink {
  kubernetes_view& view;
  raft::backoff& pauses;
  method_listener& listener;
  line_reader lines{max_event};
  bool expired = false;
  /// Why an event was not understood; empty if all were.
  std::string problem = {};

  bool take(std::string_view data) {
    try {
      lines.add(data);
      bool changed = false;
      while (const auto line = lines.next()) {
        const auto result = view.apply(*line);
        if (result == kubernetes_view::told::expired) return !(expired = true);
        changed = changed || result == kubernetes_view::told::change;
        pauses.succeeded();
      }
      if (changed) listener.found(view.addresses());
      return true;
    } catch (const std::runtime_error& why) {
      problem = why.what();
      return false;
    }
  }
};

} // namespace

kubernetes_method::kubernetes_method(kubernetes_query query, kubernetes_access access, std::uint64_t seed,
                                     kubernetes_timing timing)
    : query_(std::move(query)), access_(std::move(access)), timing_(timing),
      view_(query_.service.empty() ? kubernetes_kind::pods : kubernetes_kind::endpoint_slices, query_.port),
      backoff_(timing.first_pause, timing.longest_pause, seed) {}

void kubernetes_method::run(const std::stop_token& stop, method_listener& listener) {
  http::client client{access_.server,
                      {.timeout = in_milliseconds(timing_.request),
                       .connect_timeout = in_milliseconds(timing_.request),
                       .max_answer = max_page,
                       .authority = access_.secrets / "ca.crt"}};
  while (!stop.stop_requested()) {
    try {
      list(client, stop);
      if (stop.stop_requested()) return;
      listener.found(view_.addresses());
      listener.problem({});
      follow(client, stop, listener);
    } catch (const bad_kubernetes_answer& why) {
      if (stop.stop_requested()) return;
      listener.problem(why.what());
      if (!pause_for(stop, backoff_.failed())) return;
    }
  }
}

/// Reads token and namespace again for every request.
kubernetes_method::api_request kubernetes_method::request_for(const std::string& more) const {
  auto name_space = query_.name_space;
  if (name_space.empty()) name_space = read_secret(access_.secrets / "namespace");
  return {kubernetes_path(query_, name_space) + more, read_secret(access_.secrets / "token")};
}

/// Throws bad_kubernetes_answer, also when a stop is requested.
void kubernetes_method::list(http::client& client, const std::stop_token& stop) {
  view_.begin_list();
  std::string next;
  for (int pages = 0; pages < max_pages; ++pages) {
    const auto request = request_for(page_limit + (next.empty() ? std::string{} : "&continue=" + url_encoded(next)));
    try {
      const auto reply = client.request("GET", request.target, {}, {.token = request.token, .stop = stop});
      if (reply.status != ok) throw bad_kubernetes_answer(refusal(reply));
      next = view_.add_page(reply.body);
    } catch (const http::client_error& error) {
      throw bad_kubernetes_answer(error.what());
    }
    if (next.empty()) return;
  }
  throw bad_kubernetes_answer("the list has too many pages");
}

/// Watches until a new list is needed. Throws bad_kubernetes_answer.
void kubernetes_method::follow(http::client& client, const std::stop_token& stop, method_listener& listener) {
  while (!stop.stop_requested()) {
    const auto end = watch(client, stop, listener);
    if (stop.stop_requested()) return;
    switch (end) {
    case watch_end::timely:
      continue;
    case watch_end::broken:
      if (!pause_for(stop, backoff_.failed())) return;
      continue;
    case watch_end::expired:
      pause_for(stop, backoff_.failed());
      return;
    case watch_end::refused:
      pause_for(stop, backoff_.around(timing_.poll));
      return;
    }
  }
}

kubernetes_method::watch_end kubernetes_method::watch(http::client& client, const std::stop_token& stop,
                                                      method_listener& listener) {
  using std::chrono::seconds;
  const auto time = std::chrono::ceil<seconds>(backoff_.around(timing_.watch));
  const auto request =
      request_for("&watch=true&allowWatchBookmarks=true&resourceVersion=" + url_encoded(view_.version()) +
                  "&timeoutSeconds=" + std::to_string(time.count()));
  event_sink events{view_, backoff_, listener};
  http::request_options options{
      .token = request.token, .timeout = in_milliseconds(time + timing_.request), .stop = stop};
  options.receive = [&](std::string_view data) { return events.take(data); };
  options.on_status = [&](unsigned status) {
    if (status == ok) listener.problem({});
  };
  http::result reply;
  std::string problem;
  try {
    reply = client.request("GET", request.target, {}, options);
  } catch (const http::client_error& error) {
    problem = error.what();
  }
  if (stop.stop_requested()) return watch_end::broken;
  if (events.expired || reply.status == status_gone) return watch_end::expired;
  // After an event that was not understood the view may stay wrong: only a new list corrects it.
  if (!events.problem.empty()) throw bad_kubernetes_answer(events.problem);
  if (!problem.empty()) {
    listener.problem(problem);
    return watch_end::broken;
  }
  if (reply.status != ok) {
    listener.problem("watching is not possible: " + refusal(reply));
    const bool temporary = reply.status == too_many_requests || reply.status >= 500;
    return temporary ? watch_end::broken : watch_end::refused;
  }
  // If a server ends every watch at once, pause before the next one.
  return reply.took >= time / 2 ? watch_end::timely : watch_end::broken;
}

} // namespace troupe
