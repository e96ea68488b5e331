#include "embed/static_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <utility>

#include "http/text.h"
#include "kilat/http.h"
#include "net/descriptor.h"

namespace kilat::embed {
namespace {

using TypeRow = std::pair<std::string_view, std::string_view>;

// https://www.iana.org/assignments/media-types, and what browsers insist on.
constexpr std::array kTypes = {
    TypeRow{".html", "text/html; charset=utf-8"},
    TypeRow{".css", "text/css; charset=utf-8"},
    TypeRow{".js", "text/javascript; charset=utf-8"},
    TypeRow{".mjs", "text/javascript; charset=utf-8"},
    TypeRow{".json", "application/json"},
    TypeRow{".map", "application/json"},
    TypeRow{".txt", "text/plain; charset=utf-8"},
    TypeRow{".md", "text/markdown; charset=utf-8"},
    TypeRow{".svg", "image/svg+xml"},
    TypeRow{".png", "image/png"},
    TypeRow{".jpg", "image/jpeg"},
    TypeRow{".jpeg", "image/jpeg"},
    TypeRow{".gif", "image/gif"},
    TypeRow{".webp", "image/webp"},
    TypeRow{".ico", "image/x-icon"},
    TypeRow{".woff", "font/woff"},
    TypeRow{".woff2", "font/woff2"},
    TypeRow{".wasm", "application/wasm"},
    TypeRow{".mp3", "audio/mpeg"},
    TypeRow{".mp4", "video/mp4"},
    TypeRow{".pdf", "application/pdf"},
    TypeRow{".webmanifest", "application/manifest+json"},
};

// The name without symbolic links; empty when there is none.
std::string real_name(const std::string& name) {
  const std::unique_ptr<char, void (*)(void*)> resolved(::realpath(name.c_str(), nullptr), &std::free);
  return resolved ? std::string(resolved.get()) : std::string();
}

// No way up, no hidden names, nothing that the system reads differently than we do.
bool is_harmless(std::string_view path) {
  if (path.find('\0') != std::string_view::npos || path.find('\\') != std::string_view::npos) return false;
  for (size_t at = path.find('/'); at != std::string_view::npos; at = path.find('/', at + 1)) {
    if (path.substr(at + 1).starts_with('.')) return false;
  }
  return true;
}

// A validator that changes whenever the file does: its time in nanoseconds and its size.
std::string etag_of(const struct stat& status) {
  const auto ns =
      static_cast<uint64_t>(status.st_mtim.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(status.st_mtim.tv_nsec);
  return '"' + std::to_string(ns) + '-' + std::to_string(status.st_size) + '"';
}

bool read_all(int fd, size_t size, std::string& out) {
  out.resize(size);
  size_t filled = 0;
  while (filled < size) {
    const ssize_t got = ::read(fd, out.data() + filled, size - filled);
    if (got <= 0) return false;
    filled += static_cast<size_t>(got);
  }
  return true;
}

}  // namespace

std::string_view content_type_of(std::string_view name) {
  const size_t dot = name.rfind('.');
  if (dot != std::string_view::npos) {
    for (const auto& [suffix, type] : kTypes) {
      if (http::iequals(name.substr(dot), suffix)) return type;
    }
  }
  return "application/octet-stream";
}

StaticFiles::StaticFiles(std::string prefix, const std::string& directory)
    : prefix_(std::move(prefix)), directory_(real_name(directory)) {
  while (prefix_.ends_with('/')) prefix_.pop_back();
}

std::optional<http::Response> StaticFiles::answer(const http::Request& request, std::string_view path) const {
  const bool below = path.starts_with(prefix_) && path.substr(prefix_.size()).starts_with('/');
  if (directory_.empty() || !below || !is_harmless(path)) return std::nullopt;
  std::string name = directory_ + std::string(path.substr(prefix_.size()));
  if (name.ends_with('/')) name += "index.html";
  const std::string real = real_name(name);
  if (!real.starts_with(directory_ + "/") && directory_ != "/") return std::nullopt;
  // Symbolic links are resolved already: one that has come since then is not followed.
  const net::Descriptor file(::open(real.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat status{};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) return std::nullopt;
  if (S_ISDIR(status.st_mode)) {
    // Relative links in the page need the slash. Two at the front would be another host's name.
    if (path.starts_with("//")) return std::nullopt;
    return http::Response{.status = 301, .headers = {{"Location", std::string(request.path()) + "/"}}};
  }
  if (!S_ISREG(status.st_mode) || static_cast<uint64_t>(status.st_size) > web::kFileBytesMax) return std::nullopt;
  http::Response response{.status = 200, .content_type = content_type_of(real)};
  const std::string etag = etag_of(status);
  response.headers = {{"ETag", etag}, {"Cache-Control", "no-cache"}, {"X-Content-Type-Options", "nosniff"}};
  if (request.header("If-None-Match").find(etag) != std::string_view::npos) {
    response.status = 304;
    return response;
  }
  if (!read_all(file.get(), static_cast<size_t>(status.st_size), response.body)) return std::nullopt;
  return response;
}

}  // namespace kilat::embed
