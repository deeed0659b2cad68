"""Inputs for every checked function, and what typical mistakes make of them."""
