"""Messages of an MQTT broker, on the topics that live rules ask for.

A message of quality 1 or 2 is acknowledged to the broker only once Attune has committed its events, so that none is lost: what was
not acknowledged comes again. What comes again although it was committed (the acknowledgement was lost) is known by what the
checkpoint keeps of it.
"""

import base64
import hashlib
import json
import queue

import paho.mqtt.client as paho

# Messages that go in together; a broker sends no more anyway before it is answered.
BATCH = 100
# So many messages are remembered that the broker may send again.
REMEMBERED = 1000
# How long it takes at most to notice that rules changed.
PAUSE = 0.5


def stream_sensor(attune):
    Broker(attune).run()


class Broker:
    def __init__(self, attune):
        self.attune, self.config = attune, attune.config
        self.came = queue.Queue()
        self.filters = set()
        self.recent = attune.state.get("recent", [])
        session = self.config["client_id"]
        self.client = paho.Client(
            paho.CallbackAPIVersion.VERSION2, client_id=session, clean_session=False, manual_ack=True
        )
        if "username" in self.config:
            self.client.username_pw_set(self.config["username"], self.config.get("password"))
        self.client.on_connect = self.connected
        self.client.on_disconnect = self.disconnected
        self.client.on_subscribe = self.subscribed
        self.client.on_message = lambda client, userdata, message: self.came.put(message)

    def run(self):
        # A broker that is not there at first is an error of this sensor; one that goes later is waited for.
        self.client.connect(self.config.get("host", "localhost"), self.config.get("port", 1883))
        self.client.loop_start()
        while not self.attune.stopping:
            if self.attune.changed():
                self.subscribe()
            messages = self.next_messages()
            if messages:
                self.take(messages)
            self.attune.heartbeat()
        self.client.disconnect()
        self.client.loop_stop()

    def connected(self, client, userdata, flags, reason, properties):
        if reason.is_failure:
            self.attune.log("the broker refuses: %s" % reason, "warning")
            return
        if not flags.session_present:
            # A new session counts its messages from the start.
            self.came.put(None)
        self.filters = set()
        self.subscribe()

    def disconnected(self, client, userdata, flags, reason, properties):
        if reason.is_failure:
            self.attune.log("the connection to the broker is lost: %s" % reason, "warning")

    def subscribed(self, client, userdata, message, reasons, properties):
        for reason in reasons:
            if reason.is_failure:
                self.attune.log("the broker refuses a topic: %s" % reason, "warning")

    def subscribe(self):
        asked = {each["params"]["topic"] for each in self.attune.trigger_params}
        for topic in self.filters - asked:
            self.client.unsubscribe(topic)
        for topic in asked - self.filters:
            self.client.subscribe(topic, qos=1)
        self.filters = asked

    def next_messages(self):
        messages = []
        try:
            messages.append(self.came.get(timeout=PAUSE))
            while len(messages) < BATCH:
                messages.append(self.came.get_nowait())
        except queue.Empty:
            pass
        return messages

    def take(self, messages):
        answered = []
        for message in messages:
            if message is None:
                self.recent = []
                continue
            if not self.is_repeated(message):
                self.emit(message)
            if message.qos:
                answered.append(message)
        # Only what is committed may be answered; what is not comes again.
        if self.attune.checkpoint({"recent": self.recent}, wait=True):
            for message in answered:
                self.client.ack(message.mid, message.qos)

    def is_repeated(self, message):
        if not message.qos:
            return False
        name = [message.mid, hashlib.sha256(message.topic.encode() + b"\0" + message.payload).hexdigest()[:32]]
        if message.dup and name in self.recent:
            return True
        self.recent = (self.recent + [name])[-REMEMBERED:]
        return False

    def emit(self, message):
        for each in self.attune.trigger_params:
            if paho.topic_matches_sub(each["params"]["topic"], message.topic):
                self.attune.emit(event(message, each["params"], self.config.get("key")))


def event(message, params, key):
    event = {"event_type": "message", "trigger_params": params, "topic": message.topic}
    if message.retain:
        event["retained"] = True
    try:
        # NUL can not be stored.
        event["text"] = message.payload.decode().replace("\0", "\ufffd")
    except UnicodeDecodeError:
        event["base64"] = base64.b64encode(message.payload).decode()
        return event
    try:
        event["json"] = json.loads(event["text"])
    except ValueError:
        return event
    if key and isinstance(event["json"], dict) and key in event["json"]:
        # Two rules that ask for the message in different words get one event each.
        event["event_key"] = "%s %s %s" % (message.topic, params["topic"], event["json"][key])
    return event
