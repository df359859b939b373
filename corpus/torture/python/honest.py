# Its place is kept in the checkpoint, together with the event.


def stream_sensor(attune):
    with open(attune.config["file"], "rb") as file:
        file.seek(attune.state.get("offset", 0))
        while attune.wait(0.02):
            for line in iter(file.readline, b""):
                if not line.endswith(b"\n"):
                    file.seek(-len(line), 1)
                    break
                attune.emit(line=line.decode().rstrip("\n"))
                attune.state["offset"] = file.tell()
                attune.checkpoint()
