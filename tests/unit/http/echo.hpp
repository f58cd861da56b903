// A server that answers with a description of the request.
#pragma once

#include <string>
#include <troupe/http/server.hpp>
#include <utility>

namespace troupe::http::testing {

/// "METHOD [segment][segment] name=value; body"
inline std::string describe(const request& asked) {
  std::string out = asked.method + " ";
  for (const auto& segment : asked.segments) out += "[" + segment + "]";
  for (const auto& [name, value] : asked.query) out += " " + name + "=" + value;
  return out + "; " + asked.body;
}

inline void echo(request asked, responder answer) { answer.send({200, "text/plain", describe(asked)}); }

} // namespace troupe::http::testing
