"""Every sentence and label of a sheet, in English: the one table from the record's keys to words.

The English text is the message id of the catalogues, so a translation is one file of `locale/`. `{name}`
stands for an argument. A key with a variant (`loss/huber`) is chosen where the argument `function` or `name`
has that value; names of things have a colon (`activation:relu`), labels under a brace too (`factor:input`).
Observations are clauses without a full stop, so that they can be joined: cause, so effect.
"""

from __future__ import annotations

from handgrad.nn.activations import ACTIVATIONS
from handgrad.nn.losses import LOSSES
from handgrad.nn.optimizers import OPTIMIZERS
from handgrad.writing.audit_messages import AUDIT, AUDIT_PLURALS
from handgrad.writing.exercise_messages import EXERCISE_PLURALS, EXERCISES
from handgrad.writing.page_messages import PAGE, PAGE_PLURALS
from handgrad.writing.situations import SITUATIONS
from handgrad.writing.spoken_messages import SPOKEN
from handgrad.writing.textbook_messages import TEXTBOOK
from handgrad.writing.walk_messages import WALK

REASONS: dict[str, str] = {
    "linear": (
        "Each unit multiplies every input by the weight of that connection, adds the products, and adds "
        "its bias: the weighted sum."
    ),
    "linear_without_bias": (
        "Each unit multiplies every input by the weight of that connection and adds the products: the "
        "weighted sum."
    ),
    "activation": (
        "The activation function {function} turns each weighted sum into the output of its unit. Without "
        "a curve in between, several layers could do no more than one."
    ),
    "activation/identity": "This layer has no curve: its output is the weighted sum itself.",
    "activation/softmax": (
        "Softmax turns the weighted sums into probabilities: each is positive, and together they make 1."
    ),
    "dropout": (
        "Dropout switches some outputs off for this step. The others are divided by {keep}, the "
        "probability of being kept, so that the expected sum stays the same."
    ),
    "output": (
        "The activation function {function} turns the weighted sum of the last layer into the prediction."
    ),
    "output/identity": "The last layer has no curve: the weighted sum itself is the prediction.",
    "dropout_kept": "The mask of this step keeps {kept} of {outputs} outputs.",
    "dropout_none_off": "The mask of this step keeps all {outputs} outputs: none is switched off.",
    "output/softmax": (
        "Softmax turns the weighted sums of the last layer into the prediction, a probability for each "
        "class: all are positive, and together they make 1."
    ),
    "weighted_loss": (
        "The loss of each sample counts as often as its weight ω says: some count for more than 1, others for "
        "less."
    ),
    "weighted_dyhat": "The weight ω of a sample multiplies its loss, and so its derivative.",
    "weighted_delta": "The weight ω of a sample multiplies its error, and with it all that its error changes.",
    "as_class": "The largest probability, {probability}, is that of {name}.",
    "output_number": "output {number}",
    "as_probability": "Read as a probability, the prediction says: {name} with {percent} %.",
    "class_one": "class 1",
    "loss": (
        "The loss is one number that says how far the prediction is from the target; training makes it "
        "smaller. Here it is the {name}."
    ),
    "loss/squared_error": (
        "The loss is one number that says how far the prediction is from the target. The squared error "
        "squares each difference, so that its sign does not matter and large errors weigh more."
    ),
    "loss/binary_cross_entropy": (
        "The loss is one number that says how far the prediction is from the target. Binary cross-entropy"
        " is the negative logarithm of the probability that the network gives to the true label: a "
        "confident mistake costs much."
    ),
    "loss/cross_entropy": (
        "The loss is one number that says how far the prediction is from the target. Cross-entropy is the"
        " negative logarithm of the probability that the network gives to the true class."
    ),
    "loss/huber": (
        "The loss is one number that says how far the prediction is from the target. The Huber loss is "
        "quadratic near the target and linear far from it, so that an outlier does not decide everything."
    ),
    "loss/absolute_error": (
        "The loss is one number that says how far the prediction is from the target. The absolute error is "
        "the distance itself, so that every error counts by its size and an outlier does not decide everything."
    ),
    "loss/hinge": (
        "The loss is one number that says how far the prediction is from where it should be. The hinge loss "
        "asks the prediction to be at least 1 on the side of the target, −1 or +1, and counts what is missing."
    ),
    "loss/poisson": (
        "The loss is one number that says how badly the predicted rate explains the count. The Poisson loss is "
        "the negative logarithm of the probability of that count at that rate, without the part that no rate changes."
    ),
    "loss_from_z": (
        "The output is so close to 0 or 1 that its logarithm would say nothing. So the same loss is "
        "computed from the weighted sum, where no digits are lost."
    ),
    "penalty": (
        "The penalty grows with the size of the weights, so that training prefers small ones. Biases are "
        "left out."
    ),
    "loss_total": "What training lowers is the loss on the data and the penalty together.",
    "dyhat": (
        "The backward pass begins where the calculation ended: how does the loss change when the "
        "prediction changes a little?"
    ),
    "dyhat/absolute_error": (
        "The backward pass begins where the calculation ended: how does the loss change when the "
        "prediction changes a little? A distance grows or shrinks at the same rate everywhere: only the side counts."
    ),
    "dyhat/hinge": (
        "The backward pass begins where the calculation ended: how does the loss change when the "
        "prediction changes a little? Where the prediction is on the side of the target by 1 or more, not at all."
    ),
    "dyhat/huber": (
        "The backward pass begins where the calculation ended: how does the loss change when the "
        "prediction changes a little? For the Huber loss that is the difference, held between −κ and κ."
    ),
    "delta_output_chain": (
        "The chain rule: the loss depends on the weighted sum through the prediction, so the two "
        "derivatives are multiplied. The result is the error of the layer, delta."
    ),
    "delta_output_chain/softmax": (
        "The chain rule: every weighted sum changes every output of softmax, so what reaches the loss "
        "through all of them is added up. The result is the error of the layer, delta."
    ),
    "delta_output_fused": (
        "For {function} with {loss} the chain rule has a short form: the denominators cancel, and a plain"
        " difference is left."
    ),
    "delta_output_saturated": (
        "The prediction is 0 or 1 to the last digit, so the factors of the chain rule cannot be "
        "multiplied any more. For {function} with {loss} the short form, in which the denominators have "
        "cancelled, still holds."
    ),
    "da": (
        "An output reaches the loss only through the units that it feeds. So it collects their errors, "
        "each multiplied by the weight of the connection: the weights are used again, transposed."
    ),
    "da_row": (
        "An output reaches the loss only through the units that it feeds. So it collects their errors, "
        "each multiplied by the weight of the connection: the weights are used again, this time without "
        "the transpose."
    ),
    "df": (
        "The error passes back through dropout as the outputs did: units that were switched off get none, "
        "and what is kept is divided by the same probability."
    ),
    "derivative": (
        "How steep is {function} at each weighted sum? Where it is flat, hardly any error passes back."
    ),
    "derivative/relu": "ReLU lets the error pass where the weighted sum is positive, and stops it elsewhere.",
    "delta_hidden": (
        "The chain rule once more: the error that arrives at the outputs, times the derivative of "
        "{function}, entry by entry."
    ),
    "delta_output_chain/identity": (
        "The weighted sum is the prediction itself, so the derivative of the loss by the prediction is the error of "
        "the layer, delta, already."
    ),
    "delta_hidden/identity": (
        "The layer has no curve, so the error that arrives at its outputs is its delta, as it is."
    ),
    "delta_hidden/softmax": (
        "The chain rule once more: every weighted sum changes every output of softmax, so the errors "
        "that arrive at all of them are added up."
    ),
    "dW": "A weight multiplies one input, so its gradient is the error of its unit times that input.",
    "dW_batch": (
        "Each of the {samples} samples has an outer product of its own, error times input. The matrix "
        "product adds them all up."
    ),
    "db": (
        "A bias is added to the weighted sum as it is. Its derivative is 1, so its gradient is the error "
        "of its unit."
    ),
    "db_batch": (
        "A bias is added to the weighted sum as it is. Its derivative is 1, so its gradient is the error "
        "of its unit, added up over the samples."
    ),
    "db_shared": "All units of this layer share one bias, so its gradient adds up all their errors.",
    "db_frozen": "This bias stays as it is; its gradient is not used.",
    "dW_penalty": "The penalty has a gradient of its own, which pulls every weight towards zero.",
    "dW_total": "The gradient that the update uses is the sum of both: from the data and from the penalty.",
    "clip_value": "Clipping by value: an entry of the gradient beyond the limit is set to the limit.",
    "gradient_norm": "The norm of all gradients together is the length of the gradient as one long vector.",
    "clip_norm": (
        "Clipping by norm: if the gradient is longer than the limit, all its entries shrink by the same "
        "factor. The direction stays."
    ),
    "update_sgd": (
        "Gradient descent: the gradient points to where the loss grows fastest, so the step goes the "
        "other way, and the learning rate says how far."
    ),
    "update_velocity": (
        "The velocity keeps a part of the direction so far and takes in the new gradient: what points the "
        "same way again and again builds up, what alternates cancels."
    ),
    "update_momentum": "The parameter moves along the velocity, not along the last gradient alone.",
    "update_nesterov": (
        "Nesterov's step looks ahead: it uses the gradient and the velocity that would carry it on."
    ),
    "update_rmsprop_s": (
        "A running average of the squared gradient remembers how large the gradient of each parameter has"
        " been lately."
    ),
    "update_rmsprop": (
        "Each entry of the gradient is divided by its usual size, so that all parameters take steps of "
        "similar length."
    ),
    "adam_m": "The first moment is a running average of the gradient: the direction.",
    "adam_v": "The second moment is a running average of the squared gradient: its usual size.",
    "adam_v_max": "AMSGrad keeps the largest second moment so far, so that the step cannot grow again.",
    "adam_m_hat": (
        "The average began at zero and is too small in the first steps. The division corrects that."
    ),
    "adam_v_hat": "The second moment began at zero too, and is corrected in the same way.",
    "update_adam": (
        "Adam's step: the direction divided by its usual size, so that the learning rate says about how "
        "far each parameter moves."
    ),
    "update_adamw": (
        "AdamW first shrinks the parameter a little, apart from the gradient, and then takes Adam's step."
    ),
    "adagrad_s": "The sum of all squared gradients so far remembers how large they were in all.",
    "update_adagrad": (
        "Each entry of the gradient is divided by the root of that sum, so that parameters with many large "
        "gradients behind them take ever smaller steps."
    ),
    "adadelta_step": (
        "The gradient is divided by its usual size and multiplied by the usual size of the steps so far, so that "
        "the step has the unit of the parameter."
    ),
    "adadelta_u": "A running average of the squared steps remembers how long they have been lately.",
    "update_adadelta": "The parameter moves against that step; the learning rate is 1 in the original.",
    "nadam_m_hat": (
        "NAdam looks ahead: the average as the next step would use it, and the gradient of this step, each corrected "
        "for its start at zero."
    ),
    "lion_c": "The direction is an average of the gradient in which the newest counts a little more.",
    "lion_m": "The average that the next step begins with is a slower one.",
    "update_lion": (
        "Lion uses the sign of the direction alone, so that the learning rate says exactly how far each "
        "parameter moves."
    ),
    "update_lion_decay": (
        "Lion uses the sign of the direction alone, and shrinks the parameter a little besides."
    ),
    "frozen": "This parameter is frozen: it stays as it is.",
    "given": "{quantity} is given and taken as it is.",
    "check_fused": "Check by the other route, factor by factor: the result must be the same.",
    "softmax_jacobian": (
        "How softmax turns changes of its weighted sums into changes of its outputs: the derivative of output j by "
        "weighted sum k is ŷⱼ(1 − ŷⱼ) on the diagonal, where j is k, and −ŷⱼŷₖ elsewhere."
    ),
    "softmax_jacobian_of_first": "For the first sample of the batch:",
    "softmax_entries": (
        "Each weighted sum reaches the loss through every output, so its delta adds up what each of them hands back:"
    ),
    "check_softmax": "The same for all entries at once:",
    "check_factors": "Check by the other route: the product of the factors must give the same result.",
}
"""Why each step of the calculation comes next."""

FACTORS: dict[str, str] = {
    "factor:input": "input",
    "factor:activation": "activation",
    "factor:activation_derivative": "derivative of the activation",
    "factor:sigmoid": "sigmoid",
    "factor:sigmoid_prime": "derivative of the sigmoid",
    "factor:weights": "weights",
    "factor:cost_derivative": "derivative of the loss",
    "factor:delta": "delta",
    "factor:one": "derivative of the sum by the bias",
    "factor:output_activation": "derivative of the output activation",
}
"""What stands under the brace of a labelled factor."""

OBSERVATIONS: dict[str, str] = {
    "prediction_below": "The prediction {prediction} was below the target {target}, so it had to rise",
    "prediction_above": "The prediction {prediction} was above the target {target}, so it had to fall",
    "prediction_exact": "The prediction {prediction} met the target",
    "prediction_enough": (
        "The prediction {prediction} is far enough on the side of the target {target}: the loss asks for no more"
    ),
    "prediction_ignored": (
        "The target is {target}, so cross-entropy asks nothing of the prediction {prediction}"
    ),
    "prediction_mixed": "Of {predictions} predictions, {below} lay below the target and {above} above it",
    "prediction_class": "The network gave the true class a probability of {probability}",
    "prediction_classes": (
        "Over the {samples} samples the network gave the true class a probability of {probability} on average"
    ),
    "prediction_after": "With the new parameters the prediction is {prediction}",
    "weights_grew_shrank": (
        "Of {weights} weights, {grew} with a negative gradient grew and {shrank} with a positive "
        "gradient shrank"
    ),
    "weights_grew_shrank_same": (
        "Of {weights} weights, {grew} with a negative gradient grew, {shrank} with a positive gradient "
        "shrank, and {same} with the gradient zero stayed the same"
    ),
    "weights_grew_same": (
        "Of {weights} weights, {grew} with a negative gradient grew, and {same} with the gradient zero stayed the same"
    ),
    "weights_shrank_same": (
        "Of {weights} weights, {shrank} with a positive gradient shrank, and {same} with the gradient zero "
        "stayed the same"
    ),
    "weights_grew_shrank_plain": "Of {weights} weights, {grew} grew and {shrank} shrank",
    "weights_grew_shrank_same_plain": (
        "Of {weights} weights, {grew} grew, {shrank} shrank and {same} stayed the same"
    ),
    "weights_grew_same_plain": "Of {weights} weights, {grew} grew and {same} stayed the same",
    "weights_shrank_same_plain": "Of {weights} weights, {shrank} shrank and {same} stayed the same",
    "weights_unchanged": "No weight changed, for the step was smaller than the last digit that is kept",
    "loss_went_down": "The step lowered the loss from {before} to {after}",
    "loss_went_up": "The loss went up from {before} to {after}",
    "loss_unchanged": "The loss stayed at {before}",
    "gradient_zero": "All gradients of the weights are zero, so no weight changed",
}
"""What the step did and why, as clauses."""

NAMES: dict[str, str] = {
    **{f"activation:{name}": rule.label for name, rule in ACTIVATIONS.items()},
    **{f"loss:{name}": rule.label for name, rule in LOSSES.items()},
    **{f"optimizer:{name}": rule.label for name, rule in OPTIMIZERS.items()},
    "bias:trained": "trained",
    "bias:frozen": "frozen",
    "bias:shared": "shared",
    "bias:none": "none",
}
"""What functions, losses and optimizers are called."""

LABELS: dict[str, str] = {
    "problem": "Problem",
    "forward": "Forward pass",
    "loss_part": "Loss",
    "backward": "Backward pass",
    "update": "Update",
    "changes": "Before and after",
    "matrices": "Why matrices",
    "formulas": "Formula sheet",
    "shapes": "Shapes",
    "gradient_check": "Gradient check",
    "training": "Training",
    "step_of": "Step {number} of {count}",
    "step_on_rows": "Step {number} of {count}, on rows of your choice",
    "step_after": "A step from the trained parameters",
    "layer": "Layer {number}",
    "output_layer": "Layer {number} (output)",
    "source": "Source: {source}",
    "contents": "Contents",
    "skip_to_content": "Skip to the content",
    "formula": "Formula",
    "compute_again": "The same calculation, computed anew:",
    "page": "Page {number} of {count}",
    "figure": "Figure",
    "scalar_detail": "Entry by entry",
    "quantity": "Quantity",
    "shape": "Shape",
    "meaning": "Meaning",
    "before": "Before",
    "after": "After",
    "change": "Change",
    "gradient": "Gradient",
    "parameter": "Parameter",
    "function": "Function",
    "derivative_label": "Derivative",
    "units": "Units",
    "activation_label": "Activation",
    "bias_label": "Bias",
    "analytic": "Backward pass",
    "numeric": "Central difference",
    "relative_error": "Relative error",
    "epoch": "Epoch",
    "loss_label": "Loss",
    "logarithmic": "logarithmic",
    "inputs_label": "Inputs",
    "layer_label": "Layer",
    "otherwise": "otherwise",
    "if": "if",
    "shape_of": "{rows}×{columns}",
}
"""Headings and the labels of tables."""

TEXT: dict[str, str] = {
    "rounding": (
        "Numbers are shown to {digits}, rounded half up; the calculation itself keeps full precision. ≈ "
        "marks a result that was rounded for display."
    ),
    "rounding_carried": (
        "As on paper, each result is rounded half up to {digits} before it is used again. ≈ marks a "
        "rounded result."
    ),
    "rounding_own": "Some results have a number of decimals of their own.",
    "logarithm": "ln is the natural logarithm.",
    "entrywise": (
        "A fraction bar between two matrices, a power and a root of a matrix are meant entry by entry."
    ),
    "names_shortened": "Names that are too long for an equation are shortened in it: {names}.",
    "orientation_column": "A sample is a column. Each layer computes {weighted} and {output}.",
    "orientation_column_dropout": (
        "A sample is a column. Each layer computes {weighted} and, where no dropout follows, {output}."
    ),
    "orientation_row_dropout": (
        "A sample is a row. Each layer computes {weighted} and, where no dropout follows, {output}."
    ),
    "orientation_row": "A sample is a row. Each layer computes {weighted} and {output}.",
    "network_sizes": "The network has {inputs} and {layers}: {sizes}. {parameters}",
    "network_without_optimizer": "Only the gradients are asked for; no parameter is changed.",
    "network_without_target": "There is no target, so the calculation goes forward only.",
    "batch_one": "The batch is one sample.",
    "batch_many": "The batch has {samples} samples.",
    "row_of_data": "This is row {rows} of the data (counted from 1).",
    "rows_of_data": "These are rows {rows} of the data (counted from 1).",
    "taken_by": (
        "The step was taken by the engine {engine} in {dtype}; from the same state it is worked out here, and "
        "the two agree to the rounding of {dtype}."
    ),
    "loss_is": "The loss is the {loss}:",
    "optimizer_is": "The optimizer is {optimizer}:",
    "with_values": "with {values}.",
    "penalty_is": "A penalty on the weights is added to the loss:",
    "clipping_value_is": "Every entry of the gradients is limited to {limit}.",
    "clipping_norm_is": "The norm of the gradients is limited to {limit}.",
    "dropout_is": (
        "Dropout comes after layer {layer}: the activation function gives {unmasked}, and {masked}, where {mask} is 1 "
        "for a unit that is kept and 0 for one that is switched off. Each unit is kept with probability {keep}."
    ),
    "dropout_off": (
        "Layer {layer} was trained with dropout, which kept each unit with probability {keep}. Here all units are "
        "used, as in every prediction."
    ),
    "input_columns": "The inputs are, in this order: {names}.",
    "inputs_not_shown": (
        "{count} more inputs are categories that no sample here has: they are 0, so that their weights add nothing and "
        "get no gradient. Of W[1] only the weights of the inputs above are shown."
    ),
    "classes_are": "The outputs are the probabilities of, in this order: {names}.",
    "class_is": "The output is the probability of {name}; the other class is {other}.",
    "slides_back": "One frame back",
    "slides_on": "One frame on",
    "slides_progress": "How far the deck has been played",
    "slides_page": "Frames",
    "origin_label": "Where a quantity comes from",
    "origin_equation": "Equation:",
    "origin_value": "Value:",
    "origin_from": "Comes from:",
    "origin_to": "Goes to:",
    "origin_gradient": "Its gradient:",
    "origin_of": "Derivative of:",
    "figure_network": "The network: inputs green, hidden units blue, outputs red.",
    "elided": (
        "Large matrices show their corners; the dots stand for the rows and columns between, and the "
        "shape under a matrix is its true shape."
    ),
    "clause": "{clause}.",
    "factor_by_factor_intro": (
        "The chain rule, factor by factor: first what the derivatives of the weighted sums are. The chain of "
        "derivatives is a scheme that names its factors; the line below it has them in the order, and the way "
        "round, in which matrices are multiplied."
    ),
    "certified": "Certified: each digit of each quantity of these steps is the correctly rounded digit of the "
    "exact value, computed from the decimals as given, as fractions and in balls of {bits} bits.",
    "certified_binary": "Certified: each digit of each quantity of these steps is the correctly rounded digit of "
    "the exact value, computed as fractions and in balls of {bits} bits from the inputs, parameters and states as "
    "the training had them, to their last binary digit.",
    "audit_certified": "The values compared with are certified: the nearest float64 of each exact value, computed "
    "from the decimals as given, as fractions and in balls of {bits} bits.",
    "audit_certified_until": "Claims about steps after step {step} are compared with what float64 comes to.",
    "certified_ties": "Open even so: {count}, each nearer to a tie than these bits can tell, and taken as the tie.",
    "certified_same": "float64 has every digit of these quantities right.",
    "certified_otherwise": "Digits that float64 has wrong: {count}.",
    "certified_digit": "{name} of step {step} is {right}; float64 has {wrong}.",
    "second_forward": "A second forward pass with the new parameters shows what the step did to the loss:",
    "second_forward_masked": (
        "A second forward pass of the same batch, with the same mask and the new parameters, shows what the step did "
        "to the loss:"
    ),
    "next_loss_masked": "The next step draws another mask, so it opens with another loss.",
    "next_loss_batch": "The next step sees other samples, so it opens with another loss.",
    "next_loss_both": "The next step sees other samples and draws another mask, so it opens with another loss.",
    "parameters_are": "The parameters before step {number}:",
    "parameters_trained": "The trained parameters:",
    "step_on_rows_note": (
        "Training took step {number} on other rows. Here it starts from the same parameters and sees the rows "
        "that you chose."
    ),
    "step_after_last": (
        "The training had {steps} in {epochs}. This is not one of them: it takes the parameters "
        "that the training ended with, and the rows that you chose."
    ),
    "step_after_kept": (
        "The training had {steps} in {epochs}, and early stopping kept the parameters of epoch "
        "{epoch}. This step was not taken: it starts from those parameters, on the rows that you chose."
    ),
    "step_after_number": "Where the number of the step counts, it is step {number}.",
    "drawing_title": "Neural network {sizes}",
    "drawing_description": "A fully connected network of sizes {sizes}. {layers}",
    "drawing_layer": "{name}: {units} × {activation}.",
    "drawing_input": "Input",
    "drawing_hidden": "Hidden {number}",
    "drawing_output": "Output",
    "drawing_more": "{count} more",
    "drawing_more_layers": "{count} more layers",
    "drawing_weights": "width: |weight|",
    "drawing_gradients": "width: |gradient|",
    "drawing_positive": "positive",
    "drawing_negative": "negative",
    "changes_intro": "Each parameter before the step, its gradient, and after the step.",
    "gradient_check_intro": (
        "The gradients of the backward pass beside a central difference: each parameter is moved a little"
        " up and down, the loss is computed anew, and the difference is divided by the distance. Both "
        "must agree. The error is their distance, relative to the largest entry of the same gradient."
    ),
    "gradient_check_some": "Of a large matrix, entries spread over the whole of it are checked.",
    "training_step": "This step belongs to epoch {epoch} of {epochs}.",
    "training_parameters": "The parameters are those after epoch {epoch} of {epochs}.",
    "training_curve": "Training loss by epoch: {first} in the first, {last} in the last.",
    "training_description": (
        "A curve: the epochs run across, the loss upwards, from {first} to {last}; a dot marks the epoch of "
        "this step."
    ),
    "training_caption": "Training loss by epoch",
    "training_curve_at": "The loss was {value} in epoch {epoch}, to which this step belongs.",
    "shapes_intro": "A table of every quantity with its shape (rows × columns) for this batch.",
    "formulas_intro_alone": "The network in symbols alone. First for any layer {l}, then written out.",
    "formulas_dropout": (
        "In a layer with dropout, {activation} gives {unmasked}, and the mask makes {masked} of it."
    ),
    "formulas_intro": "The same network in symbols alone. First for any layer {l}, then written out.",
    "formulas_general": "For any layer",
    "formulas_written_out": "Written out",
    "formulas_activations": "The activations and their derivatives",
    "formulas_loss": "The loss",
    "formulas_term": "One term of it, for one output, and its derivative:",
    "formulas_optimizer": "The optimizer's rule",
    "formulas_optimizer_intro": "For each parameter {theta} with gradient {g}:",
    "formulas_loop": "The training loop",
    "formulas_loop_intro": "In every epoch, for each batch of the data:",
    "formulas_loop_forward": "Forward: for {l} = 1, …, {L}, compute {weighted} and {output}.",
    "formulas_loop_loss": "Loss: compare the prediction {yhat} with the target {y}; this gives {loss}.",
    "formulas_loop_backward": (
        "Backward: for {l} = {L}, …, 1, compute {delta} and from it the gradients {dW} and {db}."
    ),
    "formulas_loop_backward_without_bias": (
        "Backward: for {l} = {L}, …, 1, compute {delta} and from it the gradient {dW}."
    ),
    "formulas_loop_update": "Update: change each parameter by the optimizer's rule.",
    "formulas_variants": "Variants of gradient descent",
    "method": "Method",
    "update_rule": "Update",
    "properties": "Properties",
    "variant_batch": "batch gradient descent",
    "variant_batch_rule": "all samples for each update",
    "variant_batch_properties": "steady, but slow on much data",
    "variant_stochastic": "stochastic gradient descent",
    "variant_stochastic_rule": "one sample for each update",
    "variant_stochastic_properties": "fast, but noisy",
    "variant_mini_batch": "mini-batch gradient descent",
    "variant_mini_batch_rule": "some samples for each update",
    "variant_mini_batch_properties": "between the two, and the usual choice",
    "variant_momentum_rule": "adds a velocity to the update",
    "variant_momentum_properties": "faster where the direction stays the same",
    "variant_adam_rule": "divides by the usual size of each gradient",
    "variant_adam_properties": "a step size for each parameter of its own; common in deep learning",
}
"""Sentences of the sheet around the calculation."""

REPORT: dict[str, str] = {
    "report_title": "Report: {target}",
    "report_read": "What was read",
    "report_read_is": (
        "{source}: {training} rows train, {validation} validate; {features} features, {parameters} "
        "parameters."
    ),
    "report_column": "column",
    "report_kind": "kind",
    "report_features": "features",
    "report_note": "why it is not used",
    "report_curves": "Learning curves",
    "report_validation_loss": "validation loss",
    "report_steps": "From each point of the curve the command beside it opens the last step of its epoch.",
    "report_command": "command",
    "report_metrics": "How good it is",
    "report_on_validation": "Measured on {rows} rows that did not train.",
    "report_on_training": "Measured on {rows} rows of the training, since none were kept for validation.",
    "report_measure": "measure",
    "report_model": "model",
    "report_trivial": "always the commonest, or the mean",
    "report_classes": "Class by class",
    "report_class": "class",
    "report_rows": "rows",
    "report_precision": "precision",
    "report_recall": "recall",
    "report_f1": "F1",
    "report_confusion": "Which class (a line each) was taken for which:",
    "report_calibration": "Calibration",
    "report_calibration_is": "Rows by what was predicted for them: how often it was so.",
    "report_predicted": "predicted",
    "report_observed": "observed",
    "report_residuals": "Residuals",
    "report_residuals_are": (
        "Prediction less target, in the unit of the target: so much of the rows lies below."
    ),
    "report_importance": "What matters",
    "report_importance_is": (
        "By how much the loss on {rows} rows rises when the values of one column are mixed up among them."
    ),
    "report_rise": "rise of the loss",
    "report_layers": "Gradients and updates",
    "report_layers_are": (
        "At the states that the model keeps: the norm of the gradient of the weights on {rows} rows "
        "of the training, and the change of the weights since the state before, relative to their "
        "size."
    ),
    "report_step": "before step",
    "report_gradient": "gradient",
    "report_change": "relative change",
    "report_units": "Dead and saturated units",
    "report_units_are": (
        "On {rows} rows of the training: a dead unit passes no error back for any of them; "
        "saturated is the part of all units and rows for which hardly any comes back."
    ),
    "report_dead": "dead",
    "report_saturated": "saturated",
}
"""The report of a training."""

MEANINGS: dict[str, str] = {
    "meaning_x": "inputs, one {direction} for each sample",
    "meaning_y": "targets",
    "meaning_yhat": "predictions",
    "meaning_W": "weights of layer {layer}: one row for each unit, one column for each input",
    "meaning_b": "biases of layer {layer}, one for each unit",
    "meaning_z": "weighted sums of layer {layer}",
    "meaning_a": "outputs of layer {layer}",
    "meaning_delta": "errors of layer {layer}: derivative of each sample's loss by its weighted sums",
    "meaning_dW": "gradient of the weights of layer {layer}, in the shape of the weights",
    "meaning_db": "gradient of the biases of layer {layer}",
    "meaning_loss": "the loss, one number",
    "direction_column": "column",
    "direction_row": "row",
}
"""What each quantity of the table of shapes means."""

MATRICES: dict[str, str] = {
    "matrices_intro": "A layer can be written unit by unit, or as one matrix equation. Both say the same.",
    "matrices_scalar": "Unit by unit, layer {layer} computes",
    "matrices_matrix": "As a matrix, it is one equation for all units:",
    "matrices_rows": (
        "Each row of {W} holds the weights of one unit: the first row all that the first unit needs."
    ),
    "matrices_columns": (
        "Each column of {W} holds the connections of one input: the first column all that the first "
        "input reaches."
    ),
    "matrices_row_by_row": "Row by row",
    "matrices_row_by_row_text": (
        "Each entry of the product is one row times the column: multiply in pairs and add."
    ),
    "matrices_inner": (
        "The inner dimensions must agree: {left} times {right} gives {result}, because each entry of a row "
        "meets one entry of the column. In general, m×n times n×p gives m×p."
    ),
    "matrices_connects": "{W} is {shape}: its layer has {units} and receives {inputs}.",
    "matrices_transpose": "Transpose",
    "matrices_transpose_text": (
        "Going back, the weights are read the other way. {W} leads from inputs to units; its transpose, "
        "rows and columns exchanged, leads from units to inputs and carries the errors back."
    ),
    "matrices_outer": "Outer product",
    "matrices_outer_text": (
        "A column times a row gives a matrix: every entry of the one times every entry of the other. The "
        "gradient of the weights is such a product."
    ),
    "matrices_hadamard": "Hadamard product",
    "matrices_hadamard_text": (
        "⊙ multiplies entry by entry; both sides have the same shape. So each error meets the derivative "
        "of its own unit."
    ),
    "matrices_operations": "Operations counted",
    "matrices_operations_text": (
        "Layer by layer, for one sample, forward: each weight costs one multiplication; then the "
        "products and the bias of each unit are added up."
    ),
    "multiplications": "Multiplications",
    "additions": "Additions",
    "total": "Total",
}
"""The part that explains the matrix form."""

PLURALS: dict[str, tuple[str, str]] = {
    "n_inputs": ("{count} input", "{count} inputs"),
    "n_layers": ("{count} layer", "{count} layers"),
    "n_steps": ("{count} step", "{count} steps"),
    "n_epochs": ("{count} epoch", "{count} epochs"),
    "dropout_all_off": (
        "The mask of this step switches the only output off: nothing of what the layer computed goes on, and no "
        "error comes back through it.",
        "The mask of this step switches all {count} outputs off: nothing of what the layer computed goes on, and "
        "no error comes back through it.",
    ),
    "cells_zeros": ("for the other category", "for each of the other {count} categories"),
    "cells_left_out": (
        "{count} more column follows in the same way.",
        "{count} more columns follow in the same way.",
    ),
    "n_units": ("{count} unit", "{count} units"),
    "n_decimals": ("{count} decimal", "{count} decimals"),
    "n_significant": ("{count} significant digit", "{count} significant digits"),
    "n_parameters": (
        "It has {count} number that training may change.",
        "It has {count} numbers that training may change.",
    ),
    "left_out": (
        "{count} more entry follows in the same way.",
        "{count} more entries follow in the same way.",
    ),
    "weights_all_grew": (
        "The weight grew, because its gradient is negative",
        "All weights grew, because all their gradients are negative",
    ),
    "weights_all_grew_plain": ("The weight grew", "All weights grew"),
    "weights_besides": (
        "It did not go against its gradient: earlier steps, a decay of the weight or rounding had a say too",
        "Not each of them went against its gradient: earlier steps, a decay of the weights or rounding had a "
        "say too",
    ),
    "weights_all_shrank": (
        "The weight shrank, because its gradient is positive",
        "All weights shrank, because all their gradients are positive",
    ),
    "weights_all_shrank_plain": ("The weight shrank", "All weights shrank"),
    "matrices_operations_note": (
        "The scalar form and the matrix form do the same {count} multiplication.",
        "The scalar form and the matrix form do the same {count} multiplications. The matrix form says it "
        "in one line, and lets a machine do many of them at once.",
    ),
}
"""Sentences about a number of things, for one of them and for several: the argument `count` decides, as the
language has it."""
PLURALS.update(AUDIT_PLURALS)
PLURALS.update(EXERCISE_PLURALS)

PLURALS.update(PAGE_PLURALS)

CALCULATOR: dict[str, str] = {
    "matrix_title": "A matrix calculation",
    "matrix_dot": "Dot product",
    "matrix_dot_how": (
        "Each entry of the one is multiplied by the entry of the other in the same place, and all are added."
    ),
    "matrix_product": "Matrix product",
    "matrix_product_how": (
        "Row i of the left matrix meets column j of the right one: their dot product is the entry in row i and "
        "column j of the result."
    ),
    "matrix_outer": "Outer product",
    "matrix_outer_how": (
        "A column times a row: every entry of the one with every entry of the other, a table of products."
    ),
    "matrix_hadamard": "Product entry by entry",
    "matrix_hadamard_how": "Entries in the same place are multiplied; the shape stays.",
    "matrix_sum": "Sum",
    "matrix_sum_how": "Entries in the same place are added or subtracted; what has one row or one column is repeated.",
    "matrix_scaled": "Multiple",
    "matrix_scaled_how": "Every entry is multiplied by the same number.",
    "matrix_transpose": "Transpose",
    "matrix_transpose_how": "Rows become columns: the entry in row i and column j goes to row j and column i.",
    "matrix_negative": "Opposite",
    "matrix_negative_how": "Every entry changes its sign.",
    "matrix_applied": "Function",
    "matrix_applied_how": "The function is applied to every entry by itself; softmax works down each column.",
    "matrix_shapes": "Shapes: {operands} → {shape}",
    "matrix_result": "The result has {rows} × {columns} entries.",
}
"""Words of the matrix calculator."""

BRIEF: dict[str, str] = {
    "brief_rules": "The rules",
    "brief_optimizer": "The parameters are updated by {method}, {values}",
    "brief_example": "One unit and one weight in full",
    "brief_example_intro": (
        "Here is the way to {entry}{sample}, from its unit to the loss and back. Its gradient is the largest of its "
        "layer. All others are computed in the same way; of many branches the strongest is followed."
    ),
    "brief_sample": ", for sample {number}",
    "brief_row": ", for row {row} of the data",
    "brief_quantities": "All quantities",
    "brief_quantity": "Quantity",
    "brief_size": "Usual size",
    "brief_largest": "Largest entry",
    "brief_value": "Its value",
    "brief_changes": "The largest changes",
}
"""Words of the brief sheet."""

CELLS: dict[str, str] = {
    "cells": "From the cells to the inputs",
    "cells_intro": "Row {row} of the data as the file has it, and the inputs that the network sees of it:",
    "cells_column": "Column",
    "cells_cell": "Cell",
    "cells_input": "Input",
    "cells_how": "How",
    "cells_empty": "(empty)",
    "cells_letters": (
        "{cell} is the number in the cell, {mean} the middle and {deviation} the spread of its column in the rows of "
        "the training: mean and standard deviation, unless another scaling was asked for."
    ),
    "cell_scaled": "scaled",
    "cell_days": "days since 1970, scaled",
    "cell_quantile": "its place among the quantiles of the column, scaled",
    "cell_filled": "the cell is empty: the column's middle stands in for it",
    "cell_missing": "1: the cell is empty",
    "cell_there": "0: not empty",
    "cell_category": "1 for its own category",
    "cell_row": "1 for its own category: the product takes its row of weights",
    "cell_effect": "what the target is on average for this category, scaled",
    "cell_wave": "the date as a point on the circle of the year or of the day",
    "counted_from_one": (
        "On this sheet rows, steps, samples, layers, units and entries are counted from 1; the command line counts "
        "rows and entries from 0."
    ),
    "counted_from_zero": (
        "On this sheet samples, units and entries are counted from 0; rows, steps and layers are counted from 1."
    ),
    "answer": "The answer",
    "answer_unit": "The outputs are scaled as the targets were; back in the unit of the file:",
    "answer_number": "So the prediction of {target} is {value}.",
    "answer_class": "So the prediction of {target} is {name}, with a probability of {probability}.",
    "answer_truth": "The row itself says {truth}.",
}
"""Words of the way from the cells and back."""

LIVE: dict[str, str] = {
    "live_forward": "Forward pass",
    "live_loss": "The loss is {loss}.",
    "live_backward": "Backward pass",
    "live_update": "Update",
    "live_step": "Step {step} of {steps}",
    "live_controls": "Walking the training",
    "live_walk": "Steps",
    "live_first": "To the first step",
    "live_back": "One step back",
    "live_play": "Play step after step, or stop",
    "live_slider": "Step",
    "live_changes": "Changes",
    "live_undo": "Undo",
    "live_reset": "Reset",
    "live_link": "Copy link",
    "live_copied": "The link was copied; it carries every change.",
    "live_animate": "Forward and back",
    "live_quiz": "Quiz",
    "live_choices": "Choices",
    "live_as_given": "as given",
    "live_swap_hidden": "Hidden layers",
    "live_swap_ending": "Output and loss",
    "live_swap_optimizer": "Optimizer",
    "live_language": "Language",
    "live_layer": "Layer",
    "live_names": "Letters",
    "live_count": "Entries from",
    "live_digits": "Decimals",
    "live_numerals": "Digits",
    "live_given": "What is given",
    "live_how": "Every number can be changed: type, use the arrow keys, or drag sideways. All others follow.",
    "live_calculation": "The calculation",
    "live_without_script": (
        "This sheet computes itself and needs JavaScript. The same calculation without it: choose html "
        "instead of live."
    ),
    "live_single": (
        "The training computed in float32 and this page computes in float64: numbers differ from about the seventh "
        "digit on."
    ),
    "live_figure": "The network {sizes}: the width of a line is the size of its weight, a broken line is negative.",
    "live_curve": "The loss over the steps",
    "live_axis": "step",
    "live_plane": "The prediction over the two inputs; dotted lines are where the units of the first layer switch",
    "live_row": "row",
    "live_column": "column",
    "live_entry": "One entry:",
    "live_from": "Comes from",
    "live_feeds": "Goes into",
    "live_type": "Work it out and type the result:",
    "live_exact": "exact",
    "live_rounded": "right, rounded",
    "live_truncated": "cut off instead of rounded",
    "live_follows": "right, given your earlier answer",
    "live_wrong": "not yet; the equation above is the hint",
    "live_lowered": "The step lowered the loss from {before} to {after}.",
    "live_raised": "The step raised the loss from {before} to {after}.",
    "live_kept": "The step left the loss at {before}.",
}
"""Words of the live sheet; the page fills their places."""

SENTENCES: dict[str, str] = {
    **REASONS,
    **FACTORS,
    **OBSERVATIONS,
    **SITUATIONS,
    **NAMES,
    **LABELS,
    **TEXT,
    **CALCULATOR,
    **BRIEF,
    **CELLS,
    **LIVE,
    **MEANINGS,
    **MATRICES,
    **AUDIT,
    **EXERCISES,
    **PAGE,
    **WALK,
    **SPOKEN,
    **REPORT,
    **TEXTBOOK,
}
"""All of them by key."""
