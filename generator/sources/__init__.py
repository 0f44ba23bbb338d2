"""Where single digits come from: MNIST idx files, folders of pictures, the pen model."""
