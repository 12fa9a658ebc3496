"""The backward pass: the chain rule from the loss back to every parameter.

    delta[L] = omega dloss/dA[L] . f'(Z[L])              per sample; the fused form where there is one
    delta[l] = (delta[l+1] W[l+1]) * f'(Z[l])
    dW[l]    = s delta[l]^T A[l-1]                       s = 1/m for a loss averaged over samples, else 1
    db[l]    = s sum over samples of delta[l]

omega is the weight by which the loss of the sample counts, 1 unless weights are given.

Source: D. Rumelhart, G. Hinton, R. Williams, Learning representations by back-propagating errors (Nature
1986); M. Nielsen, Neural Networks and Deep Learning (2015), equations BP1 to BP4.
"""

from __future__ import annotations

from handgrad.errors import SpecificationError
from handgrad.nn.arrays import Array, namespace
from handgrad.nn.forward import Activity
from handgrad.nn.gathering import gathered_gradient
from handgrad.nn.network import LayerParameters, Network, Parameters
from handgrad.nn.observe import UNOBSERVED, Observer
from handgrad.nn.regularization import Regularization


def batch_loss(
    network: Network,
    parameters: Parameters,
    activity: Activity,
    Y: Array,
    regularization: Regularization | None = None,
    observe: Observer = UNOBSERVED,
    weights: Array | None = None,
) -> Array:
    """The loss of a batch, a number: the data's loss, each sample times its weight (m,), plus the penalties.

    It is computed from Z[L] where that is more exact, unless the outputs were given or rounded by hand.
    """
    loss = network.loss
    if loss is None:
        raise SpecificationError("the network has no loss; name one, for instance Loss('squared_error')")
    function = network.layers[-1].function
    z, a = activity.Z[-1], activity.yhat
    from_outputs = observe.given("yhat") or observe.given(f"a{network.depth}") or observe.rounds
    terms = loss.terms(a, Y, None if from_outputs else z, function.name)
    data_loss = loss.over_samples(loss.per_sample(observe("loss_terms", terms)), weights)
    if not regularization:
        return observe("loss", observe("data_loss", data_loss))
    data_loss = observe("data_loss", data_loss)
    penalty = observe("penalty", regularization.penalty(parameters, a.shape[0]))
    return observe("loss", data_loss + penalty)


def output_delta(
    network: Network,
    activity: Activity,
    Y: Array | None,
    observe: Observer = UNOBSERVED,
    weights: Array | None = None,
) -> Array:
    """delta[L], shape (m, n_L): `yhat - y` and its kin where the loss has that form, else the chain rule."""
    loss, function = network.loss, network.layers[-1].function
    z, a = activity.Z[-1], activity.yhat
    if loss is None or Y is None:  # dloss/dyhat was given by hand
        return function.backward(observe("dyhat", namespace(a).ones_like(a)), z, a)
    fused = loss.fused(function.name) and not observe.given("dyhat")
    if not fused or observe.complete:
        dyhat = observe("dyhat", loss.gradient(a, Y, weights))
    return loss.delta(a, Y, function.name, weights) if fused else function.backward(dyhat, z, a)


def backward(
    network: Network,
    parameters: Parameters,
    activity: Activity,
    Y: Array | None,
    regularization: Regularization | None = None,
    observe: Observer = UNOBSERVED,
    weights: Array | None = None,
) -> Parameters:
    """dloss/dW[l] and dloss/db[l] for every layer, penalties included, in the shapes of the parameters.

    `weights` (m,): by which the losses of the samples count; they are in delta[L] and so in all that follows.
    """
    samples = activity.yhat.shape[0]
    share = network.loss.share(samples) if network.loss is not None else 1
    gradients: list[LayerParameters] = []
    delta = observe(f"delta{network.depth}", output_delta(network, activity, Y, observe, weights))
    for l, layer in reversed(list(network.numbered())):
        W = parameters[l - 1].W
        A = activity.A[l - 1]
        gathers = l == 1 and network.gathered
        dW = (gathered_gradient(delta, A, network.gathered) if gathers else delta.T @ A) / share
        if regularization:
            dW = observe(f"dW{l}_data", dW)
            penalty = observe(f"dW{l}_penalty", regularization.gradient(W, samples))
            dW = dW + penalty
        dW = observe(f"dW{l}", dW)
        gradients.append(LayerParameters(dW, _bias_gradient(delta, l, layer.bias, share, observe)))
        if l > 1:
            delta = observe(f"delta{l - 1}", _hidden_delta(network, activity, delta, W, l - 1, observe))
    return tuple(reversed(gradients))


def _bias_gradient(delta: Array, l: int, bias: str, share: int, observe: Observer) -> Array:
    """db (n_l,); the sum over all units, for each of them, where the layer shares one bias."""
    xp = namespace(delta)
    db = xp.sum(delta, axis=0) / share
    if bias == "none":
        return xp.zeros_like(db)
    return observe(f"db{l}", xp.sum(db) * xp.ones_like(db) if bias == "shared" else db)


def _hidden_delta(
    network: Network, activity: Activity, delta: Array, W: Array, l: int, observe: Observer
) -> Array:
    """delta[l] from delta[l+1] and W[l+1], through the dropout of layer l where it has one."""
    da = observe(f"da{l}", delta @ W)
    layer, mask = network.layers[l - 1], activity.masks[l]
    if mask is not None and layer.dropout is not None:
        da = observe(f"df{l}", da * mask / layer.dropout.keep)
    return layer.function.backward(da, activity.Z[l], activity.F[l])
