# Planted: it says that it has been there before it says what it saw.


def stream_sensor(attune):
    with open(attune.config["file"], "rb") as file:
        file.seek(attune.state.get("offset", 0))
        while attune.wait(0.02):
            for line in iter(file.readline, b""):
                if not line.endswith(b"\n"):
                    file.seek(-len(line), 1)
                    break
                attune.state["offset"] = file.tell()
                attune.checkpoint()
                attune.emit(line=line.decode().rstrip("\n"))
