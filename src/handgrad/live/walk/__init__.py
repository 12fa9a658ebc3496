"""The browser of a training: its curve, its steps, its layers as heat maps, served on the loopback interface."""
