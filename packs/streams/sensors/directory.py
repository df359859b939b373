"""Files that are complete in a directory: written and closed, moved or linked there, or found there after a pause.

The directories are what live rules ask for. What was reported is kept in each checkpoint, together with the events, so that a
stop, a crash and a change of rules lose no file and report none twice.
"""

import json
import time

from inotify import CLOSE_WRITE, CREATE, DELETE, GONE, MOVED_FROM, MOVED_TO, OVERFLOW, Inotify
from place import Place

# Events that go in together.
BATCH = 500
# How often a directory that is not there is looked for, in seconds.
AGAIN = 5.0
# How long it takes at most to notice that rules changed.
PAUSE = 0.5


def stream_sensor(attune):
    Directories(attune).run()


class Directories:
    def __init__(self, attune):
        self.attune = attune
        self.inotify = Inotify()
        self.places = {}
        self.uncommitted = 0
        self.next_look = 0.0

    def run(self):
        self.follow_rules()
        while not self.attune.stopping:
            if self.attune.changed():
                self.follow_rules()
            if time.monotonic() >= self.next_look:
                self.look_for_the_missing()
            for watch, mask, name in self.inotify.wait(PAUSE):
                self.take(watch, mask, name)
            for place in self.places.values():
                self.report(place.settle())
            self.commit()
            self.attune.heartbeat()

    def follow_rules(self):
        asked = [each["params"] for each in self.attune.trigger_params]
        known = self.attune.state.setdefault("places", {})
        before, self.places = self.places, {}
        for params in asked:
            key = json.dumps(params, sort_keys=True)
            self.places[key] = before.pop(key, None) or Place(params, known.get(key))
        used = {place.watch for place in self.places.values()}
        for place in before.values():
            if place.watch is not None and place.watch not in used:
                self.inotify.remove(place.watch)
        self.look_for_the_missing()
        self.commit(always=True)

    def look_for_the_missing(self):
        self.next_look = time.monotonic() + AGAIN
        for place in self.places.values():
            if place.watch is None:
                try:
                    # First the watch: what comes between is told twice, and known the second time.
                    place.watch = self.inotify.add(place.directory)
                    self.report(place.look())
                    place.fault = None
                except OSError as error:
                    self.complain(place, error.strerror)

    def complain(self, place, fault):
        if fault != place.fault:
            self.attune.log("can not watch %s: %s" % (place.directory, fault), "warning")
            place.fault = fault

    def take(self, watch, mask, name):
        if mask & OVERFLOW:
            for place in self.places.values():
                if place.watch is not None:
                    self.look_again(place)
        for place in self.places.values():
            if place.watch == watch:
                self.tell(place, mask, name)

    def tell(self, place, mask, name):
        if mask & GONE:
            place.watch = None
        elif mask & (CLOSE_WRITE | MOVED_TO):
            self.report([place.arrived(name)])
        elif mask & CREATE:
            self.report([place.created(name)])
        elif mask & (DELETE | MOVED_FROM):
            place.left(name)

    def look_again(self, place):
        try:
            self.report(place.look())
        except OSError:
            # The kernel tells that it is gone.
            pass

    def report(self, events):
        for event in events:
            if event is not None:
                self.attune.emit(event)
                self.uncommitted += 1
            if self.uncommitted >= BATCH:
                self.commit()

    def commit(self, always=False):
        if self.uncommitted or always:
            for place in self.places.values():
                place.trim()
            # What no rule asks for any more is forgotten.
            places = {key: place.memory for key, place in self.places.items() if not place.is_new}
            self.attune.checkpoint({"places": places})
            self.uncommitted = 0
