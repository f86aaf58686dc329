"""agent-killer.py SECONDS ACTIONS SEED: kills our agents at random moments of their actions, at most three of them. ACTIONS is a regular
expression. It fails when none was killed.
"""
import os
import random
import re
import signal
import sys
import time

end, actions = time.monotonic() + float(sys.argv[1]), re.compile(sys.argv[2] + '$')
seen, killed = set(), 0
random.seed(int(sys.argv[3]))


def agents():
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open('/proc/%s/cmdline' % pid, 'rb') as file:
                words = file.read().decode(errors='replace').split('\0')
        except OSError:
            continue
        # the launcher and the script flavour are called by the agent's path, the native program by its own
        if any('/resource.d/tsha/' in word or word.endswith('/tsha-agents') for word in words) and any(actions.match(word) for word in words):
            yield int(pid)


while time.monotonic() < end and killed < 3:
    for pid in agents():
        if pid in seen:
            continue
        seen.add(pid)
        if random.random() < 0.3:
            continue
        # a monitor is over in some milliseconds, a start waits for seconds
        time.sleep(random.random() * random.choice((0, 0.01, 0.1, 0.3)))
        try:
            os.kill(pid, signal.SIGKILL)
            killed += 1
            print('killed', pid, flush=True)
        except OSError:
            pass
    time.sleep(0.005)
sys.exit(0 if killed else 1)
