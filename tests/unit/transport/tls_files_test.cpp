#include "tests/unit/transport/certificates.hpp"

#include <catch2/catch.hpp>

using namespace troupe::net;
using namespace troupe::net::testing;
using namespace std::chrono_literals;
using Catch::Contains;

namespace {

std::string problem_of(const tls_options& options) {
  try {
    tls_context::load(options);
  } catch (const tls_error& e) {
    return e.what();
  }
  return "none";
}

} // namespace

TEST_CASE("reports what is wrong with a file, and its name") {
  const temporary_folder folder;
  const authority ca{folder, "ca"};
  const auto mine = options_for(ca.issue("mine"));
  auto given = mine;
  SECTION("missing") {
    const auto which = GENERATE(&tls_files::cert, &tls_files::key, &tls_files::ca);
    given.files.*which = folder / "nothing.pem";
    CHECK_THAT(problem_of(given), Contains((folder / "nothing.pem").string() + ": No such file"));
  }
  SECTION("a folder") {
    std::filesystem::create_directory(folder / "folder");
    given.files.cert = folder / "folder";
    CHECK_THAT(problem_of(given), Contains((folder / "folder").string() + ": is not a regular file"));
  }
  SECTION("garbage") {
    const auto which = GENERATE(&tls_files::cert, &tls_files::key, &tls_files::ca);
    const auto content = GENERATE(std::string{}, std::string{"garbage\n"}, std::string(1000, '\0'));
    write_private(folder / "bad.pem", content);
    given.files.*which = folder / "bad.pem";
    CHECK_THAT(problem_of(given), Contains((folder / "bad.pem").string() + ": holds no "));
  }
  SECTION("a damaged certificate after a good one") {
    const auto which = GENERATE(&tls_files::cert, &tls_files::ca);
    auto content = read_all(mine.files.*which);
    content += content.substr(0, content.size() / 2) + "\n-----END CERTIFICATE-----\n";
    write_private(folder / "bad.pem", content);
    given.files.*which = folder / "bad.pem";
    CHECK_THAT(problem_of(given), Contains((folder / "bad.pem").string() + ": holds a damaged certificate"));
  }
  SECTION("too large") {
    write_private(folder / "bad.pem", read_all(mine.files.ca) + std::string(64 * 1024, '\n'));
    given.files.ca = folder / "bad.pem";
    CHECK_THAT(problem_of(given), Contains((folder / "bad.pem").string() + ": is larger than 64 KiB"));
  }
  SECTION("a key that others can access") {
    using std::filesystem::perms;
    const auto open_for = GENERATE(perms::others_read, perms::others_write, perms::group_write);
    std::filesystem::permissions(mine.files.key, open_for, std::filesystem::perm_options::add);
    CHECK_THAT(problem_of(given), Contains(mine.files.key.string() + ": others can access it"));
  }
  SECTION("a key that its group can read is accepted") {
    std::filesystem::permissions(mine.files.key, std::filesystem::perms::group_read,
                                 std::filesystem::perm_options::add);
    CHECK(problem_of(given) == "none");
  }
  SECTION("the key of another certificate") {
    given.files.key = ca.issue("other").key;
    CHECK_THAT(problem_of(given),
               Contains(given.files.key.string() + ": does not belong to the certificate " + mine.files.cert.string()));
  }
  SECTION("a key with a passphrase") {
    write_private(folder / "locked.pem", locked_key("secret"));
    given.files.key = folder / "locked.pem";
    CHECK_THAT(problem_of(given), Contains(given.files.key.string() + ": holds no private key"));
    CHECK_THAT(problem_of(given), Contains("without a passphrase"));
  }
  SECTION("expired") {
    given.files = ca.issue("expired", {.begins = -2h, .ends = -1h});
    CHECK_THAT(problem_of(given), Contains(given.files.cert.string() + ": expired at "));
  }
  SECTION("not valid yet") {
    given.files = ca.issue("early", {.begins = 1h, .ends = 2h});
    CHECK_THAT(problem_of(given), Contains(given.files.cert.string() + ": is not valid before ") && Contains("GMT"));
  }
  SECTION("for servers only, at a process that dials") {
    given.files = ca.issue("server", {.allowed = usage::server});
    CHECK_THAT(problem_of(given),
               Contains(given.files.cert.string()) && Contains("extended key usage lacks clientAuth"));
  }
  SECTION("for clients only") {
    given.files = ca.issue("client", {.allowed = usage::client});
    CHECK(problem_of(given) == "none"); // a client does not accept
    given.accepts = true;
    CHECK_THAT(problem_of(given),
               Contains(given.files.cert.string()) && Contains("extended key usage lacks serverAuth"));
  }
  SECTION("without a key usage extension") {
    given.files = ca.issue("unsaid", {.allowed = usage::unsaid});
    given.accepts = true;
    CHECK(problem_of(given) == "none");
  }
  SECTION("not for signatures") {
    given.files = ca.issue("encrypting", {.key_usage = "keyEncipherment"});
    CHECK_THAT(problem_of(given), Contains(given.files.cert.string()) && Contains("key usage lacks digitalSignature"));
  }
  SECTION("no name to identify peers") {
    given.cluster_name.clear();
    CHECK_THAT(problem_of(given), Contains("needs a cluster name"));
  }
}

TEST_CASE("a context describes its certificate, not its key") {
  const temporary_folder folder;
  const authority ca{folder, "ca"};
  const auto context = tls_context::load(options_for(ca.issue("mine", {.names = {"cluster.test", "n1.test"}})));
  CHECK_THAT(context->description(), Contains("cluster.test n1.test, valid until ") && Contains("GMT"));
}

TEST_CASE("a fingerprint changes with every change of the files") {
  const temporary_folder folder;
  const authority ca{folder, "ca"};
  const auto files = ca.issue("mine");
  const auto first = fingerprint(files);
  CHECK(fingerprint(files) == first);
  const auto which = GENERATE(&tls_files::cert, &tls_files::key, &tls_files::ca);
  const auto content = read_all(files.*which);
  write_private(files.*which, content); // replaced by the same content
  CHECK(fingerprint(files) != first);
  std::filesystem::remove(files.*which);
  const auto without = fingerprint(files);
  CHECK(without != first);
  CHECK(fingerprint(files) == without);
}

TEST_CASE("reads private files completely, and only private ones") {
  const temporary_folder folder;
  const auto file = folder / "secret";
  write_private(file, "content\n");
  CHECK(read_private_file("the secret", file) == "content\n");
  std::filesystem::permissions(file, std::filesystem::perms::others_read, std::filesystem::perm_options::add);
  CHECK_THROWS_WITH(read_private_file("the secret", file), Contains(file.string()) && Contains("others can access it"));
  CHECK_THROWS_WITH(read_private_file("the secret", folder / "none"), Contains("No such file"));
}
