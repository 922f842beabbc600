# SPDX-License-Identifier: EUPL-1.2
"""Many processes at work on a drive in chaos mode, each byte compared with a
model: what they see meanwhile, after a remount, and what lies in the lower
when all is unpacked.

	python3 tests/stress/stress.py [--seconds N] [--seed N] [--processes N]
		[--mount-option=--no-passthrough ...]
"""
import argparse
import random
import unittest

import env
import load


def arguments():
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument("--seconds", type=float, default=10)
    p.add_argument("--seed", type=int,
                   default=random.SystemRandom().randrange(1 << 32))
    p.add_argument("--processes", type=int, default=6)
    p.add_argument("--mount-option", action="append", default=[])
    return p.parse_args()


class Stress(unittest.TestCase):
    def test_every_byte_is_the_models(self):
        work = load.Load(ARGS.seed, ARGS.processes, ARGS.mount_option)
        load.say("seed %d; %s" % (ARGS.seed, work.front()))
        work.start(ARGS.seconds)
        problems = work.wait()
        self.assertFalse(problems, "\n".join(problems))
        told = work.finish()
        load.say("%d steps; packed %d times, copied up %d" % (
            work.steps(), *told[:2]))
        self.assertGreater(told[0], 0)
        self.assertGreater(told[1], 0)
        self.assertEqual(told[3], 0, work.drive.said())


    def test_only_the_test_program_knows_chaos(self):
        done = env.run(env.SOBRE, "mount", "--chaos", "/", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--chaos", done.stderr)


if __name__ == "__main__":
    ARGS = arguments()
    env.start()
    unittest.main(argv=["stress"], verbosity=2)
