"""Words of the textbook: what stands beside the calculation."""

from __future__ import annotations

TEXTBOOK: dict[str, str] = {
    "textbook_before": "The network explained",
    "textbook_after": "The textbook",
    # the flow
    "flow": "The flow",
    "flow_input": "Input ({units})",
    "flow_hidden": "Hidden ({units}, {function})",
    "flow_hidden_of": "Hidden {number} ({units}, {function})",
    "flow_output": "Output ({units}, {function})",
    "flow_hidden_alone": "Hidden",
    "flow_loss": "Loss",
    "flow_title": "The flow of the numbers",
    "flow_description": "A row of boxes: {chain}.",
    "flow_text": (
        "Forward, the numbers go from the inputs through the layers to the loss. Backward, the gradients go the other "
        "way: {back}."
    ),
    "flow_caption": "The upper arrows carry the numbers forward, the lower ones the gradients back.",
    # roles
    "roles": "What each layer does",
    "roles_symbol": "Symbol",
    "roles_role": "Role",
    "roles_input": "takes in the features of a sample as they are: {entries}",
    "roles_hidden": "multiplies by its weights, adds its biases, applies its activation: {rule}",
    "roles_output": "does the same with what the layer before it gives; its outputs are the predictions: {rule}",
    "roles_output_alone": "multiplies by its weights, adds its biases; its outputs are the predictions: {rule}",
    "roles_parameters": "{W} and {b} lead from {before} to {layer}.",
    "roles_parameters_alone": "{W} leads from {before} to {layer}.",
    "roles_of_inputs": "the inputs",
    "roles_of_layer": "layer {number}",
    "roles_of_output": "the output layer",
    "roles_connected": (
        "Every unit of a layer is connected with all units of the next one: the layers are fully connected."
    ),
    "letter_W": "{W}: a weight says how much an input counts for a unit.",
    "letter_b": "{b}: a bias moves the weighted sum, and with it the place where the activation switches.",
    "letter_z": "{z}: the weighted sum of a unit, before its activation.",
    "letter_a": (
        "{a}: what a unit gives, after its activation; the curve is what lets layers learn more than straight lines."
    ),
    "letter_loss": "{loss}: the loss measures how far the prediction is from the target.",
    "letter_gradients": (
        "{dW} and {db}: the gradients say how the loss changes with each weight and each bias; the update goes against "
        "them."
    ),
    # rows and columns
    "vectors": "Rows and columns",
    "vectors_text": "The same numbers stand below each other in a column vector and side by side in a row vector.",
    "vectors_kind": "Form",
    "vectors_letters": "letters",
    "vectors_numbers": "numbers",
    "vectors_column": "Column vector",
    "vectors_row": "Row vector",
    "vectors_turned": "One is the transpose of the other: {x} has the shape {shape}, {turned} the shape {other}.",
    "vectors_in_general": (
        "In general, with n inputs and m units: {x} is n×1 as a column and 1×n as a row, {W} is m×n, and {b} is m×1 "
        "(as a row 1×m)."
    ),
    "vectors_weights": (
        "{W} has the shape ({units_name}, {inputs_name}) = ({units}, {inputs}): one row for each unit, one column for "
        "each input."
    ),
    "size_input": "input size",
    "size_hidden": "hidden size",
    "size_hidden_of": "size of hidden layer {number}",
    "size_output": "output size",
    # the unit, the composition
    "unit": "One unit",
    "unit_text": (
        "Unit {j} of layer {l} adds up its inputs, each times the weight of its connection, and its bias; its "
        "activation makes its output of the sum. The first unit of the first layer:"
    ),
    "composition": "The layers within each other",
    "composition_text": "Each layer is a function of the one before it:",
    "composition_whole": "Put within each other, the whole network is one function of its inputs:",
    "composition_notes": (
        "Each layer has weights and biases of its own, and an activation follows every weighted sum."
    ),
    # errors and losses
    "errors": "The errors",
    "errors_text": (
        "The error is output minus target. It is positive where the output is too large, negative where it is too "
        "small, and 0 where the output meets its target."
    ),
    "errors_output": "Output",
    "errors_prediction": "Prediction",
    "errors_target": "Target",
    "errors_error": "Error",
    "errors_next": "From the errors come the gradients, which say how each weight should change.",
    "losses": "The two common losses",
    "losses_text": (
        "A loss makes one number of all errors, so that training knows what to lower. Which loss fits depends on "
        "the task."
    ),
    "losses_of_task": "For {task}: {loss}, with its derivative by a prediction.",
    "losses_of_task_here": "For {task}: {loss}, with its derivative by a prediction, and its value for this one.",
    "losses_of_task_first": (
        "For {task}: {loss}, with its derivative by a prediction, and its value for the first sample."
    ),
    "losses_regression": "regression",
    "losses_classification": "classification",
    "losses_two_classes": "two classes and one output",
    "losses_mean_squared_error": "mean squared error (MSE)",
    "losses_cross_entropy": "cross-entropy (CE)",
    "losses_binary_cross_entropy": "binary cross-entropy",
    "losses_compared": (
        "The squared error grows with the square of the difference; cross-entropy grows without bound as the "
        "probability of the true class goes to 0, so a confident mistake weighs more."
    ),
    # backpropagation
    "delta": "Backpropagation in four equations",
    "delta_text": (
        "For squared error with the factor 1/2, the error of the output layer is the difference times the derivative "
        "of the activation. From it follow the errors of all layers before, and for {m} samples the gradients:"
    ),
    "neuron": "A single neuron",
    "neuron_text": "The smallest network, one input and one neuron, for squared error with the factor 1/2:",
    "neuron_updates": "The updates, with learning rate {eta}:",
    "braces": "The chain rule, brace by brace",
    "braces_text": "Every factor of the chain rule under a brace of its own, from the last layer back to the first:",
    "braces_chain": (
        "Where {outer} depends on {middle} and {middle} on {inner}, the derivatives are multiplied: {rule}."
    ),
    "factor:sigmoid_rest": "1 − sigmoid",
    "factor:relu_prime": "derivative of ReLU",
    # tables
    "activations": "Activations",
    "activations_text": "Functions of most textbooks with their derivatives:",
    "assignments": "The update, layer by layer",
    "assignments_text": (
        "The sign := says that the left side gets the value of the right side. Layer by layer the update is:"
    ),
    "assignments_gradients": (
        "{eta} is the learning rate, and the fractions are the gradients of the backward pass."
    ),
    "variants": "Variants of gradient descent",
    "variants_text": "{theta} stands for any parameter, {g} for its gradient, {i} for a sample.",
    "variants_of_all": "all samples of the data",
    "variants_of_one": "one sample",
    "variants_of_some": "a small part of the data",
    "variants_named": "{method}: {samples}",
    "variants_rule": "Rule",
    "optimizer_momentum_says": "adds a velocity; faster where the direction stays the same",
    "optimizer_rmsprop_says": "divides by the usual size of each gradient; a step of similar length for all",
    "optimizer_adam_says": "momentum and RMSprop together, corrected for the start; common in deep learning",
    # the loop
    "loop": "The training loop",
    "loop_text": "The whole of training, repeated until the loss no longer falls:",
    "loop_forward": "Forward pass: each sample goes through the layers and becomes a prediction.",
    "loop_loss": "Loss: the prediction is compared with its target.",
    "loop_backward": "Backward pass: the chain rule gives the gradient of every weight and bias.",
    "loop_update": "Update: every parameter takes a step against its gradient.",
    "loop_repeat": "Repeat, for each batch of every epoch.",
    "loop_program": (
        "The same as a Python program that runs (it needs NumPy); its first step is the step of this sheet:"
    ),
    "loop_program_drawn": (
        "The same as a Python program that runs (it needs NumPy); the numbers of this network are too many to be "
        "written here, so it draws some at random:"
    ),
    "loop_program_anew": (
        "The same as a Python program that runs (it needs NumPy); it begins with the parameters of this sheet, and "
        "with an optimizer that remembers nothing yet:"
    ),
    "loop_none": "The program is left out: {reason} has no line of NumPy here.",
    "loop_reason_dropout": "dropout",
    "loop_reason_clipping": "clipping",
    "loop_reason_weights": "a weight of samples",
    "loop_reason_given": "a quantity that is given by hand",
    "loop_reason_bias": "a bias that is shared or frozen",
    "code_forward": "forward pass",
    "code_loss": "loss",
    "code_backward": "backward pass",
    "code_update": "update",
    # scalar or matrix
    "scalar_or_matrix": "Scalar or matrix",
    "scalar_or_matrix_text": "The same calculation in both ways, compared:",
    "aspect": "Aspect",
    "aspect_scalar": "Scalar way",
    "aspect_matrix": "Matrix way",
    "aspect_equations": "equations of the forward pass",
    "aspect_operations": "multiplications for one sample",
    "aspect_order": "order",
    "aspect_order_scalar": "one after another",
    "aspect_order_matrix": "many at once",
    "aspect_growth": "a wider layer",
    "aspect_growth_scalar": "needs more equations",
    "aspect_growth_matrix": "needs the same equation",
    "aspect_hardware": "hardware",
    "aspect_hardware_scalar": "one core, one number at a time",
    "aspect_hardware_matrix": "vector units, all cores, graphics processors",
    "aspect_program": "program",
    "aspect_program_scalar": "two loops within each other",
    "aspect_program_matrix": "one line",
    "aspect_time": "time of a layer of {inputs} inputs and {units} units, on this machine",
    "timing_is": (
        "Measured when this sheet was made: a loop in Python against one product in NumPy, the quickest of several "
        "runs."
    ),
    "timing_times": "For {inputs} inputs and {units} units the product was {times} times as fast.",
    # summary
    "summary": "Summary",
    "summary_step": "Step",
    "summary_what": "What happens",
    "summary_here": "Here",
    "summary_forward": "computes the output from the inputs, with weights, biases and activations",
    "summary_loss": "measures how far the prediction is from the target",
    "summary_backward": "computes the gradient of the loss by every weight and bias, by the chain rule",
    "summary_update": "changes the parameters so that the loss falls",
    "summary_update_name": "Gradient descent",
    "summary_largest": "largest gradient: {gradient}",
    "takeaways": "Key takeaways",
    "takeaway_chain": "The chain rule carries backpropagation: {rule}.",
    "takeaway_relu": "ReLU has the simple derivative 0 or 1, so that gradients do not fade where it is open.",
    "takeaway_sigmoid": "The sigmoid presses every number between 0 and 1; its derivative is {slope}.",
    "takeaway_tanh": "tanh presses every number between −1 and 1; its derivative is {slope}.",
    "takeaway_softmax": "Softmax makes probabilities, which add up to 1; with cross-entropy delta is {delta}.",
    "takeaway_flow": "Gradients flow back through the network: {back}.",
    "takeaway_learning": (
        "Hidden layers find useful features by themselves, gradient descent lowers the loss step by step, and layers "
        "within layers can follow complicated patterns."
    ),
    "takeaway_matrices": (
        "Matrices say a layer in one equation. Networks with millions of parameters stay manageable, libraries "
        "derive their gradients by themselves, and graphics processors are built for the products."
    ),
    "takeaway_process": (
        "Forward, loss, backward, update: the four are repeated thousands of times over many samples, until the loss "
        "no longer falls."
    ),
    "takeaway_practice": (
        "In practice: batches of several samples, optimizers such as RMSprop and Adam, regularization by dropout or "
        "weight decay, and more and wider hidden layers."
    ),
}
"""Sentences and labels of the textbook."""
