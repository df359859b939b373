# Planted: its place is in a file of its own, written when the event is committed; the event has no key.
import os


def stream_sensor(attune):
    cursor = attune.config["cursor"]
    with open(attune.config["file"], "rb") as file:
        file.seek(int(open(cursor).read()) if os.path.exists(cursor) else 0)
        while attune.wait(0.02):
            for line in iter(file.readline, b""):
                if not line.endswith(b"\n"):
                    file.seek(-len(line), 1)
                    break
                attune.emit(line=line.decode().rstrip("\n"))
                if not attune.checkpoint(wait=True):
                    return
                with open(cursor + ".next", "w") as next:
                    next.write(str(file.tell()))
                os.replace(cursor + ".next", cursor)
