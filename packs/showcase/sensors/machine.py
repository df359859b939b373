"""Processor and memory in use, by psutil."""


def poll_sensor(config: Dict[str, Any]) -> Iterator[Dict[str, Any]]:
    import psutil

    yield {
        "event_type": "load",
        "cpu_percent": psutil.cpu_percent(interval=0.1),
        "memory_percent": psutil.virtual_memory().percent,
        "measured": datetime.now().isoformat(),
    }
