#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <array>
#include <memory>
#include <vector>

#include "cli/command.h"

namespace kilat::cli {
namespace {

Action install_echo(CLI::App& options) {
  auto code = std::make_shared<int>(0);
  options.add_option("--code", *code, "Exit code");
  return [code] { return *code; };
}

Action install_throw(CLI::App&) {
  return []() -> int { throw std::runtime_error("out of luck"); };
}

constexpr std::array kTable = std::to_array<Command>({
    {"echo", "Ends with a code.", "kilat echo --code 3", install_echo},
    {"throw", "Fails.", "kilat throw", install_throw},
});

struct Output {
  int code = 0;
  std::string out;
  std::string err;
};

Output run_with(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "kilat");
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Output result;
  result.code = run(kTable, static_cast<int>(arguments.size()), arguments.data());
  result.out = testing::internal::GetCapturedStdout();
  result.err = testing::internal::GetCapturedStderr();
  return result;
}

TEST(Cli, Command_GetsItsOptionsAndGivesTheExitCode) {
  EXPECT_EQ(run_with({"echo", "--code", "3"}).code, 3);
}

TEST(Cli, NoCommand_PrintsTheHelpWithAnExampleForEach) {
  const Output output = run_with({});
  EXPECT_EQ(output.code, 0);
  for (const Command& command : kTable) {
    EXPECT_NE(output.out.find(command.help), std::string::npos);
    EXPECT_NE(output.out.find(command.example), std::string::npos);
  }
}

TEST(Cli, UnknownCommandOrOption_IsAUseError) {
  EXPECT_EQ(run_with({"ehco"}).code, 2);
  EXPECT_EQ(run_with({"echo", "--nope"}).code, 2);
  EXPECT_NE(run_with({"ehco"}).err.find("ehco"), std::string::npos);
}

TEST(Cli, Exception_BecomesAnErrorLine) {
  const Output output = run_with({"throw"});
  EXPECT_EQ(output.code, 1);
  EXPECT_EQ(output.err, "error: out of luck\n");
}

}  // namespace
}  // namespace kilat::cli
