#include "scada/scada.h"

int main(int argc, char** argv) {
  return examples::run_program(argc, argv, "Kilat SCADA", 6001, examples::scada::make_scada);
}
