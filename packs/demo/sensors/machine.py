"""The load and the memory of this machine, from /proc."""

import os
import platform


def poll_sensor(config: Dict[str, Any], state: Dict[str, Any]) -> Iterator[Dict[str, Any]]:
    host = platform.node()
    threshold = config.get("memory_threshold", 90)
    memory = memory_percent()
    yield {"event_type": "load", "host": host, "memory_percent": memory, **load()}

    is_high = memory > threshold
    if is_high and not state.get("memory_is_high"):
        yield {"event_type": "memory_high", "host": host, "memory_percent": memory, "threshold": threshold}
    state["memory_is_high"] = is_high


def load() -> Dict[str, Any]:
    one_minute = float(read("/proc/loadavg").split()[0])
    cpus = os.cpu_count() or 1
    return {"load": one_minute, "cpus": cpus, "load_per_cpu": round(one_minute / cpus, 3)}


def memory_percent() -> float:
    kilobytes = {}
    for line in read("/proc/meminfo").splitlines():
        name, _, value = line.partition(":")
        kilobytes[name] = int(value.split()[0])
    return round(100 * (1 - kilobytes["MemAvailable"] / kilobytes["MemTotal"]), 1)


def read(path: str) -> str:
    with open(path) as file:
        return file.read()
