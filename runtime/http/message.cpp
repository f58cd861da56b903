#include "runtime/http/message.hpp"

#include "runtime/http/mailbox.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace troupe::http {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

} // namespace

std::optional<std::string_view> request::parameter(std::string_view name) const {
  for (const auto& [key, value] : query)
    if (key == name) return value;
  return std::nullopt;
}

std::optional<std::string_view> request::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (same_name(key, name)) return value;
  return std::nullopt;
}

response error_response(unsigned status, std::string_view code, std::string_view message, std::string_view outcome,
                        bool retryable) {
  const nlohmann::ordered_json body = {
      {"error", code}, {"outcome", outcome}, {"retryable", retryable}, {"leader", nullptr}, {"message", message}};
  return {status, "application/json", body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace)};
}

responder::responder(std::shared_ptr<mailbox> answers, std::uint64_t connection)
    : promise_(std::make_shared<promise>(std::move(answers), connection, []() -> answer_content {
        return error_response(500, "no_answer", "the request was dropped", "unknown");
      })) {}

void responder::send(response answer) const { promise_->keep(std::move(answer)); }

piece_receiver::piece_receiver(std::shared_ptr<mailbox> answers, std::uint64_t connection)
    : promise_(std::make_shared<promise>(std::move(answers), connection, []() -> answer_content { return piece{}; })) {}

void piece_receiver::send(std::string bytes) const { promise_->keep(piece{std::move(bytes)}); }

void piece_receiver::fail() const { promise_->keep(piece{}); }

} // namespace troupe::http
