"""Tells something. What `run` returns is the execution's result, what it prints is its log."""


def run(text):
    print("telling:", text)
    return {"told": text}
