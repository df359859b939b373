"""What a sensor is told in the file that SENSOR_CONTEXT names."""

import json
import os


def context():
    with open(os.environ["SENSOR_CONTEXT"], encoding="utf-8") as file:
        return json.load(file)
