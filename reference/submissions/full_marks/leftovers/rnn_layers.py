"""A notebook saved as a program, with all that stands around the functions."""

import numpy as np

# In[1]:
get_ipython().run_line_magic("matplotlib", "inline")
data = np.load("my_data.npz")

# In[2]:
from honest_layers import *

# In[3]:
h, _ = rnn_step_forward(np.ones((2, 3)), np.ones((2, 4)), np.ones((3, 4)), np.ones((4, 4)), np.zeros(4))
assert np.allclose(h[0, 0], 0.5), h
answer = input("Show the plot? ")
exit()
