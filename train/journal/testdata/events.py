# Makes events.tfevents, an event file as TensorBoard's own writer leaves it, and reads one that winnow wrote.
# Needs the package tensorboard of PyPI.
#   python events.py                   writes events.tfevents
#   python events.py FILE              prints "step tag value" of every scalar in FILE
import os, sys
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary

if len(sys.argv) > 1:
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
    for e in EventFileLoader(sys.argv[1]).Load():
        for v in e.summary.value:
            value = v.tensor.float_val[0] if v.HasField("tensor") else v.simple_value
            print(e.step, v.tag, "%.6g" % value)
    sys.exit()

from tensorboard.summary.writer.record_writer import RecordWriter
with open("events.tfevents", "wb") as f:
    w = RecordWriter(f)
    w.write(Event(wall_time=1700000000.25, file_version="brain.Event:2").SerializeToString())
    for step, loss, rate in [(1, 6.25, 1e-4), (2, 5.5, 2e-4), (300, 3.125, 2e-4)]:
        s = Summary(value=[Summary.Value(tag="train/loss", simple_value=loss), Summary.Value(tag="train/lr", simple_value=rate)])
        w.write(Event(wall_time=1700000000.25, step=step, summary=s).SerializeToString())
    w.flush()
