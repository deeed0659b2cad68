"""The captioning model, which is right."""

from honest_captioning import *
