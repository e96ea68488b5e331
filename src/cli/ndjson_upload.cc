#include "cli/ndjson_upload.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "base/random.h"
#include "cli/api_client.h"

namespace kilat::cli {
namespace {

constexpr size_t kRequestBytes = 256 * 1024;
constexpr size_t kLineBytesMax = 16 * 1024 * 1024;
constexpr int kTries = 12;  // about a minute

/// Whole lines of a descriptor.
class Lines {
 public:
  explicit Lines(int fd) : fd_(fd) {}
  ~Lines() {
    if (fd_ > STDIN_FILENO) ::close(fd_);
  }
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;

  /// The next lines; "" at the end of the input. Waits for the first, not for more.
  Outcome<std::string> next() {
    while (!ended_ && rest_.size() < kRequestBytes && (rest_.find('\n') == std::string::npos || readable())) {
      if (rest_.size() > kLineBytesMax) return std::unexpected(failure("a line is longer than 16 MiB"));
      char part[64 * 1024];
      const ssize_t got = ::read(fd_, part, sizeof part);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return std::unexpected(failure(std::strerror(errno)));
      if (got == 0) ended_ = true;
      rest_.append(part, static_cast<size_t>(std::max<ssize_t>(got, 0)));
    }
    size_t end = rest_.rfind('\n', kRequestBytes);
    if (end == std::string::npos) end = rest_.find('\n');
    end = end == std::string::npos ? rest_.size() : end + 1;
    std::string out = rest_.substr(0, end);
    rest_.erase(0, end);
    return out;
  }

 private:
  static Failure failure(std::string why) { return {"cannot read the readings", {}, std::move(why), {}}; }

  bool readable() const {
    pollfd entry{.fd = fd_, .events = POLLIN, .revents = 0};
    return ::poll(&entry, 1, 0) > 0;
  }

  int fd_;
  bool ended_ = false;
  std::string rest_;
};

std::optional<int64_t> accepted_of(const std::string& body) {
  boost::system::error_code code;
  const auto parsed = boost::json::parse(body, code);
  const auto* object = code ? nullptr : parsed.if_object();
  const auto* count = object == nullptr ? nullptr : object->if_contains("accepted");
  return count != nullptr && count->is_int64() ? std::optional(count->get_int64()) : std::nullopt;
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

// The key stays the same for all tries, so what was taken is not taken twice.
Outcome<int64_t> hand_in(ApiClient& client, const std::string& lines, const std::string& key) {
  Backoff backoff;
  for (int tried = 1;; ++tried) {
    const auto answer = client.send({.method = "POST",
                                     .path = "/ingest",
                                     .body = lines,
                                     .content_type = "application/x-ndjson",
                                     .idempotency_key = key});
    if (answer && answer->status == 202) return accepted_of(answer->body).value_or(0);
    const bool worth_it = !answer || answer->status == 429 || answer->status >= 500;
    if (!worth_it || tried >= kTries) {
      if (!answer) return std::unexpected(answer.error());
      return std::unexpected(client.refusal("the readings were not taken", *answer));
    }
    std::this_thread::sleep_for(backoff.next());
  }
}

}  // namespace

int upload_ndjson(const TargetOptions& target_options, const std::string& file) {
  auto target = find_target(target_options);
  if (!target) return report(target.error());
  const int fd = file == "-" ? STDIN_FILENO : ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return report({"cannot read the readings", file, std::strerror(errno), {}});
  Lines lines(fd);
  ApiClient client(std::move(*target));
  char run[32];
  std::snprintf(run, sizeof run, "%016llx", static_cast<unsigned long long>(Random().next()));
  int64_t readings = 0;
  int64_t requests = 0;
  for (;;) {
    const auto part = lines.next();
    if (!part || part->empty()) {
      std::printf("%lld readings taken in %lld requests\n", static_cast<long long>(readings),
                  static_cast<long long>(requests));
      return part ? 0 : report(part.error());
    }
    if (is_blank(*part)) continue;
    const auto taken = hand_in(client, *part, std::string(run) + "-" + std::to_string(++requests));
    if (!taken) {
      std::fprintf(stderr, "%lld readings were taken before\n", static_cast<long long>(readings));
      return report(taken.error());
    }
    readings += *taken;
  }
}

}  // namespace kilat::cli
