#include "runtime/transport/credentials_keeper.hpp"
#include "tests/unit/transport/certificates.hpp"

#include <catch2/catch.hpp>

using namespace troupe::net;
using namespace troupe::net::testing;
using namespace std::chrono_literals;
using Catch::Contains;

namespace {

struct warnings {
  std::function<void(const std::string&)> listener() {
    return [this](const std::string& text) { all.push_back(text); };
  }
  std::vector<std::string> all;
};

/// Replaces the certificate and key at `files` by others.
void replace(const tls_files& old, const tls_files& by) {
  write_private(old.cert, read_all(by.cert));
  write_private(old.key, read_all(by.key));
}

} // namespace

TEST_CASE("without files there is neither TLS nor a secret") {
  credentials_keeper keeper{{}};
  CHECK_FALSE(keeper.current().tls);
  CHECK(keeper.current().secret.empty());
  warnings said;
  keeper.poll(steady_time{1h}, said.listener());
  CHECK(said.all.empty());
}

TEST_CASE("ignores white space at the end of the secret's file") {
  const temporary_folder folder;
  const auto end = GENERATE("", "\n", "\r\n", " \t\n\n");
  write_private(folder / "secret", std::string{"16 bytes  secret"} + end);
  credentials_keeper keeper{{.tls = {}, .secret = folder / "secret"}};
  CHECK(keeper.current().secret == "16 bytes  secret");
}

TEST_CASE("rejects a secret that does not protect, and names its file") {
  const temporary_folder folder;
  const credentials_files files{.tls = {}, .secret = folder / "secret"};
  SECTION("too short") {
    const auto content = GENERATE(std::string{}, std::string{"15 bytes secret"}, std::string(15, 'x') + "\n",
                                  std::string(40, ' '), std::string(15, 'x') + std::string(40, '\n'));
    write_private(files.secret, content);
    CHECK_THROWS_WITH(credentials_keeper{files}, Contains(files.secret.string()) && Contains("shorter than 16 bytes"));
  }
  SECTION("readable by others") {
    write_private(files.secret, std::string(16, 'x'));
    std::filesystem::permissions(files.secret, std::filesystem::perms::others_read, std::filesystem::perm_options::add);
    CHECK_THROWS_WITH(credentials_keeper{files}, Contains(files.secret.string()) && Contains("others can access it"));
  }
  SECTION("missing") {
    CHECK_THROWS_WITH(credentials_keeper{files}, Contains(files.secret.string()) && Contains("No such file"));
  }
}

TEST_CASE("unusable TLS files are an error at the start") {
  const temporary_folder folder;
  const authority ca{folder, "ca"};
  auto options = options_for(ca.issue("mine"));
  options.files.key = folder / "none.pem";
  CHECK_THROWS_WITH(credentials_keeper({.tls = options, .secret = {}}), Contains((folder / "none.pem").string()));
}

TEST_CASE("loads renewed files once, and existing links keep theirs") {
  const temporary_folder folder;
  const authority ca{folder, "ca"};
  const auto files = ca.issue("mine");
  credentials_keeper keeper{{.tls = options_for(files), .secret = {}}};
  const auto first = keeper.current().tls;
  REQUIRE(first);
  warnings said;
  keeper.poll(steady_time{1h}, said.listener());
  CHECK(keeper.current().tls == first);
  CHECK(said.all.empty());

  replace(files, ca.issue("renewed", {.names = {cluster_name, "renewed.test"}}));
  keeper.poll(steady_time{1h + 2s}, said.listener());
  const auto second = keeper.current().tls;
  CHECK(second != first);
  CHECK_THAT(second->description(), Contains("renewed.test"));
  CHECK_THAT(first->description(), !Contains("renewed.test"));
  REQUIRE(said.all.size() == 1);
  CHECK_THAT(said.all[0], Contains("took over") && Contains("renewed.test"));

  keeper.poll(steady_time{1h + 4s}, said.listener());
  keeper.poll(steady_time{3h}, said.listener());
  CHECK(keeper.current().tls == second);
  CHECK(said.all.size() == 1);
}

TEST_CASE("a process that accepts needs a server certificate, at once and after a renewal") {
  const temporary_folder folder;
  const authority ca{folder, "ca"};
  const auto files = ca.issue("mine", {.allowed = usage::client});
  credentials_keeper keeper{{.tls = options_for(files), .secret = {}}};
  CHECK_THROWS_WITH(keeper.begin_to_accept(), Contains(files.cert.string()) && Contains("lacks serverAuth"));

  replace(files, ca.issue("both"));
  keeper.begin_to_accept();
  const auto first = keeper.current().tls;
  replace(files, ca.issue("client again", {.allowed = usage::client}));
  warnings said;
  keeper.poll(steady_time{1h}, said.listener());
  CHECK(keeper.current().tls == first);
  REQUIRE(said.all.size() == 1);
  CHECK_THAT(said.all[0], Contains("the old ones stay in use") && Contains("lacks serverAuth"));
}

TEST_CASE("loads a renewed certificate that is not yet valid once it is") {
  const temporary_folder folder;
  const authority ca{folder, "ca"};
  const auto files = ca.issue("mine");
  credentials_keeper keeper{{.tls = options_for(files), .secret = {}}};
  const auto first = keeper.current().tls;
  replace(files, ca.issue("early", {.begins = 1h, .ends = 2h}));
  warnings said;
  keeper.poll(steady_time{1h}, said.listener());
  CHECK(keeper.current().tls == first);
  REQUIRE(said.all.size() == 1);
  CHECK_THAT(said.all[0], Contains("is not valid before"));
}

TEST_CASE("a change of only the CA is a change") {
  const temporary_folder folder;
  const authority ca{folder, "ca"};
  const authority next{folder, "next"};
  const auto files = ca.issue("mine");
  credentials_keeper keeper{{.tls = options_for(files), .secret = {}}};
  const auto first = keeper.current().tls;
  write_private(files.ca, read_all(files.ca) + read_all(next.certificate()));
  warnings said;
  keeper.poll(steady_time{1h}, said.listener());
  CHECK(keeper.current().tls != first);
}

TEST_CASE(
    "unusable changes leave the old ones in use, with a warning at once and once a minute, until they are mended") {
  const temporary_folder folder;
  const authority ca{folder, "ca"};
  const auto files = ca.issue("mine");
  const auto renewed = ca.issue("renewed");
  const auto trusted = read_all(files.ca);
  credentials_keeper keeper{{.tls = options_for(files), .secret = {}}};
  const auto first = keeper.current().tls;
  warnings said;
  auto now = steady_time{1h};
  const auto look_after = [&](std::chrono::seconds later) {
    now += later;
    keeper.poll(now, said.listener());
    return said.all.size();
  };
  const auto damage = GENERATE(0, 1, 2, 3);
  CAPTURE(damage);
  if (damage == 0) write_private(files.cert, read_all(renewed.cert)); // the new certificate with the old key
  if (damage == 1) std::filesystem::remove(files.key);
  if (damage == 2) write_private(files.ca, "garbage");
  if (damage == 3)
    std::filesystem::permissions(files.key, std::filesystem::perms::others_read, std::filesystem::perm_options::add);
  CHECK(look_after(2s) == 1);
  CHECK_THAT(said.all[0], Contains("unusable, the old ones stay in use") && Contains(".pem"));
  CHECK(look_after(2s) == 1);
  CHECK(look_after(55s) == 1);
  CHECK(look_after(3s) == 2);
  CHECK(look_after(59s) == 2);
  CHECK(look_after(1s) == 3);
  CHECK(keeper.current().tls == first);

  write_private(files.ca, trusted);
  replace(files, renewed);
  CHECK(look_after(2s) == 4);
  CHECK_THAT(said.all[3], Contains("took over"));
  CHECK(keeper.current().tls != first);
  CHECK(look_after(2h) == 4);
}

TEST_CASE("warns of a certificate that expires soon, at once and then daily, until it is renewed") {
  using namespace std::chrono;
  const temporary_folder folder;
  const authority ca{folder, "ca"};
  const auto [begins, ends, warning, warned] = GENERATE(table<seconds, seconds, std::optional<seconds>, bool>(
      {{-1h, 29min, {}, true},     // less than a third of its validity
       {-1h, 31min, {}, false},    //
       {-9000h, 167h, {}, true},   // less than a week of a year
       {-9000h, 169h, {}, false},  //
       {-9000h, 719h, 720h, true}, // the configured time
       {-1h, 20min, 600s, false}}));
  CAPTURE(begins.count(), ends.count());
  const auto files = ca.issue("mine", {.begins = begins, .ends = ends});
  credentials_keeper keeper{{.tls = options_for(files), .secret = {}, .expiry_warning = warning}};
  const auto left = keeper.certificate_end().value() - system_clock::now();
  CHECK(left <= ends);
  CHECK(left > ends - 1min);
  warnings said;
  keeper.poll(steady_time{1h}, said.listener());
  REQUIRE(said.all.size() == (warned ? 1 : 0));
  if (!warned) return;
  CHECK_THAT(said.all[0], Contains("this process's certificate expires in") && Contains(cluster_name));
  keeper.poll(steady_time{24h}, said.listener());
  CHECK(said.all.size() == 1);
  keeper.poll(steady_time{25h}, said.listener());
  CHECK(said.all.size() == 2);
  replace(files, ca.issue("renewed", {.ends = 9000h}));
  keeper.poll(steady_time{26h}, said.listener());
  CHECK(said.all.size() == 3); // reports the renewal
  keeper.poll(steady_time{50h}, said.listener());
  CHECK(said.all.size() == 3);
}

TEST_CASE("reports a second kind of damage at once") {
  const temporary_folder folder;
  const authority ca{folder, "ca"};
  const auto files = ca.issue("mine");
  credentials_keeper keeper{{.tls = options_for(files), .secret = {}}};
  warnings said;
  std::filesystem::remove(files.key);
  keeper.poll(steady_time{1h}, said.listener());
  std::filesystem::remove(files.cert);
  keeper.poll(steady_time{1h + 2s}, said.listener());
  REQUIRE(said.all.size() == 2);
  CHECK_THAT(said.all[1], Contains(files.cert.string()));
}

TEST_CASE("loads renewed files without a listener") {
  const temporary_folder folder;
  const authority ca{folder, "ca"};
  const auto files = ca.issue("mine");
  credentials_keeper keeper{{.tls = options_for(files), .secret = {}}};
  const auto first = keeper.current().tls;
  replace(files, ca.issue("renewed"));
  CHECK_NOTHROW(keeper.poll(steady_time{1h}, {}));
  CHECK(keeper.current().tls != first);
  std::filesystem::remove(files.key);
  CHECK_NOTHROW(keeper.poll(steady_time{1h + 2s}, {}));
}
