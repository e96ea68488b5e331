#include "cli/ndjson_upload.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "cli/api_client.h"

namespace kilat::cli {
namespace {

constexpr size_t kRequestBytes = 256 * 1024;
constexpr size_t kLineBytesMax = 16 * 1024 * 1024;
constexpr int kTries = 12;  // about a minute
constexpr int64_t kSkippedTold = 10;

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
    bool whole = rest_.find('\n') != std::string::npos;
    while (!ended_ && (!whole || (rest_.size() < kRequestBytes && readable()))) {
      if (!whole && rest_.size() > kLineBytesMax) return std::unexpected(failure("a line is longer than 16 MiB"));
      char part[64 * 1024];
      const ssize_t got = ::read(fd_, part, sizeof part);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return std::unexpected(failure(std::strerror(errno)));
      if (got == 0) ended_ = true;
      const std::string_view more(part, static_cast<size_t>(std::max<ssize_t>(got, 0)));
      whole = whole || more.find('\n') != std::string_view::npos;
      rest_.append(more);
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

/// Which line of a request a refusal is about, and where its number stands in the refusal's words.
struct NamedLine {
  uint64_t number = 0;
  std::string digits;
};

// "…line 3: value must be a number"
std::optional<NamedLine> named_line(std::string_view words) {
  constexpr std::string_view kWord = "line ";
  for (size_t at = words.find(kWord); at != std::string_view::npos; at = words.find(kWord, at + 1)) {
    const std::string_view behind = words.substr(at + kWord.size());
    NamedLine line;
    line.digits = behind.substr(0, behind.find_first_not_of("0123456789"));
    const char* end = line.digits.data() + line.digits.size();
    if (std::from_chars(line.digits.data(), end, line.number).ec == std::errc() && line.number > 0) return line;
  }
  return std::nullopt;
}

uint64_t lines_in(std::string_view text) {
  return static_cast<uint64_t>(std::ranges::count(text, '\n'));
}

/// Whole lines on their way, and where in the input they begin.
struct Part {
  std::string lines;
  uint64_t first = 1;
};

/// One command: requests, and what has become of their readings.
class Upload {
 public:
  Upload(ApiTarget target, bool skip_invalid) : client_(std::move(target)), skips_(skip_invalid) {
    char run[32];
    std::snprintf(run, sizeof run, "%016llx", static_cast<unsigned long long>(Random().next()));
    run_ = run;
  }

  /// Hands the lines in, in as many requests as refused ones among them ask for.
  Outcome<void> take(Part part) {
    std::vector<Part> left;
    left.push_back(std::move(part));
    while (!left.empty()) {
      const Part next = std::move(left.back());
      left.pop_back();
      if (is_blank(next.lines)) continue;
      TRY(const ApiAnswer answer, send(next.lines));
      if (answer.status == 202) {
        readings_ += accepted_of(answer.body).value_or(0);
        continue;
      }
      Failure failure = client_.refusal("the readings were not taken", answer);
      const std::optional<uint64_t> bad = refused_line(next, answer, failure);
      if (!bad || !skips_) return std::unexpected(std::move(failure));
      skip(next, *bad, failure, left);
    }
    return {};
  }

  /// What has become of the input, in words.
  void report_end() const {
    std::printf("%lld readings taken in %lld requests\n", static_cast<long long>(readings_),
                static_cast<long long>(requests_));
    if (skips_) std::printf("%lld lines skipped\n", static_cast<long long>(skipped_));
  }
  int64_t readings() const { return readings_; }

 private:
  // The key stays the same for all tries, so what was taken is not taken twice.
  Outcome<ApiAnswer> send(const std::string& lines) {
    const std::string key = run_ + "-" + std::to_string(++requests_);
    Backoff backoff;
    for (int tried = 1;; ++tried) {
      auto answer = client_.send({.method = "POST",
                                  .path = "/ingest",
                                  .body = lines,
                                  .content_type = "application/x-ndjson",
                                  .idempotency_key = key});
      const bool worth_it = !answer || answer->status == 429 || answer->status >= 500;
      if (!worth_it || tried >= kTries) return answer;
      std::this_thread::sleep_for(backoff.next());
    }
  }

  /// The line of `part` that was refused, counted from 1; the failure then names it as one of the input. Nothing when
  /// the refusal is about something else.
  static std::optional<uint64_t> refused_line(const Part& part, const ApiAnswer& answer, Failure& failure) {
    if (answer.status != 400 && answer.status != 413 && answer.status != 422) return std::nullopt;
    const std::optional<NamedLine> line = named_line(failure.why);
    if (line) {
      const size_t at = failure.why.find("line " + line->digits) + 5;
      failure.why.replace(at, line->digits.size(), std::to_string(part.first + line->number - 1));
      return line->number;
    }
    // A line that is too long for any request.
    if (answer.status != 413 || lines_in(part.lines) > 1) return std::nullopt;
    failure.why += ": line " + std::to_string(part.first);
    return 1;
  }

  // What stands before the line is handed in next, then what stands behind it.
  void skip(const Part& part, uint64_t number, const Failure& failure, std::vector<Part>& left) {
    size_t begin = 0;
    for (uint64_t i = 1; i < number; ++i) begin = std::min(part.lines.find('\n', begin), part.lines.size() - 1) + 1;
    const size_t end = std::min(part.lines.find('\n', begin), part.lines.size() - 1) + 1;
    left.push_back({part.lines.substr(end), part.first + number});
    left.push_back({part.lines.substr(0, begin), part.first});
    if (++skipped_ <= kSkippedTold) std::fprintf(stderr, "skipped: %s\n", failure.why.c_str());
  }

  ApiClient client_;
  const bool skips_;
  std::string run_;
  int64_t readings_ = 0;
  int64_t requests_ = 0;
  int64_t skipped_ = 0;
};

}  // namespace

int upload_ndjson(const TargetOptions& target_options, const std::string& file, bool skip_invalid) {
  auto target = find_target(target_options);
  if (!target) return report(target.error());
  const int fd = file == "-" ? STDIN_FILENO : ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return report({"cannot read the readings", file, std::strerror(errno), {}});
  Lines lines(fd);
  Upload upload(std::move(*target), skip_invalid);
  for (uint64_t first = 1;;) {
    auto part = lines.next();
    if (!part || part->empty()) {
      upload.report_end();
      return part ? 0 : report(part.error());
    }
    const uint64_t count = lines_in(*part);
    const auto taken = upload.take({std::move(*part), first});
    first += count;
    if (!taken) {
      std::fprintf(stderr, "%lld readings were taken before\n", static_cast<long long>(upload.readings()));
      return report(taken.error());
    }
  }
}

}  // namespace kilat::cli
