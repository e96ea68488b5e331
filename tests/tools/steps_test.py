"""What ./test prints of a step that failed: the failing tests first, whatever the runner, and little else."""
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]

CTEST = """        Start    1: Allowance.Empty
        Start    2: Ring.Threads
   1/4 Test    #1: Allowance.Empty ..........   Passed    0.05 sec
        Start    3: Log.Line
   2/4 Test    #3: Log.Line .................***Failed    0.07 sec
log_test.cc:7: Failure
what Log.Line printed

        Start    4: Log.Level
   3/4 Test    #4: Log.Level ................   Passed    0.06 sec
   4/4 Test    #2: Ring.Threads .............***Timeout 300.02 sec
what Ring.Threads printed

50% tests passed, 2 tests failed out of 4

The following tests FAILED:
\t  2 - Ring.Threads (Timeout)                  unit
\t  3 - Log.Line (Failed)                       unit
Errors while running CTest
"""

NODE = """✔ a (1 ms)
✖ b (2 ms)
ℹ tests 2
✖ failing tests:
test at b.test.mjs:3:1
✖ b (2 ms)
"""


def failure(log: str, lines: int = 60) -> str:
    with tempfile.NamedTemporaryFile("w", suffix=".log") as file:
        file.write(log)
        file.flush()
        script = f'source "{ROOT}/scripts/steps.sh"; KILAT_TAIL={lines} step_failure "$1"'
        return subprocess.run(["bash", "-c", script, "bash", file.name], capture_output=True, text=True, check=True).stdout


class StepFailureTest(unittest.TestCase):
    def test_ctest_names_come_first_then_the_output_of_those_tests_only(self):
        said = failure(CTEST)
        self.assertLess(said.index("Ring.Threads (Timeout)"), said.index("what Log.Line printed"))
        self.assertIn("what Ring.Threads printed", said)
        self.assertNotIn("Allowance", said)
        self.assertNotIn("Log.Level", said)

    def test_node_repeats_its_failures_at_the_end(self):
        self.assertEqual(failure(NODE).splitlines(), NODE.splitlines()[3:])

    def test_anything_else_is_cut_to_its_end(self):
        self.assertEqual(failure("".join(f"{i}\n" for i in range(9)), 2), "7\n8\n")


if __name__ == "__main__":
    unittest.main()
