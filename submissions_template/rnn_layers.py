"""Homework: recurrent networks in numpy.

Write the functions below. Each one has a region between the lines

    # ---- your code here ----
    # ---- end of your code ----

Replace the `raise NotImplementedError(...)` in it by your own code. Do not change the names of the
functions, their arguments, or what they return. `sigmoid`, `word_embedding_forward` and
`word_embedding_backward` are given. You may add helper functions of your own. Use numpy only.

Letters used in shapes:

    N  batch size (number of sequences handled at once)
    T  number of time steps
    D  size of an input vector
    H  size of the hidden state
    V  number of words in the vocabulary
    M  number of outputs of the fully connected layer

TIME-MAJOR and BATCH-MAJOR. The recurrent layers (rnn_forward, lstm_forward and their backward
functions) take sequences as arrays of shape (T, N, D): the first axis is time, and x[t] is the
whole batch at time t, of shape (N, D). The other layers (embedding, fully connected, softmax) take
arrays of shape (N, T, D): the first axis is the batch.

GRADIENTS. dz always means the derivative of the loss with respect to z, and always has the same
shape as z. In every backward function, dout (or dnext_h, dh, ...) is the gradient arriving from
above.

CACHE. The forward function returns a cache; it is handed to the backward function as it is. What
you put into it, and in what form, is up to you: whatever your backward function needs.
"""

import numpy as np

# =================================================================================================
# Vanilla RNN
# =================================================================================================


def rnn_step_forward(x, prev_h, Wx, Wh, b):
    """One time step of a vanilla RNN with tanh.

        next_h = tanh(x Wx + prev_h Wh + b)

    Inputs:
    - x: input of this step, shape (N, D)
    - prev_h: hidden state of the previous step, shape (N, H)
    - Wx: input-to-hidden weights, shape (D, H)
    - Wh: hidden-to-hidden weights, shape (H, H)
    - b: bias, shape (H,)

    Returns a tuple of:
    - next_h: hidden state after this step, shape (N, H), also when N is 1
    - cache: values you need in rnn_step_backward
    """
    # ---- your code here ----
    raise NotImplementedError("rnn_step_forward")
    # ---- end of your code ----


def rnn_step_backward(dnext_h, cache):
    """Backward pass of one time step of a vanilla RNN.

    Inputs:
    - dnext_h: gradient of the loss with respect to next_h, shape (N, H)
    - cache: the cache returned by rnn_step_forward

    Returns a tuple of:
    - dx: gradient of the input, shape (N, D)
    - dprev_h: gradient of the previous hidden state, shape (N, H)
    - dWx: gradient of the input-to-hidden weights, shape (D, H)
    - dWh: gradient of the hidden-to-hidden weights, shape (H, H)
    - db: gradient of the bias, shape (H,)

    Hint: the derivative of tanh can be written with its output: tanh'(a) = 1 - tanh(a)^2.
    """
    # ---- your code here ----
    raise NotImplementedError("rnn_step_backward")
    # ---- end of your code ----


def rnn_forward(x, h0, Wx, Wh, b):
    """Run a vanilla RNN over a whole sequence.

        h[0] = tanh(x[0] Wx + h0     Wh + b)
        h[t] = tanh(x[t] Wx + h[t-1] Wh + b)     for t = 1, ..., T-1

    Inputs:
    - x: the input sequence, TIME-MAJOR, shape (T, N, D)
    - h0: initial hidden state, shape (N, H)
    - Wx: input-to-hidden weights, shape (D, H)
    - Wh: hidden-to-hidden weights, shape (H, H)
    - b: bias, shape (H,)

    Returns a tuple of:
    - h: hidden states of all time steps, TIME-MAJOR, shape (T, N, H); h0 is not part of it
    - cache: values you need in rnn_backward

    Hint: x[t] is the batch at time t. The same weights are used at every time step.
    """
    # ---- your code here ----
    raise NotImplementedError("rnn_forward")
    # ---- end of your code ----


def rnn_backward(dh, cache):
    """Backward pass of a vanilla RNN over a whole sequence.

    Inputs:
    - dh: gradient of the loss with respect to all hidden states, TIME-MAJOR, shape (T, N, H).
      dh[t] is only what the loss sends to h[t] directly (through the layers above), not what comes
      from later time steps. You have to add the latter.
    - cache: the cache returned by rnn_forward

    Returns a tuple of:
    - dx: gradient of the input sequence, TIME-MAJOR, shape (T, N, D)
    - dh0: gradient of the initial hidden state, shape (N, H)
    - dWx: gradient of the input-to-hidden weights, shape (D, H)
    - dWh: gradient of the hidden-to-hidden weights, shape (H, H)
    - db: gradient of the bias, shape (H,)

    Hint: h[t] influences the loss in two ways, directly and through h[t+1]. Which time step has to
    come first? And what does it mean for dWx, dWh, db that all steps share the weights?
    """
    # ---- your code here ----
    raise NotImplementedError("rnn_backward")
    # ---- end of your code ----


# =================================================================================================
# LSTM
# =================================================================================================


def sigmoid(x):
    """The logistic function 1 / (1 + exp(-x)), without overflow. GIVEN.

    Input:
    - x: array of any shape

    Returns an array of the same shape.
    """
    # exp gets no positive argument here, so it cannot overflow.
    z = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, z) / (1 + z)


def lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b):
    """One time step of an LSTM.

    First compute the pre-activations of all four gates at once, shape (N, 4H):

        a = x Wx + prev_h Wh + b

    The 4H columns are four blocks of H columns each, in the ORDER

        forget f,  input i,  candidate g,  output o

        f = sigmoid(a[:, 0:H])       i = sigmoid(a[:, H:2H])
        g = tanh(a[:, 2H:3H])        o = sigmoid(a[:, 3H:4H])

    (Books and libraries order the gates in different ways. Here it is f, i, g, o.) Then

        next_c = f * prev_c + i * g          (elementwise products)
        next_h = o * tanh(next_c)

    Inputs:
    - x: input of this step, shape (N, D)
    - prev_h: hidden state of the previous step, shape (N, H)
    - prev_c: cell state of the previous step, shape (N, H)
    - Wx: input-to-hidden weights, shape (D, 4H)
    - Wh: hidden-to-hidden weights, shape (H, 4H)
    - b: biases, shape (4H,)

    Returns a tuple of:
    - next_h: hidden state after this step, shape (N, H)
    - next_c: cell state after this step, shape (N, H)
    - cache: values you need in lstm_step_backward
    """
    # ---- your code here ----
    raise NotImplementedError("lstm_step_forward")
    # ---- end of your code ----


def lstm_step_backward(dnext_h, dnext_c, cache):
    """Backward pass of one time step of an LSTM.

    Inputs:
    - dnext_h: gradient of the loss with respect to next_h, shape (N, H)
    - dnext_c: gradient of the loss with respect to next_c, as it comes from the following time
      step, shape (N, H)
    - cache: the cache returned by lstm_step_forward

    Returns a tuple of:
    - dx: gradient of the input, shape (N, D)
    - dprev_h: gradient of the previous hidden state, shape (N, H)
    - dprev_c: gradient of the previous cell state, shape (N, H)
    - dWx: gradient of the input-to-hidden weights, shape (D, 4H)
    - dWh: gradient of the hidden-to-hidden weights, shape (H, 4H)
    - db: gradient of the biases, shape (4H,)

    Hint: next_c influences the loss in two ways: through the next cell state (this is dnext_c), and
    through next_h = o * tanh(next_c). Both have to be added before you go on to the gates.
    """
    # ---- your code here ----
    raise NotImplementedError("lstm_step_backward")
    # ---- end of your code ----


def lstm_forward(x, h0, Wx, Wh, b):
    """Run an LSTM over a whole sequence. The initial cell state is zero.

    Inputs:
    - x: the input sequence, TIME-MAJOR, shape (T, N, D)
    - h0: initial hidden state, shape (N, H)
    - Wx: input-to-hidden weights, shape (D, 4H)
    - Wh: hidden-to-hidden weights, shape (H, 4H)
    - b: biases, shape (4H,); gate order f, i, g, o as in lstm_step_forward

    Returns a tuple of:
    - h: hidden states of all time steps, TIME-MAJOR, shape (T, N, H); h0 is not part of it, and the
      cell states are not returned
    - cache: values you need in lstm_backward
    """
    # ---- your code here ----
    raise NotImplementedError("lstm_forward")
    # ---- end of your code ----


def lstm_backward(dh, cache):
    """Backward pass of an LSTM over a whole sequence.

    Inputs:
    - dh: gradient of the loss with respect to all hidden states, TIME-MAJOR, shape (T, N, H). As in
      rnn_backward, what comes from later time steps is not yet in it.
    - cache: the cache returned by lstm_forward

    Returns a tuple of:
    - dx: gradient of the input sequence, TIME-MAJOR, shape (T, N, D)
    - dh0: gradient of the initial hidden state, shape (N, H)
    - dWx: gradient of the input-to-hidden weights, shape (D, 4H)
    - dWh: gradient of the hidden-to-hidden weights, shape (H, 4H)
    - db: gradient of the biases, shape (4H,)

    Hint: two gradients travel from step to step here, that of the hidden state and that of the cell
    state. The loss does not depend on the last cell state directly.
    """
    # ---- your code here ----
    raise NotImplementedError("lstm_backward")
    # ---- end of your code ----


# =================================================================================================
# Word embedding
# =================================================================================================


def word_embedding_forward(x, W):
    """Look up the vector of every word. GIVEN.

        out[n, t] = W[x[n, t]]

    Inputs:
    - x: word ids, integers in 0, ..., V-1, BATCH-MAJOR, shape (N, T)
    - W: one word vector per row, shape (V, D)

    Returns a tuple of:
    - out: the vectors, BATCH-MAJOR, shape (N, T, D)
    - cache: values needed in word_embedding_backward
    """
    out = W[x]
    cache = (x, W.shape)
    return out, cache


def word_embedding_backward(dout, cache):
    """Backward pass of the word embedding. GIVEN.

    There is no gradient with respect to the word ids, only with respect to the vectors.

    Inputs:
    - dout: gradient of the loss with respect to out, BATCH-MAJOR, shape (N, T, D)
    - cache: the cache returned by word_embedding_forward

    Returns:
    - dW: gradient of the word vectors, shape (V, D)
    """
    x, shape = cache
    dW = np.zeros(shape, dtype=dout.dtype)
    # A word may occur several times; np.add.at adds up all its gradients, dW[x] += dout would not.
    np.add.at(dW, x, dout)
    return dW


# =================================================================================================
# Fully connected layer and softmax loss over time
# =================================================================================================


def temporal_fc_forward(x, w, b):
    """The same fully connected layer at every time step.

        out[n, t] = x[n, t] w + b

    Inputs:
    - x: inputs, BATCH-MAJOR, shape (N, T, D)
    - w: weights, shape (D, M)
    - b: bias, shape (M,)

    Returns a tuple of:
    - out: outputs, BATCH-MAJOR, shape (N, T, M)
    - cache: values you need in temporal_fc_backward
    """
    # ---- your code here ----
    raise NotImplementedError("temporal_fc_forward")
    # ---- end of your code ----


def temporal_fc_backward(dout, cache):
    """Backward pass of the fully connected layer over time.

    Inputs:
    - dout: gradient of the loss with respect to out, BATCH-MAJOR, shape (N, T, M)
    - cache: the cache returned by temporal_fc_forward

    Returns a tuple of:
    - dx: gradient of the inputs, BATCH-MAJOR, shape (N, T, D)
    - dw: gradient of the weights, shape (D, M)
    - db: gradient of the bias, shape (M,)

    Hint: compare the shapes with those of x, w and b before you go on.
    """
    # ---- your code here ----
    raise NotImplementedError("temporal_fc_backward")
    # ---- end of your code ----


def temporal_softmax_loss(x, y, mask):
    """Softmax and cross-entropy loss over time, with its gradient.

    At every position (n, t), x[n, t] holds one score per word of the vocabulary:

        p[n, t, v] = exp(x[n, t, v]) / sum over u of exp(x[n, t, u])

        loss = 1/N * sum over all (n, t) where mask[n, t] is True of  -log p[n, t, y[n, t]]

    So the loss is SUMMED over time and AVERAGED over the batch (divided by N), and positions where
    the mask is False (padding) count neither in the loss nor in the gradient.

    Inputs:
    - x: scores, BATCH-MAJOR, shape (N, T, V)
    - y: ids of the right words, integers in 0, ..., V-1, shape (N, T)
    - mask: booleans, shape (N, T)

    Returns a tuple of:
    - loss: a number
    - dx: gradient of the loss with respect to the scores, shape (N, T, V)

    Hint: scores can be large. Make sure that neither exp nor log runs out of the range of floating
    point numbers, for scores of 1000 and of -1000, too.
    """
    # ---- your code here ----
    raise NotImplementedError("temporal_softmax_loss")
    # ---- end of your code ----
