#include "config/dev_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "config/credentials.h"
#include "config/toml_reader.h"

namespace kilat::config {
namespace {

std::unexpected<std::string> failed(std::string_view what, const std::filesystem::path& path, int code) {
  return std::unexpected("cannot " + std::string(what) + " " + path.string() + ": " + std::strerror(code));
}

std::string fresh_text() {
  return "# Made by kilat in development mode. It holds a secret: keep it out of version control.\n"
         "[[app]]\n"
         "id = \"dev\"\n"
         "key = \"" +
         fresh_key() +
         "\"\n"
         "secret = \"" +
         fresh_secret() +
         "\"\n"
         "client_events = true\n"
         "subscription_count = true\n";
}

bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return ::fsync(descriptor) == 0;
}

// Writes a file of our own beside `path`, then gives it that name: link() fails where the name exists already, so
// nobody ever reads half a file and nobody's key is overwritten. True if ours is now there, false if another's is.
std::expected<bool, std::string> create(const std::filesystem::path& path) {
  const std::filesystem::path draft = path.string() + "." + std::to_string(::getpid());
  ::unlink(draft.c_str());
  const int descriptor = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) return failed("create", draft, errno);
  const bool written = write_all(descriptor, fresh_text());
  const int write_error = errno;
  ::close(descriptor);
  const bool linked = written && ::link(draft.c_str(), path.c_str()) == 0;
  const int link_error = errno;
  ::unlink(draft.c_str());
  if (!written) return failed("write", draft, write_error);
  if (!linked && link_error != EEXIST) return failed("create", path, link_error);
  return linked;
}

}  // namespace

std::filesystem::path dev_file_path(const std::filesystem::path& directory) {
  return directory / ".kilat" / "dev.toml";
}

std::expected<DevFile, std::string> open_dev_file(const std::filesystem::path& directory) {
  DevFile out;
  out.path = dev_file_path(directory);
  const std::filesystem::path folder = out.path.parent_path();
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return failed("create", folder, errno);
  if (::access(out.path.c_str(), F_OK) != 0) {
    auto created = create(out.path);
    if (!created) return std::unexpected(std::move(created.error()));
    out.created = *created;
  }
  struct stat facts{};
  if (::stat(out.path.c_str(), &facts) == 0 && (facts.st_mode & 077) != 0) ::chmod(out.path.c_str(), 0600);
  auto text = read_whole_file(out.path, kFileBytesMax);
  if (!text) return std::unexpected(std::move(text.error()));
  out.text = std::move(*text);
  return out;
}

std::expected<std::string, std::string> read_whole_file(const std::filesystem::path& path, size_t bytes_max) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return failed("read", path, errno);
  std::string out;
  char part[16 * 1024];
  ssize_t got = 0;
  while (out.size() <= bytes_max && (got = ::read(descriptor, part, sizeof part)) != 0) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) break;
    out.append(part, static_cast<size_t>(got));
  }
  const int code = errno;
  ::close(descriptor);
  if (got < 0) return failed("read", path, code);
  if (out.size() > bytes_max) return failed("read", path, EFBIG);
  return out;
}

}  // namespace kilat::config
