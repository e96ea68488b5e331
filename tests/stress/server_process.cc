#include "stress/server_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <vector>

#include "stress/patience.h"

namespace kilat::stress {
namespace {

namespace fs = std::filesystem;

void pause_briefly() {
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
}

// Without KILAT_…: such a variable is a setting, and would override the configuration.
std::vector<char*> child_environment() {
  std::vector<char*> out;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!std::string_view(*variable).starts_with("KILAT_")) out.push_back(*variable);
  }
  out.push_back(nullptr);
  return out;
}

fs::path make_directory() {
  std::string pattern = (fs::temp_directory_path() / "kilat-stress-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
  return pattern;
}

std::string tail_of(const std::string& text, size_t bytes) {
  return text.size() <= bytes ? text : "…" + text.substr(text.size() - bytes);
}

}  // namespace

ServerProcess::ServerProcess(const std::string& binary, const std::string& configuration)
    : directory_(make_directory()) {
  const std::string file = (directory_ / "kilat.toml").string();
  std::ofstream(file) << configuration;
  const std::string log_file = (directory_ / "stderr").string();
  const std::string program = fs::absolute(binary).string();
  const std::vector<const char*> arguments{program.c_str(), "serve", "--config", file.c_str(), nullptr};
  const std::vector<char*> environment = child_environment();
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (pid_ == 0) {
    // Nobody is left behind when the stress program is killed.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int log_descriptor = ::open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(nothing, STDOUT_FILENO);
    ::dup2(log_descriptor, STDERR_FILENO);
    ::execve(program.c_str(), const_cast<char* const*>(arguments.data()), environment.data());
    ::_exit(127);
  }
  wait_until_ready();
}

ServerProcess::~ServerProcess() {
  if (!ended()) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

void ServerProcess::wait_until_ready() {
  for (Patience patience(kPatienceMs); !patience.over(); pause_briefly()) {
    const std::string text = log();
    const size_t ready = text.find(R"("event":"ready")");
    const size_t at = ready == std::string::npos ? ready : text.find(R"("port":)", ready);
    if (at != std::string::npos && text.find('\n', at) != std::string::npos) {
      std::from_chars(text.data() + at + 7, text.data() + text.size(), port_);
      return;
    }
    if (ended()) break;
  }
  const std::string words = last_words();
  if (!ended()) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    status_ = 0;
  }
  throw std::runtime_error("the server did not get ready:\n" + words);
}

bool ServerProcess::ended() {
  int status = 0;
  if (!status_ && ::waitpid(pid_, &status, WNOHANG) == pid_) status_ = status;
  return status_.has_value();
}

void ServerProcess::terminate() const {
  if (!status_) ::kill(pid_, SIGTERM);
}

std::string ServerProcess::wait_for_end() {
  for (Patience patience(kPatienceMs); !ended(); pause_briefly()) {
    if (patience.over()) return "the server does not end";
  }
  if (WIFSIGNALED(*status_)) return "the server was ended by signal " + std::to_string(WTERMSIG(*status_));
  if (WEXITSTATUS(*status_) != 0) return "the server's exit code is " + std::to_string(WEXITSTATUS(*status_));
  return {};
}

std::string ServerProcess::log() const {
  std::ifstream in(directory_ / "stderr");
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string ServerProcess::complaints() const {
  const std::string text = log();
  for (const std::string_view sign : {"Sanitizer", "runtime error:", "broken invariant", "terminate called"}) {
    const size_t at = text.find(sign);
    if (at != std::string::npos) return text.substr(text.rfind('\n', at) + 1, 6'000);
  }
  return {};
}

std::string ServerProcess::last_words() const {
  return tail_of(log(), 3'000);
}

ServerResources ServerProcess::resources() const {
  ServerResources out;
  const fs::path proc = "/proc/" + std::to_string(pid_);
  std::ifstream statm(proc / "statm");
  uint64_t size = 0;
  uint64_t resident = 0;
  uint64_t shared = 0;
  // Without the pages of the program's file, which come in as its code is first used.
  if (statm >> size >> resident >> shared)
    out.rss_kib = (resident - shared) * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE)) / 1024;
  std::error_code error;
  for (fs::directory_iterator entry(proc / "fd", error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    ++out.descriptors;
  }
  return out;
}

}  // namespace kilat::stress
