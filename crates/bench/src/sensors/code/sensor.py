"""What the benchmark's Python sensors do, as their configuration says."""
import socket
import time


def poll_sensor(config, state):
    if "hang" in config:
        time.sleep(3600)
    if "port" in config:
        with socket.create_connection(("127.0.0.1", config["port"])) as connection:
            connection.recv(1)
    state["polls"] = state.get("polls", 0) + 1
    if "emit" in config:
        yield {"event_type": "seen", "poll": state["polls"]}
