"""One line per attempt: OUTCOME NUMBER START END [MESSAGE]. The journal is on the machine's own disk, never on NFS."""
import time


class Journal:
    def __init__(self, path):
        self.file = open(path, 'a', buffering=1)
        self.number = 0
        self.outcome = ''

    def attempt(self, action, otherwise='error'):
        """Runs an action that returns its outcome's name, or that and a message; an OSError is written down as `otherwise`."""
        self.number += 1
        start, message = time.time(), ''
        try:
            outcome = action(self.number)
            if isinstance(outcome, tuple):
                outcome, message = outcome
        except OSError as error:
            outcome, message = otherwise, str(error)
        self.outcome = outcome
        self.file.write('%s %d %.3f %.3f %s\n' % (outcome, self.number, start, time.time(), message))
