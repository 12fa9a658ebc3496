"""Other people's models in and out: scikit-learn, PyTorch, Keras, flax, equinox, ONNX; a C header, a program."""
