"""What stands behind `handgrad.sklearn`: scikit-learn's parameters, loop of epochs and L-BFGS on our engines."""
