def stream_sensor(attune):
    with open(attune.config["tape"]) as tape:
        tape.seek(attune.state.get("offset", 0))
        while attune.wait(0.01):
            for line in iter(tape.readline, ""):
                attune.emit(n=int(line))
            attune.state["offset"] = tape.tell()
            attune.checkpoint()
