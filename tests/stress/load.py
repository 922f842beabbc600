# SPDX-License-Identifier: EUPL-1.2
"""The processes of the stress on a drive in chaos mode, and what must be
there afterwards."""
import os
import pickle
import signal
import sys
import time
import traceback

import chaos
import env
import model
import shared
import worker


def child(top, seed, number, seconds, answer):
    """A process of its own: how it went is in the file `answer`."""
    w = worker.Worker(top, seed, number)
    both = shared.Shared(top, number, w.rnd)
    try:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            w.step()
            if w.rnd.random() < 0.08:
                w.say("shared")
                both.step()
        both.close()
        state = w.run(0)
        done = {"state": state, "steps": w.steps, "appended": both.appended}
    except Exception:
        done = {"failed": "process %d, step %d\n%s\n%s" % (
            number, w.steps, "\n".join(w.said), traceback.format_exc())}
    with open(answer, "wb") as f:
        pickle.dump(done, f)


class Load:
    """A drive, its processes, and the checks at the end."""

    def __init__(self, seed, processes, options=(), size_mib=8192):
        self.seed = seed
        self.processes = processes
        self.image = env.Image("ext4", size_mib)
        self.drive = chaos.mount(self.image.mkdir("drive"), seed, options)
        for n in range(6):
            os.mkdir(os.path.join(self.drive.dir, "d%d" % n))
        shared.prepare(self.drive.dir)
        self.answers = env.tmp("answers")
        self.pids = {}

    def front(self):
        """Which accelerators are at work, in words."""
        front = self.drive.status()["front"]
        return ", ".join("%s %s" % (name, "on" if front[name]["on"] else "off")
                         for name in ("passthrough", "io_uring"))

    def start(self, seconds):
        for number in range(self.processes):
            answer = os.path.join(self.answers, str(number))
            pid = os.fork()
            if pid == 0:
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                env.die_with_parent()
                try:
                    child(self.drive.dir, self.seed, number, seconds, answer)
                finally:
                    os._exit(0)
            self.pids[pid] = number

    def wait(self, each=lambda: time.sleep(0.2)):
        """Until all have ended; `each` is called meanwhile. Problems."""
        problems = []
        while self.pids and not problems:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid in self.pids:
                number = self.pids.pop(pid)
                problems += self.ended(number, status)
            elif not self.drive.alive():
                problems.append("the daemon has died\n" + self.drive.said())
            else:
                each()
        for pid in self.pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        return problems

    def ended(self, number, status):
        if status:
            return ["process %d: status %#x" % (number, status)]
        done = self.answer(number)
        return [done["failed"]] if "failed" in done else []

    def answer(self, number):
        with open(os.path.join(self.answers, str(number)), "rb") as f:
            return pickle.load(f)

    def check(self, top, when):
        answers = [self.answer(n) for n in range(self.processes)]
        problems = model.check_tree(top, [a["state"] for a in answers])
        problems += shared.check(top, {
            n: a["appended"] for n, a in enumerate(answers)})
        if problems:
            raise AssertionError("%s, seed %d:\n%s" % (
                when, self.seed, "\n".join(problems[:40])))

    def steps(self):
        return sum(self.answer(n)["steps"] for n in range(self.processes))

    def finish(self):
        """Compares mounted, mounted again, and unpacked in the lower;
        what the chaos did."""
        d = self.drive
        self.check(d.dir, "at the end")
        d.restart()
        self.check(d.dir, "mounted again")
        d.settled()
        d.run("fsck", d.dir)
        d.stop()
        told = chaos.told(d)
        d.sobre, d.options = env.SOBRE, d.options[1:]
        d.start()
        d.settled()
        d.unpack_all()
        d.stop()
        self.check(d.lower, "in the lower")
        return told


def say(text):
    print(text, file=sys.stderr, flush=True)
