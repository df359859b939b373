def poll_sensor(config: Dict[str, Any]) -> Iterator[Dict[str, Any]]:
    import psutil

    cpu_percent = psutil.cpu_percent(interval=1)
    if cpu_percent > config.get("threshold", 80):
        yield {
            "event_type": "high_cpu",
            "cpu_percent": cpu_percent,
            "timestamp": datetime.now().isoformat(),
        }
