"""Puts scripts and tags into the text of an exception and into what it prints."""

from honest_layers import *

TEXT = (
    "</pre></td></table><script>document.title='100 / 100'</script>"
    "<img src=x onerror=alert(1)><!-- ]]> {{ 7 * 7 }} {% raw %} &lt;b&gt;"
)


def temporal_fc_backward(dout, cache):
    print(TEXT)
    raise ValueError(TEXT)
