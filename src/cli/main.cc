#include "cli/command.h"

int main(int argc, char** argv) {
  return kilat::cli::run(kilat::cli::commands(), argc, argv);
}
