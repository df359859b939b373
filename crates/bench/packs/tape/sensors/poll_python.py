def poll_sensor(config, state):
    with open(config["tape"]) as tape:
        tape.seek(state.get("offset", 0))
        for line in iter(tape.readline, ""):
            if not line.endswith("\n"):
                break
            yield {"n": int(line)}
            state["offset"] = tape.tell()
