"""The command `trainer` whose exporter makes graphs that read otherwise than torch does.

python -m tests.faults.faulty_export export RUN OUT --data DATA
"""

import numpy as np
from onnx import ModelProto, numpy_helper

from trainer import cli, export
from trainer.graph import with_decoder


def with_wrong_decoder(logits: ModelProto) -> ModelProto:
    """The same logits; the second and the third digit change places."""
    reader = with_decoder(logits)
    order = next(t for t in reader.graph.initializer if t.name.endswith("order"))
    swapped = numpy_helper.to_array(order)[[0, 2, 1, 3, 4]]
    order.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(swapped), order.name))
    return reader


if __name__ == "__main__":
    export.with_decoder = with_wrong_decoder
    cli.main()
