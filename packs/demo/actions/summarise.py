"""How the machine is, in one sentence."""


def run(host, load_per_cpu, memory_percent):
    print("asked about", host)
    return {
        "summary": "%s is %s, with %g%% of its memory in use" % (host, mood(load_per_cpu), memory_percent),
        "busy": load_per_cpu >= 1,
    }


def mood(load_per_cpu):
    if load_per_cpu < 0.3:
        return "at rest"
    return "at work" if load_per_cpu < 1 else "overloaded"
