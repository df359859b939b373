# Planted: it keeps its place nowhere, and begins at the beginning.


def stream_sensor(attune):
    with open(attune.config["file"], "rb") as file:
        while attune.wait(0.02):
            for line in iter(file.readline, b""):
                if not line.endswith(b"\n"):
                    file.seek(-len(line), 1)
                    break
                attune.emit(line=line.decode().rstrip("\n"))
